"""Automation conditions on a graph with a short and a long way to the bundle: each asset is built once a change."""

import dagster as dg
import pytest

from dagster_project.automation import build_when_changed
from dagster_project.refreshing import REFRESH


class Shop:
    """raw_catalog -> photos -> bundle, and raw_catalog -> bundle, as titles go there."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self.instance = instance
        self.data = dict.fromkeys(("raw_catalog", "photos", "bundle"), "1")
        self.photos_code = "1"
        self.cursor = None

    def definitions(self) -> dg.Definitions:
        condition = build_when_changed(self.definitions)

        def asset(name: str, deps: list[str], code: str = "1") -> dg.AssetsDefinition:
            @dg.asset(name=name, deps=deps, code_version=code, automation_condition=condition)
            def made() -> dg.MaterializeResult:
                return dg.MaterializeResult(data_version=dg.DataVersion(self.data[name]))

            return made

        return dg.Definitions(
            assets=[
                asset("raw_catalog", []),
                asset("photos", ["raw_catalog"], self.photos_code),
                asset("bundle", ["raw_catalog", "photos"]),
            ]
        )

    def tick(self) -> set[str]:
        """What one look asks for."""
        result = dg.evaluate_automation_conditions(self.definitions(), self.instance, cursor=self.cursor)
        self.cursor = result.cursor
        asked = {name for name in self.data if result.get_num_requested(dg.AssetKey(name))}
        return asked

    def build(self, *names: str) -> None:
        job = self.definitions().resolve_implicit_global_asset_job_def()
        assert job.execute_in_process(instance=self.instance, asset_selection=[dg.AssetKey(n) for n in names]).success

    def carry_on(self) -> list[set[str]]:
        """Look and build until two looks ask for nothing."""
        asked: list[set[str]] = []
        while asked[-2:] != [set(), set()]:
            asked.append(self.tick())
            if asked[-1]:
                self.build(*asked[-1])
        return [names for names in asked if names]


@pytest.fixture
def shop():
    with dg.DagsterInstance.ephemeral() as instance:
        shop = Shop(instance)
        shop.build("raw_catalog", "photos", "bundle")
        assert shop.carry_on() == []
        yield shop


def test_other_data_are_carried_on_and_the_bundle_is_built_once(shop):
    """Not as soon as the titles have changed, and once more when the photos have come."""
    shop.data = {"raw_catalog": "2", "photos": "2", "bundle": "2"}
    shop.build("raw_catalog")
    assert shop.carry_on() == [{"photos"}, {"bundle"}]


def test_equal_data_stop_it(shop):
    shop.build("raw_catalog")
    assert shop.carry_on() == []


def test_the_short_way_alone_is_enough(shop):
    """Photos come out the same; the bundle has other titles."""
    shop.data["raw_catalog"] = "2"
    shop.build("raw_catalog")
    assert shop.carry_on() == [{"photos"}, {"bundle"}]


def test_new_code_is_built(shop):
    shop.photos_code = "2"
    assert shop.carry_on() == [{"photos"}]


def test_nothing_is_built_twice_beside_a_refresh(shop):
    """While one is queued or runs it is left to it; what it has built is not asked for again."""
    shop.data["raw_catalog"] = "2"
    shop.build("raw_catalog")
    refresh = dg.DagsterRun(job_name=REFRESH, run_id="r", status=dg.DagsterRunStatus.NOT_STARTED)
    shop.instance.add_run(refresh)
    assert shop.carry_on() == []
    shop.build("photos", "bundle")
    shop.instance.report_run_canceled(refresh)
    assert shop.carry_on() == []


def test_what_a_refresh_left_is_carried_on(shop):
    shop.data["raw_catalog"] = "2"
    shop.build("raw_catalog")
    refresh = dg.DagsterRun(job_name=REFRESH, run_id="r", status=dg.DagsterRunStatus.NOT_STARTED)
    shop.instance.add_run(refresh)
    assert shop.carry_on() == []
    shop.instance.report_run_canceled(refresh)
    assert shop.carry_on() == [{"photos"}, {"bundle"}]
