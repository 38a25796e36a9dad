"""The jobs that people run by name."""

import dagster as dg

build_job = dg.define_asset_job(
    "build", selection=dg.AssetSelection.all(), description="Everything, from the feed to the benchmark."
)
