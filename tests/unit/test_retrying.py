"""What a stage is tried again after, and what not; in real runs of Dagster."""

import errno

import dagster as dg
import httpx
import pytest

from assets import retrying
from catalog.errors import FeedError

BROKEN_SHARE = OSError(errno.ESTALE, "Stale file handle")
FULL_DISK = OSError(errno.ENOSPC, "No space left on device")


@pytest.fixture(autouse=True)
def no_pause(monkeypatch):
    monkeypatch.setattr(retrying, "FIRST_PAUSE_S", 0.01)


def tries(error: BaseException, times: int = 99) -> tuple[bool, int]:
    """Whether a stage came through that fails so many times, and how often it was tried."""
    tried = []

    @dg.asset
    @retrying.retried
    def stage(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        """Reads its feed."""
        tried.append(context.retry_number)
        if len(tried) <= times:
            raise error
        return dg.MaterializeResult(metadata={"tries": len(tried)})

    return dg.materialize([stage], raise_on_error=False).success, len(tried)


def caused_by(cause: Exception) -> FeedError:
    error = FeedError("feed.csv: can't be read")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    "error",
    [BROKEN_SHARE, TimeoutError(errno.ETIMEDOUT, "timed out"), httpx.ConnectError("refused"), caused_by(BROKEN_SHARE)],
    ids=repr,
)
def test_what_can_pass_is_tried_again(error):
    assert tries(error, times=2) == (True, 3)


def test_but_not_for_ever():
    assert tries(BROKEN_SHARE) == (False, 1 + retrying.MOST_RETRIES)


@pytest.mark.parametrize(
    "error",
    [FeedError("feed.csv: no such feed"), FULL_DISK, PermissionError(errno.EACCES, "denied"), ValueError("a bug")],
    ids=repr,
)
def test_what_a_person_must_mend_is_not(error):
    assert tries(error, times=1) == (False, 1)


def test_an_interrupted_stage_is_not():
    """Dagster's own RetryPolicy would run it again."""
    tried = []

    @dg.asset
    @retrying.retried
    def stage() -> None:
        tried.append(1)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        dg.materialize([stage])
    assert tried == [1]


def test_a_retried_stage_is_the_asset_it_wraps():
    """Its name, words and resources."""

    class Shop(dg.ConfigurableResource):
        name: str

    @dg.asset
    @retrying.retried
    def raw_catalog(shop: Shop) -> dg.MaterializeResult:
        """The shop's feed."""
        return dg.MaterializeResult(metadata={"shop": shop.name})

    done = dg.materialize([raw_catalog], resources={"shop": Shop(name="hats")})
    (made,) = done.asset_materializations_for_node("raw_catalog")
    assert made.metadata["shop"].value == "hats"
    assert raw_catalog.descriptions_by_key[dg.AssetKey("raw_catalog")] == "The shop's feed."
