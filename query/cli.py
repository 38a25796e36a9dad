"""`python -m query`: the commands of the search that ships, which `lookbook` mounts too. They never load Dagster."""

import click

from query.command_line import Folder, bundle_folder, fail
from query.search_command import search

__all__ = ["Folder", "bundle_folder", "fail", "main", "search"]


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Search a Lookbook bundle, as the phone does."""


main.add_command(search)
