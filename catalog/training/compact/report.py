"""What a training came to, as JSON and as a card that people read. No torch."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from catalog.evaluation.gate import Decision
from catalog.training.compact import scores
from catalog.training.compact.dataset import TEST, TRAIN, Dataset, LeftOut
from catalog.training.compact.samples import Samples

GALLERIES = {
    "train_gallery": "test photos as queries, training photos as the gallery",
    "leave_one_out": "each test photo against all others of the test split",
}
LISTED = 20  # photos that were left out, in the card


@dataclass(frozen=True)
class Measured:
    """One form of the model on the test split."""

    classes: scores.Classification
    retrieval: Mapping[str, Mapping[str, float]]  # by `GALLERIES`

    def plain(self) -> dict[str, Any]:
        """As JSON knows it."""
        own = asdict(self.classes)
        del own["confusion"], own["classes"]
        per_class = {one.label: asdict(one) for one in self.classes.classes}
        for values in per_class.values():
            del values["label"]
        galleries = {name: dict(values) for name, values in self.retrieval.items()}
        return {
            "accuracy": own.pop("accuracy"),
            "macro": own,
            "classes": per_class,
            "confusion": self.classes.confusion.tolist(),
            "retrieval": galleries,
        }


def measure(samples: Samples, classes: Sequence[str], vectors: np.ndarray, head: np.ndarray) -> Measured:
    """Score (n, dim) embeddings of all samples on the test split; `head` is (classes, dim), rows of length 1."""
    index = {name: place for place, name in enumerate(classes)}
    labels = np.array([index[photo.label] for photo in samples.photos])
    test, train = samples.rows(TEST), samples.rows(TRAIN)
    answered = (vectors[test] @ head.T).argmax(1)
    return Measured(
        scores.classification(labels[test], answered, classes),
        {
            "train_gallery": scores.retrieval(vectors[test], labels[test], vectors[train], labels[train]),
            "leave_one_out": scores.retrieval(vectors[test], labels[test], vectors[test], labels[test], same=True),
        },
    )


def describe(
    *,
    name: str,
    dataset: Dataset,
    bad: Sequence[LeftOut],
    parameters: int,
    training: Mapping[str, Any],
    measured: Measured,
    shipped: Measured,
    decisions: Sequence[Decision],
) -> dict[str, Any]:
    """The whole report: what it learnt from, how, what it scores in float32 and in the form that passed the gate."""
    return {
        "name": name,
        "dataset": {
            "folder": str(dataset.folder),
            "sha256": dataset.digest(),
            "photos": dataset.counts(),
            "validation_taken_from_train": dataset.carved,
            "bad": [asdict(one) for one in bad],
            "repeated": [asdict(one) for one in dataset.left_out],
            "passed_over": [asdict(one) for one in dataset.passed_over],
        },
        "parameters": parameters,
        "training": dict(training),
        **measured.plain(),
        "shipped": {"form": decisions[-1].form, "size_bytes": decisions[-1].size_bytes, **shipped.plain()},
        "gate": [asdict(decision) for decision in decisions],
    }


def card(report: Mapping[str, Any]) -> str:
    """The report in Markdown, the pictures beside it."""
    training, dataset, shipped = report["training"], report["dataset"], report["shipped"]
    teacher = training["teacher"] or "none"
    counts, untested = dataset["photos"], untested_classes(report)
    lines = [
        f"# {report['name']}",
        "",
        f"A compact encoder and classifier of {len(report['classes'])} classes, trained in this home from random "
        f"weights: {report['parameters']:,} parameters, 64 x 64 pixels in, 128 numbers out.",
        "",
        "| | |",
        "|---|---|",
        f"| dataset | {_cell(dataset['folder'])} |",
        f"| photos | {', '.join(f'{sum(of.values())} {split}' for split, of in counts.items())} |",
        f"| left out | {len(dataset['bad'])} that can't be read, {len(dataset['repeated'])} repeated, "
        f"{len(dataset['passed_over'])} no photos of a class |",
        f"| cut out | {'by ' + training['segmenter'] if training['segmenter'] else 'no: whole photos'} |",
        f"| teacher | {teacher} |",
        f"| kept | the weights after `{training['phase']}`; seed {training['seed']}, {training['epochs']} epochs |",
        f"| ships as | {shipped['form']}, {shipped['size_bytes'] / 1e6:.2f} MB |",
        "",
        "## On the test photos",
        "",
        "| | accuracy | precision | recall | F1 |",
        "|---|---|---|---|---|",
        *(
            f"| {words} | {of['accuracy']:.3f} | {of['macro']['precision']:.3f} | {of['macro']['recall']:.3f} | "
            f"{of['macro']['f1']:.3f} |"
            for words, of in (("float32", report), (f"as it ships ({shipped['form']})", shipped))
        ),
        "",
        "Precision, recall and F1 are means over the classes. Same-class retrieval, float32:",
        "",
        "| gallery | top-1 | top-5 | MRR | mAP | queries |",
        "|---|---|---|---|---|---|",
        *(
            f"| {GALLERIES[gallery]} | {of['top_1']:.3f} | {of['top_5']:.3f} | {of['mrr']:.3f} | {of['map']:.3f} | "
            f"{of['queries']} |"
            for gallery, of in report["retrieval"].items()
        ),
        "",
        "| # | class | precision | recall | F1 | test photos |",
        "|---|---|---|---|---|---|",
        *(
            f"| {number} | {_cell(label)} | {_scores(of)} | {of['photos']} |"
            for number, (label, of) in enumerate(report["classes"].items(), 1)
        ),
        "",
        *([f"No test photo: {', '.join(untested)}; the means are over the others.", ""] if untested else []),
        "![which class was taken for which](confusion.png)",
        "",
        "## The training",
        "",
        "| phase | best epoch | of | validation accuracy | validation top-1 |",
        "|---|---|---|---|---|",
        *(
            f"| {phase} | {best['epoch'] + 1} | {best['of']} | {best['accuracy']:.3f} | {best['top_1']:.3f} |"
            for phase, best in training["best"].items()
        ),
        "",
        "![curves](curves.png)",
        *_left_out(dataset),
    ]
    return "\n".join(lines) + "\n"


def untested_classes(report: Mapping[str, Any]) -> list[str]:
    """The classes that have no test photo, so that nothing is known of them."""
    return [label for label, of in report["classes"].items() if not of["photos"]]


def _scores(of: Mapping[str, float]) -> str:
    return " | ".join(f"{of[name]:.3f}" if of["photos"] else "–" for name in ("precision", "recall", "f1"))


def _cell(words: str) -> str:
    return words.replace("|", "\\|").replace("\n", " ")


def _left_out(dataset: Mapping[str, Any]) -> list[str]:
    every = [*dataset["bad"], *dataset["repeated"], *dataset["passed_over"]]
    told = [f"- `{one['file']}`: {one['reason']}" for one in every]
    if not told:
        return []
    more = [f"- and {len(told) - LISTED} more: report.json has them all"] if len(told) > LISTED else []
    return ["", "## Left out", "", *told[:LISTED], *more]
