"""What the compact network is pulled by: classes, a teacher, and the metric losses. Import inside functions (torch)."""

import torch
import torch.nn.functional as F
from torch import Tensor

SMOOTHING = 0.1
TRIPLET_MARGIN = 0.2  # of cosines
TEMPERATURE = 0.1  # of the supervised contrast


def smoothed(labels: Tensor, class_count: int) -> Tensor:
    """(n, classes) targets that sum to 1: the label's place has all but `SMOOTHING`, which all share."""
    return F.one_hot(labels, class_count).float() * (1 - SMOOTHING) + SMOOTHING / class_count


def cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """Of (n, classes) logits with (n, classes) targets."""
    return -(targets * logits.log_softmax(1)).sum(1).mean()


def towards(embedding: Tensor, teacher: Tensor) -> Tensor:
    """How far (n, dim) vectors point from the teacher's, 0 where they agree; (n,) -> their mean."""
    return (1 - F.cosine_similarity(embedding, teacher)).mean()


def semi_hard_triplet(embedding: Tensor, labels: Tensor) -> Tensor:
    """Triplet loss over every (anchor, positive) pair of a batch with its semi-hard negative.

    `embedding` (n, dim) of length 1. The negative is the nearest one that is still farther than the positive; where
    there is none, the farthest. Source: Schroff, Kalenichenko, Philbin, "FaceNet", 2015, section 3.2.
    """
    cosines = embedding @ embedding.T
    same = labels[:, None] == labels[None]
    anchors, positives = torch.nonzero(same & ~torch.eye(len(labels), dtype=torch.bool), as_tuple=True)
    if not len(anchors) or bool(same.all()):
        return embedding.sum() * 0
    wanted = cosines[anchors, positives]
    others = cosines[anchors].masked_fill(same[anchors], -2.0)  # a cosine is never under -1
    farther = others.masked_fill(others >= wanted[:, None], -2.0)
    nearest = farther.max(1).values
    easiest = cosines[anchors].masked_fill(same[anchors], 2.0).min(1).values
    negative = torch.where(nearest > -1.5, nearest, easiest)
    return F.relu(TRIPLET_MARGIN - wanted + negative).mean()


def supervised_contrast(embedding: Tensor, labels: Tensor) -> Tensor:
    """Every pair of a class against all others of the batch. Source: Khosla et al., 2020, equation 2."""
    itself = torch.eye(len(labels), dtype=torch.bool)
    log_share = (embedding @ embedding.T / TEMPERATURE).masked_fill(itself, -1e4).log_softmax(1)
    same = (labels[:, None] == labels[None]) & ~itself
    counts = same.sum(1)
    paired = counts > 0
    if not bool(paired.any()):
        return embedding.sum() * 0
    mean = (log_share * same).sum(1)[paired] / counts[paired]
    return -mean.mean()


METRIC_LOSSES = {"triplet": semi_hard_triplet, "supervised_contrast": supervised_contrast}
