"""The one Dagster code location, and the `lookbook` command."""
