"""What `build --stale` runs next, by what Dagster has on record of small graphs that are nothing but versions."""

import time
from collections.abc import Callable

import dagster as dg
import pytest

from dagster_project.refusals import said_since
from dagster_project.staleness import next_to_build


@pytest.fixture
def instance():
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def chain(codes: dict[str, str], data: dict[str, str]) -> dg.Definitions:
    """photos -> masks -> crops, each with the code version and the data version that are given."""

    def asset(name: str, deps: list[str]) -> dg.AssetsDefinition:
        @dg.asset(name=name, deps=deps, code_version=codes[name])
        def made() -> dg.MaterializeResult:
            return dg.MaterializeResult(data_version=dg.DataVersion(data[name]))

        return made

    return dg.Definitions(assets=[asset("photos", []), asset("masks", ["photos"]), asset("crops", ["masks"])])


def names(keys: list[dg.AssetKey]) -> list[str]:
    return [key.to_user_string() for key in keys]


def run(definitions: dg.Definitions, instance: dg.DagsterInstance, selected: list[str]) -> None:
    assets = [a for a in definitions.assets or [] if isinstance(a, dg.AssetsDefinition)]
    assert dg.materialize(assets, selection=selected, instance=instance).success


ALL = ["photos", "masks", "crops"]
FIRST = dict.fromkeys(ALL, "1")


def test_everything_that_is_missing_runs_at_once_upstream_first(instance):
    assert names(next_to_build(chain(FIRST, FIRST), instance)) == ALL


def test_nothing_runs_when_all_is_fresh(instance):
    run(chain(FIRST, FIRST), instance, ALL)
    assert next_to_build(chain(FIRST, FIRST), instance) == []


def test_new_code_runs_alone_and_equal_data_stop_the_wave(instance):
    run(chain(FIRST, FIRST), instance, ALL)
    changed = chain({**FIRST, "masks": "2"}, FIRST)
    assert names(next_to_build(changed, instance)) == ["masks"]
    run(changed, instance, ["masks"])
    assert next_to_build(changed, instance) == []


def test_other_data_make_the_next_asset_stale(instance):
    run(chain(FIRST, FIRST), instance, ALL)
    changed = chain({**FIRST, "photos": "2"}, {**FIRST, "photos": "2"})
    assert names(next_to_build(changed, instance)) == ["photos"]
    run(changed, instance, ["photos"])
    assert names(next_to_build(changed, instance)) == ["masks"]


def test_a_run_that_failed_is_to_be_run_again(instance):
    """The asset that failed has no record of its own, so it is missing, and all that is not fresh comes with it."""

    @dg.asset(name="photos", code_version="1")
    def broken() -> None:
        raise RuntimeError("the disk is full")

    failed = dg.materialize([broken], instance=instance, raise_on_error=False)
    assert not failed.success
    assert "photos" in names(next_to_build(chain(FIRST, FIRST), instance))


def guarded(outcome: Callable[[], bool]) -> dg.Definitions:
    """photos, whose blocking check does what is given."""

    @dg.asset(name="photos", code_version="1")
    def made() -> dg.MaterializeResult:
        return dg.MaterializeResult(data_version=dg.DataVersion("1"))

    @dg.asset_check(asset="photos", blocking=True)
    def check_photos() -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=outcome(), description="too few")

    return dg.Definitions(assets=[made], asset_checks=[check_photos])


def killed() -> bool:
    raise KeyboardInterrupt  # as a kill does, it leaves a check that was to run and did not


@pytest.mark.parametrize(
    ("outcome", "said"),
    [(lambda: False, "too few"), (killed, ""), (lambda: 1 / 0 > 0, "")],
    ids=["failed", "killed", "broken"],
)
def test_an_asset_whose_blocking_check_has_not_passed_is_held_back(instance, outcome, said):
    """Until it passes. What it said is told, of checks that failed since."""
    assert run_guarded(guarded(lambda: True), instance)
    assert next_to_build(guarded(lambda: True), instance) == []
    before = time.time()
    assert not run_guarded(guarded(outcome), instance)
    held = guarded(outcome)
    assert names(next_to_build(held, instance)) == ["photos"]
    photos = [dg.AssetKey("photos")]
    assert said_since(held, instance, photos, before) == said
    assert said_since(held, instance, photos, time.time() + 1) == ""
    assert run_guarded(guarded(lambda: True), instance)
    assert next_to_build(held, instance) == []


def test_a_check_that_is_still_to_come_in_the_run_that_asks_has_not_failed(instance):
    """It holds back for everybody else."""
    assert not run_guarded(guarded(killed), instance)
    (run,) = instance.get_runs(limit=1)
    held = guarded(killed)
    assert next_to_build(held, instance, asked_in=run.run_id) == []
    assert names(next_to_build(held, instance, asked_in="another")) == ["photos"]


def run_guarded(definitions: dg.Definitions, instance: dg.DagsterInstance) -> bool:
    """Everything in one run; whether it went well."""
    job = definitions.resolve_implicit_global_asset_job_def()
    try:
        return job.execute_in_process(instance=instance).success
    except (dg.DagsterError, ArithmeticError, KeyboardInterrupt):
        return False


def test_what_nothing_is_built_from_comes_last(instance):
    """A report beside the masks waits for the crops, though it is ready before them."""

    def with_report(data: dict[str, str]) -> dg.Definitions:
        @dg.asset(deps=["photos"], code_version="1")
        def report() -> dg.MaterializeResult:
            return dg.MaterializeResult(data_version=dg.DataVersion(data["photos"]))

        return dg.Definitions(assets=[*(chain(FIRST, data).assets or []), report])

    run(with_report(FIRST), instance, [*ALL, "report"])
    changed = dict.fromkeys(ALL, "2")
    run(with_report(changed), instance, ["photos"])
    assert names(next_to_build(with_report(changed), instance)) == ["masks"]
    run(with_report(changed), instance, ["masks"])
    assert sorted(names(next_to_build(with_report(changed), instance))) == ["crops", "report"]
