"""Dagster's pools that stages stand in: how many runs with a stage of a pool may go on at once is in dagster.yaml."""

HEAVY = "heavy"  # takes all cores, or much of the memory
