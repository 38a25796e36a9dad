"""What a benchmark is compared with: the last run of another bundle, over the queries that both asked."""

import shutil

import pytest

from assets import benchmark_history
from resources.data_lake import DataLake


@pytest.fixture
def lake(tmp_path):
    return DataLake(root=str(tmp_path / "data_lake"), home=str(tmp_path))


def rows(bundle_version: str, found: dict[str, float]) -> list[dict]:
    """A run's rows: a query a photo, by the full score and by another way that no comparison looks at."""
    return [
        {
            "product_id": f"p{photo}", "variant": "", "image_index": 0, "photo": photo, "score": score,
            "bundle_version": bundle_version, "measures": ["success@1"], "values": [value],
        }
        for photo, first in found.items()
        for score, value in (("full score", first), ("semantic only", 0.5))
    ]  # fmt: skip


def remember(lake: DataLake, bundle_version: str, found: dict[str, float]):
    return benchmark_history.remember(lake, bundle_version, rows(bundle_version, found))


def test_a_run_is_compared_with_the_bundle_before(lake):
    """Photo a was found and is not any more, b came, c went, d is as it was: two queries in common, one worse."""
    assert remember(lake, "v1", {"a": 1, "c": 1, "d": 1}) is None
    change = remember(lake, "v2", {"a": 0, "b": 0, "d": 1})
    assert change.bundle_version == "v1"
    assert (change.differences["success@1"].mean, change.differences["success@1"].queries) == (-0.5, 2)


def test_the_same_bundle_measured_again_keeps_what_it_is_compared_with(lake):
    """Also where a query was added meanwhile; and the third bundle is compared with the second."""
    remember(lake, "v1", {"a": 0, "b": 0})
    first = remember(lake, "v2", {"a": 1, "b": 1})
    kept = lake.table("benchmark_values_before").read_bytes()
    assert remember(lake, "v2", {"a": 1, "b": 1}) == first
    assert remember(lake, "v2", {"a": 1, "b": 1, "c": 1}) == first
    assert lake.table("benchmark_values_before").read_bytes() == kept
    assert remember(lake, "v3", {"a": 1, "b": 1, "c": 1}).bundle_version == "v2"


def test_a_run_killed_between_its_two_tables_is_made_up_for(lake, tmp_path):
    """The earlier rows had been put aside, the new ones not written yet: asked again, it comes out the same."""
    remember(lake, "v1", {"a": 0})
    standing = lake.table("benchmark_values").read_bytes()
    whole = remember(lake, "v2", {"a": 1})
    shutil.copy(lake.table("benchmark_values_before"), tmp_path / "aside")
    lake.table("benchmark_values").write_bytes(standing)
    assert remember(lake, "v2", {"a": 1}) == whole
    assert lake.table("benchmark_values_before").read_bytes() == (tmp_path / "aside").read_bytes()


def test_same_rows_same_bytes(lake):
    """The tables are artefacts like any other."""
    remember(lake, "v1", {"a": 0, "b": 1})
    first = lake.table("benchmark_values").read_bytes()
    remember(lake, "v1", {"a": 0, "b": 1})
    assert lake.table("benchmark_values").read_bytes() == first


@pytest.mark.parametrize("damaged", ["benchmark_values", "benchmark_values_before"])
def test_a_damaged_table_stops_no_benchmark(lake, damaged):
    """It can't be made again; what can be compared is."""
    remember(lake, "v1", {"a": 0})
    remember(lake, "v2", {"a": 1})
    lake.table(damaged).write_bytes(b"PAR1 cut short")
    change = remember(lake, "v3", {"a": 0})
    assert change.bundle_version == ("v1" if damaged == "benchmark_values" else "v2")


def test_no_common_query_is_no_comparison(lake):
    """A run without any query is passed over: the next is compared with the last that measured something."""
    remember(lake, "v1", {"a": 0})
    assert remember(lake, "v2", {"b": 1}) is None
    assert remember(lake, "v3", {}) is None
    assert remember(lake, "v4", {"b": 1}).bundle_version == "v2"
