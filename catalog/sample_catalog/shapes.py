"""What fixes a product's cut, a frozen record a kind of goods. How a style's numbers are chosen is `styles`."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class TopShape:
    """A t-shirt, shirt, hoodie or a dress's bodice; cm on the body."""

    neck: str = "crew"  # crew, v, scoop, boat, square, sweetheart, collar, camp, band, hood
    neck_half: float = 7.6
    neck_depth: float = 7.0
    shoulder_out: float = 0.6  # how far the shoulder seam lies beyond the body's shoulder
    ease: float = 2.0  # cm between body and cloth at the chest
    waisted: float = 0.4  # 0 falls straight .. 1 follows the waist
    hem_y: float = 58.0
    hem: str = "straight"  # straight, curved, rib, band
    hem_out: float = 1.0  # the hem wider than the chest
    sleeve: str = "short"  # none, set, puff, flutter
    sleeve_cm: float = 19.0
    sleeve_half: float = 8.6  # half width at the armhole
    sleeve_end: float = 7.6
    cuff: str = "hem"  # hem, rib, button, turned, none
    raglan: bool = False
    opening: str = "none"  # none, buttons, half_buttons, zip
    pockets: str = "none"  # none, chest, flaps, kangaroo, welt
    trim: int = 0  # which ink ribs and bands take
    ringer: bool = False


@dataclass(frozen=True, kw_only=True)
class SkirtShape:
    """A skirt, or a dress's lower half."""

    cut: str = "a_line"  # a_line, pencil, circle, pleated, tiered, wrap
    waist_y: float = 39.0
    hem_y: float = 92.0
    waist_ease: float = 0.4
    hem_half: float = 28.0
    folds: float = 5.0  # hanging folds over the front
    fold_cm: float = 1.6  # their height at the hem
    pleat_cm: float = 3.4
    tiers: int = 0
    band: str = "band"  # band, elastic, tie, none
    band_cm: float = 3.6
    slit: bool = False
    buttons: bool = False
    trim: int = 0


@dataclass(frozen=True, kw_only=True)
class DressShape:
    """A dress: a bodice, and a skirt where it is cut in two."""

    top: TopShape
    skirt: SkirtShape | None = None
    belt: str = "none"  # none, belt, tie, sash
    wrap: bool = False
    trim: int = 1


@dataclass(frozen=True, kw_only=True)
class TrouserShape:
    """Pants and shorts."""

    waist_y: float = 40.0
    hem_y: float = 133.0
    ease: float = 1.2  # cm at the hip
    thigh: float = 11.0  # half widths of a leg
    knee: float = 8.6
    hem: float = 8.2
    band: str = "band"  # band, elastic, paperbag, drawstring
    pockets: str = "slant"  # slant, cargo, none, patch
    fly: bool = True
    crease: bool = False  # a pressed crease or pleats
    cuff: str = "hem"  # hem, rib, rolled, raw
    folds: float = 1.0
    side_stripe: bool = False
    split: bool = False  # running shorts' curved side split
    trim: int = 1


@dataclass(frozen=True, kw_only=True)
class BagShape:
    """A bag; cm, its foot on y = 0."""

    cut: str = "tote"  # tote, flap, hobo, bucket, duffel, backpack, box
    half_width: float = 18.0
    height: float = 32.0
    soft: float = 1.0  # 0 a stiff box .. 1.5 slouching cloth
    handle_cm: float = 24.0  # how high the handle or strap rises
    handle_half: float = 1.2
    leather: int = 0  # which leather trims take, an index into `bags.LEATHERS`
    brass: bool = True
    chain: bool = False
    pocket: bool = False
    round_: float = 4.0  # radius of its corners


@dataclass(frozen=True, kw_only=True)
class CushionShape:
    """A cushion, its middle on (0, 0)."""

    cut: str = "square"  # square, lumbar, round, bolster
    half_width: float = 22.0
    half_height: float = 22.0
    puff: float = 9.0  # cm it rises in the middle
    edge: str = "piping"  # piping, fringe, tassels, pompoms, ruffle, flange, knife
    tuft: bool = False
    chop: float = 0.0  # cm that a hand pressed into its top edge
    trim: int = 1


@dataclass(frozen=True, kw_only=True)
class MugShape:
    """A mug, its rim about (0, 0), its foot at y = height."""

    profile: tuple[tuple[float, float], ...] = ((0.0, 4.2), (9.5, 4.2))  # (y, radius) in cm down from the rim
    handle: str = "loop"  # loop, ear, square, low
    handle_cm: float = 6.2
    handle_out: float = 3.0
    handle_half: float = 0.62
    inner: int = 1  # which ink the inside has
    rim: str = "plain"  # plain, band, steel
    foot: float = 0.5  # cm of bare clay at the foot
    printed: tuple[float, float] = (0.06, 0.94)  # share of its height that carries the print
