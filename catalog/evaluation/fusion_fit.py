"""Weights of the parts of a score, fitted on queries whose answer is known: convex, and pulled to a prior.

How many parts there are, and what they are, is the caller's: arrays in, weights out.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, minimize

from catalog.errors import LookbookError

SHARPNESS = 20.0  # a candidate that leads by 0.05 of the score is e times as likely to be taken for the first
PRIOR_QUERIES = 10.0  # that the prior stands for: the fewer queries there are, the nearer the weights stay to it


@dataclass(frozen=True)
class Candidates:
    """What one query could have found."""

    parts: np.ndarray  # (n, parts) float: every part of each candidate's score, on one scale
    relevant: np.ndarray  # (n,) bool
    group: Hashable  # product or sender: queries of one group are left out together

    @property
    def says_something(self) -> bool:
        """Is there something to prefer, and something to prefer it to?"""
        return bool(self.relevant.any() and not self.relevant.all())


def fit(queries: Sequence[Candidates], prior: Sequence[float]) -> np.ndarray:
    """The convex weights, (parts,) float64, each at least 0 and their sum 1, under which right candidates lead most.

    The loss of a query is the softmax cross-entropy of each relevant candidate among itself and those that are not
    relevant, of scores `SHARPNESS * parts @ weights`; to the mean of all comes half the squared distance from the
    prior, as heavy as `PRIOR_QUERIES` queries. It is strictly convex: there is one answer, wherever the search starts.
    Raises: LookbookError where no query has both a right and a wrong candidate.
    """
    return _solve(_Pairs.of(queries), np.asarray(prior, np.float64))


def leave_one_group_out(queries: Sequence[Candidates], prior: Sequence[float]) -> list[np.ndarray]:
    """For every query the weights that are fitted on the queries of all other groups: it had no say in them.

    Raises: LookbookError where a fit without some group has no query left that says something.
    """
    fitted: dict[Hashable, np.ndarray] = {}
    start = np.asarray(prior, np.float64)
    pairs = _Pairs.of(queries)
    for query in queries:
        if query.group not in fitted:
            fitted[query.group] = _solve(pairs.without(query.group), start)
    return [fitted[query.group] for query in queries]


@dataclass(frozen=True)
class _Pairs:
    """For each relevant candidate, by how much every wrong one leads it in each part; padded to one length."""

    leads: np.ndarray  # (m, most wrong ones, parts)
    there: np.ndarray  # (m, most wrong ones) bool
    share: np.ndarray  # (m,) of a query that a relevant candidate of it stands for
    groups: tuple[Hashable, ...]  # (m,)

    @classmethod
    def of(cls, queries: Sequence[Candidates]) -> "_Pairs":
        chosen = [query for query in queries if query.says_something]
        if not chosen:
            return cls(np.zeros((0, 0, 0)), np.zeros((0, 0), bool), np.zeros(0), ())
        rows = [
            (query.parts[~query.relevant] - right, 1 / query.relevant.sum(), query.group)
            for query in chosen
            for right in query.parts[query.relevant]
        ]
        leads = np.zeros((len(rows), max(len(lead) for lead, _, _ in rows), chosen[0].parts.shape[1]))
        there = np.zeros(leads.shape[:2], bool)
        for place, (lead, _, _) in enumerate(rows):
            leads[place, : len(lead)] = lead
            there[place, : len(lead)] = True
        return cls(leads, there, np.array([share for _, share, _ in rows]), tuple(group for _, _, group in rows))

    def without(self, group: Hashable) -> "_Pairs":
        kept = np.array([other != group for other in self.groups], bool)
        groups = tuple(other for other in self.groups if other != group)
        return _Pairs(self.leads[kept], self.there[kept], self.share[kept], groups)

    def loss(self, weights: np.ndarray) -> tuple[float, np.ndarray]:
        """Mean cross-entropy, and its gradient."""
        scores = np.where(self.there, SHARPNESS * (self.leads @ weights), -np.inf)
        most = np.maximum(scores.max(axis=1), 0.0)
        powers = np.exp(scores - most[:, None])
        total = powers.sum(axis=1) + np.exp(-most)
        share = self.share / self.share.sum()
        gradient = SHARPNESS * np.einsum("m,mn,mnp->p", share / total, powers, self.leads)
        return float(share @ (most + np.log(total))), gradient


def _solve(pairs: _Pairs, prior: np.ndarray) -> np.ndarray:
    if not len(pairs.share):
        raise LookbookError(
            "no weights can be fitted: no query has both its right answer and a wrong one among the candidates; "
            "name more labelled query photos under [queries] in the feed's description, of several products"
        )
    pull = PRIOR_QUERIES / float(pairs.share.sum())

    def objective(weights: np.ndarray) -> tuple[float, np.ndarray]:
        loss, gradient = pairs.loss(weights)
        away = weights - prior
        return loss + pull / 2 * float(away @ away), gradient + pull * away

    found = minimize(
        objective,
        prior,
        jac=True,
        method="SLSQP",
        bounds=Bounds(np.zeros(len(prior)), np.ones(len(prior))),
        constraints=LinearConstraint(np.ones((1, len(prior))), 1, 1),
        options={"maxiter": 200, "ftol": 1e-10},
    )
    if not found.success:
        raise LookbookError(f"the weights' fit did not end well: {found.message}; report it, with the queries")
    weights = np.clip(found.x, 0, 1)
    return np.asarray(weights / weights.sum(), np.float64)
