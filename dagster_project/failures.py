"""What stopped a run, in one line a person can act on: from an exception, or from what Dagster recorded of the run."""

from collections.abc import Iterator
from dataclasses import dataclass

import dagster as dg
from dagster._core.errors import DagsterAssetCheckFailedError, DagsterExecutionStepExecutionError
from dagster_shared.error import SerializableErrorInfo

from catalog.errors import LookbookError
from dagster_project import disk_faults

MOST_LETTERS = 600
ASSET = "asset"  # in a failure's metadata: the asset of a part
THE_UI = "`lookbook dev`"
SEE_CHECKS = f"(its numbers: {THE_UI}, the asset's Checks; `lookbook rejected` lists what was wrong with single photos)"


def mendable(error: BaseException) -> LookbookError:
    """The one line of what stopped a run in this process."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, LookbookError):
            return cause
        cause = cause.__cause__ or (
            cause.user_exception if isinstance(cause, DagsterExecutionStepExecutionError) else None
        )
    if told := disk_faults.told(error):
        return told
    text = " ".join(str(error).split())[:MOST_LETTERS]
    if isinstance(error, DagsterAssetCheckFailedError):
        return LookbookError(f"a blocking check failed, the build stopped there: {text} {SEE_CHECKS}")
    return LookbookError(f"{type(error).__name__}: {text} (the whole of it: {THE_UI}, Runs)")


@dataclass(frozen=True)
class Failed:
    """What a recorded run failed at."""

    asset: str  # the asset or op whose step failed; "" where the run itself was lost
    line: str


def recorded(instance: dg.DagsterInstance, run: dg.DagsterRun, otherwise: str = "") -> Failed:
    """What failed in a run that has ended, by its events; `otherwise` is said where no step failed."""
    for entry in instance.all_logs(run.run_id, of_type=dg.DagsterEventType.STEP_FAILURE):
        event = entry.dagster_event
        if event is None or (error := event.step_failure_data.error) is None:
            continue
        told = event.step_failure_data.user_failure_data
        if told is not None and told.description:
            named = told.metadata.get(ASSET)
            return Failed(str(named.value) if named else "", told.description[:MOST_LETTERS])
        if refused := _failed_check(instance, run, event.step_key):
            return refused
        return Failed((event.step_key or "").partition(".")[0], _line(error))
    return Failed(asset="", line=" ".join(otherwise.split()) or "the run ended without a word: see its log")


def of_part(instance: dg.DagsterInstance, tags: dict[str, str], error: LookbookError) -> dg.Failure:
    """The failure of a run one of whose parts, tagged so, failed: which asset, and the one line. It is not retried."""
    parts = instance.get_runs(dg.RunsFilter(tags=tags, statuses=[dg.DagsterRunStatus.FAILURE]), limit=1)
    asset = recorded(instance, parts[0]).asset if parts else ""
    return dg.Failure(
        description=str(error),
        metadata={ASSET: asset, "failed_run": parts[0].run_id if parts else ""},
        allow_retries=False,
    )


def _failed_check(instance: dg.DagsterInstance, run: dg.DagsterRun, step_key: str | None) -> Failed | None:
    """The asset whose blocking check failed in a step; None where the step failed otherwise."""
    for entry in instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION):
        event = entry.dagster_event
        if event is None or event.step_key != step_key:
            continue
        check = event.asset_check_evaluation_data
        if check.blocking and not check.passed:
            why = check.description or f"its numbers are on the asset's Checks in {THE_UI}"
            return Failed(check.asset_key.to_user_string(), f"blocking check {check.check_name} failed: {why}")
    return None


def _line(error: SerializableErrorInfo) -> str:
    """The message that was meant for people, of an error and what caused it; else the innermost one's."""
    chain = list(_causes(error))
    names = {kind.__name__ for kind in _kinds(LookbookError)} | {"Failure"}
    chosen = next((one for one in chain if one.cls_name in names), chain[-1])
    text = chosen.message.strip()
    kind, colon, rest = text.partition(": ")
    return " ".join((rest if colon and " " not in kind and chosen.cls_name in names else text).split())[:MOST_LETTERS]


def _causes(error: SerializableErrorInfo) -> Iterator[SerializableErrorInfo]:
    one: SerializableErrorInfo | None = error
    while one is not None:
        yield one
        one = one.cause


def _kinds(base: type[Exception]) -> Iterator[type[Exception]]:
    yield base
    for kind in base.__subclasses__():
        yield from _kinds(kind)
