"""Automation conditions: what somebody materialised or changed is carried on, without waiting for the schedule.

Off unless lookbook.toml's [refresh] says `automation = true`. It sees what happens while it watches; what it missed (a
change of code before its first look, a stage that failed) is stale, and the next refresh builds it.
"""

import warnings
from collections.abc import Callable

import dagster as dg
from dagster._core.asset_graph_view.entity_subset import EntitySubset
from dagster._core.definitions.declarative_automation.operands.subset_automation_condition import (
    SubsetAutomationCondition,
)
from dagster._record import record

from dagster_project import refreshing
from dagster_project.staleness import next_to_build
from resources.settings import Settings


@record
class NextToBuild(SubsetAutomationCondition[dg.AssetKey]):
    """Stale, with nothing stale above, and no refresh queued or running, which would build it anyway.

    Dagster's own conditions look at direct dependencies: a bundle would be built as soon as titles have changed, and
    once more when the vectors of the new photos have come.
    """

    definitions: Callable[[], dg.Definitions]

    @property
    def name(self) -> str:
        """What the UI shows."""
        return "next_to_build"

    def compute_subset(self, context: dg.AutomationContext[dg.AssetKey]) -> EntitySubset[dg.AssetKey]:
        """All candidates, or none."""
        instance = context.asset_graph_view.instance
        if refreshing.is_unfinished(instance) or context.key not in next_to_build(self.definitions(), instance):
            return context.get_empty_subset()
        return context.candidate_subset


def build_when_changed(definitions: Callable[[], dg.Definitions]) -> dg.AutomationCondition[dg.AssetKey]:
    """Missing, new code, or other data upstream, since it was last handled; and nothing above still to come.

    Not `AutomationCondition.eager()`: that builds after every run upstream, though the data came out the same, and does
    not see new code.
    """
    condition = dg.AutomationCondition
    changed = (
        condition.newly_missing()
        | condition.code_version_changed()
        | condition.any_deps_match(condition.data_version_changed())
    )
    return (
        changed.since_last_handled()
        & ~condition.in_progress()
        & ~condition.any_deps_in_progress()
        & NextToBuild(definitions=definitions)
    )


def automation_sensor(settings: Settings) -> dg.AutomationConditionSensorDefinition:
    """The sensor that looks at the conditions."""
    on = settings.refresh.automation
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)  # Dagster's own, on `use_user_code_server`
        return dg.AutomationConditionSensorDefinition(
            "automation",
            target=dg.AssetSelection.all(),
            use_user_code_server=True,  # NextToBuild is ours
            default_status=dg.DefaultSensorStatus.RUNNING if on else dg.DefaultSensorStatus.STOPPED,
            run_tags={refreshing.STARTED_BY: "automation", refreshing.PROFILE: refreshing.profile_tag(settings)},
            description="Builds what lies below an asset whose data or code changed; off unless lookbook.toml says so.",
        )
