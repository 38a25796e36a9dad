"""`lookbook train-embedded`: trains the embedded models and says what to put into the table of models."""

from pathlib import Path

import click
from tqdm import tqdm

from catalog.checkpoint_files import EXTRA
from catalog.errors import LookbookError
from catalog.model_descriptions import MODELS
from resources.inference import cores


def run_training(
    data: Path,
    weights: Path,
    run_dir: Path,
    out_dir: Path,
    only: str | None,
    start_from: Path | None,
    steps: int | None,
    share: float,
) -> None:
    """Train and write the models. Raises: LookbookError when torch, photos or teachers are missing."""
    ours = [name for name, model in MODELS.items() if model.source.startswith("embedded:")]
    names = [name.strip() for name in only.split(",")] if only else ours
    for name in names:
        if name not in ours:
            raise LookbookError(f"--only {name!r}: no embedded model; there are {', '.join(ours)}")
    try:
        from catalog.training.embedded import train_embedded
    except ImportError as error:
        raise LookbookError(f"training needs {error.name}; {EXTRA}") from error
    bars: dict[str, tqdm] = {}

    def report(what: str, done: int, total: int, loss: float | None) -> None:
        if what not in bars:
            bars[what] = tqdm(total=total, desc=what, mininterval=2)
        bars[what].update(done - bars[what].n)
        if loss is not None:
            bars[what].set_postfix(loss=f"{loss:.4f}")
        if done >= total:
            bars[what].close()

    rows = train_embedded(
        data,
        weights,
        run_dir,
        out_dir,
        names,
        start_dir=start_from,
        steps=steps,
        share=share,
        workers=cores(),
        report=report,
    )
    click.echo("rows for catalog/model_descriptions.py:")
    for name, row in rows.items():
        click.echo(f'  {name}: sha256="{row.sha256}", size_bytes={row.size_bytes}')
