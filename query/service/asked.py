"""What a search is asked for beside its photo: the form's fields and a query's parameters, typed and checked."""

from dataclasses import replace
from http import HTTPStatus
from typing import Annotated, Any, Self

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError, field_validator, model_validator

from catalog.errors import LookbookError
from catalog.features.ranking import Weights
from catalog.vision.boxes import Box
from query.bundle import Bundle, nearest_names
from query.filters import Filters
from query.service.problems import Problem

MOST_RESULTS = 100
MOST_BRANDS = 20
LONGEST_NAME, LONGEST_URL = 200, 2000  # characters
SEVERAL = "brand"  # the one field that may repeat
LARGEST_WEIGHT = 1_000_000

Weight = Annotated[FiniteFloat, Field(ge=0, le=LARGEST_WEIGHT)]
Price = Annotated[FiniteFloat, Field(ge=0)]
Name = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)]

# What a field takes, in words: pydantic's own are a program's.
TAKES = {
    "k": f"takes a whole number from 1 to {MOST_RESULTS}",
    **dict.fromkeys(("semantic", "texture", "color"), f"takes a number from 0 to {LARGEST_WEIGHT}"),
    **dict.fromkeys(("price_min", "price_max"), "takes a number that is 0 or more"),
    **dict.fromkeys(("in_stock", "candidates", "pictures"), "takes true or false"),
}


class Asked(BaseModel):
    """What may be asked for, whatever is searched with."""

    model_config = ConfigDict(extra="forbid")

    k: Annotated[int, Field(ge=1, le=MOST_RESULTS)] | None = Field(None, description="How many results.")
    category: Name | None = Field(None, description="Search this category, not the one that the photo is routed to.")
    semantic: Weight | None = Field(None, description="The three weights go together; they are brought to sum 1.")
    texture: Weight | None = None
    color: Weight | None = None
    price_min: Price | None = Field(None, description="In the catalogue's own currency.")
    price_max: Price | None = None
    brand: Annotated[list[Name], Field(max_length=MOST_BRANDS)] = Field([], description="Only these; may repeat.")
    in_stock: bool = Field(False, description="Only what is in stock.")
    candidates: bool = Field(False, description="Answer every item that was reranked, too.")

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        named = [weight for weight in (self.semantic, self.texture, self.color) if weight is not None]
        if named and len(named) < 3:
            raise ValueError("semantic, texture and color go together; give all three, or none")
        if named and sum(named) <= 0:
            raise ValueError("semantic, texture and color are all 0; one must be more")
        if self.price_min is not None and self.price_max is not None and self.price_min > self.price_max:
            raise ValueError("price_min is above price_max; exchange the two")
        return self

    def weights(self, bundled: Weights) -> Weights:
        """Those that are asked for, with sum 1, beside the bundle's gate; else the bundle's."""
        if self.semantic is None or self.texture is None or self.color is None:
            return bundled
        total = self.semantic + self.texture + self.color
        return replace(bundled, semantic=self.semantic / total, texture=self.texture / total, color=self.color / total)

    def filters(self, bundle: Bundle) -> Filters:
        """Raises: Problem for a brand that the bundle has not."""
        known = {name.strip().casefold() for name in bundle.brands}
        for name in self.brand:
            if name.strip().casefold() not in known:
                close = nearest_names(name, bundle.brands)
                hint = f"the nearest are {', '.join(map(repr, close))}" if close else "GET /bundle lists them"
                raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "unknown_brand", f"no brand {name!r}; {hint}")
        return Filters(self.price_min, self.price_max, tuple(self.brand), self.in_stock)

    def in_category(self, bundle: Bundle) -> str | None:
        """The bundle's spelling of the category. Raises: Problem for one that it has not."""
        if self.category is None:
            return None
        try:
            return bundle.find_category(self.category)
        except LookbookError as error:
            raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "unknown_category", str(error)) from error


class AskedOfPhoto(Asked):
    """The fields of a search's form, but for the photo itself."""

    box: str | None = Field(
        None,
        description="left,top,right,bottom of the part to look at: fractions from 0 to 1 of the upright photo",
        examples=["0.1,0.2,0.9,1"],
    )
    url: Annotated[str, Field(max_length=LONGEST_URL)] | None = Field(
        None, description="The photo's address, instead of a file; off unless the service was started to allow it."
    )
    pictures: bool | None = Field(
        None, description="Answer the cut-out and the boxes of all things, too; by default in an answer of lines only."
    )

    @field_validator("box")
    @classmethod
    def _is_box(cls, text: str | None) -> str | None:
        if text is not None:
            box_of(text)
        return text


def box_of(text: str) -> Box:
    """Raises: ValueError for what are no four fractions in order."""
    told = "is left,top,right,bottom: fractions from 0 to 1, left below right and top below bottom"
    try:
        left, top, right, bottom = (float(part) for part in text.split(","))
    except ValueError as error:
        raise ValueError(told) from error
    if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
        raise ValueError(told)
    return left, top, right, bottom


def read_fields(fields: dict[str, list[str]]) -> AskedOfPhoto:
    """The form's fields. Raises: Problem that names the field."""
    repeated = [name for name, values in fields.items() if len(values) > 1 and name != SEVERAL]
    if repeated:
        detail = f"{repeated[0]}: given {len(fields[repeated[0]])} times; give it once"
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "bad_field", detail)
    values: dict[str, Any] = {name: given if name == SEVERAL else given[0] for name, given in fields.items()}
    try:
        return AskedOfPhoto.model_validate(values)
    except ValidationError as error:
        raise bad_field(error) from error


def bad_field(error: ValidationError | RequestValidationError) -> Problem:
    """The problem that fields or parameters of a wrong kind are; it repeats no value."""
    told = []
    for one in error.errors():
        where = [str(part) for part in one["loc"] if part not in ("query", "body")]
        what = TAKES.get(".".join(where)) or str(one["msg"]).removeprefix("Value error, ")
        if one["type"] == "extra_forbidden":
            what = "no such field; GET /openapi.json lists them"
        told.append(f"{'.'.join(where)}: {what}" if where else what)
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "bad_field", "; ".join(told[:5]))
