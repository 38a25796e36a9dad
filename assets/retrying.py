"""Tries a stage again after what can pass: a share that was away, a connection that broke. Nothing else is retried.

Not Dagster's RetryPolicy: that also repeats what only a person can mend, and what a person has just interrupted.
"""

import errno
import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import dagster as dg
import httpx

MOST_RETRIES = 3
FIRST_PAUSE_S = 5.0  # then 20, then 80
# Of a network share, a disk or the network. A full disk (ENOSPC) and missing rights are for a person to mend.
PASSING = {
    errno.EIO, errno.ESTALE, errno.EAGAIN, errno.EBUSY, errno.ETIMEDOUT, errno.ECONNRESET, errno.ECONNREFUSED,
    errno.ECONNABORTED, errno.ENETDOWN, errno.ENETUNREACH, errno.ENETRESET, errno.EHOSTDOWN, errno.EHOSTUNREACH,
    errno.EPIPE,
}  # fmt: skip

P = ParamSpec("P")
R = TypeVar("R")


def retried(stage: Callable[P, R]) -> Callable[P, R]:
    """Wrap the function of an asset, below `@dg.asset`: it asks Dagster for another try when its error can pass."""

    @functools.wraps(stage)
    def tried(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return stage(*args, **kwargs)
        except Exception as error:
            if not can_pass(error):
                raise
            pause_s = FIRST_PAUSE_S * 4 ** dg.AssetExecutionContext.get().retry_number
            raise dg.RetryRequested(max_retries=MOST_RETRIES, seconds_to_wait=pause_s) from error

    return tried


def can_pass(error: BaseException | None) -> bool:
    """Whether an error, or what caused it, is one that may be gone in a minute."""
    while error is not None:
        if isinstance(error, httpx.TransportError) or (isinstance(error, OSError) and error.errno in PASSING):
            return True
        error = error.__cause__
    return False
