"""`python -m query`: the commands of the search that ships, which `lookbook` mounts too. They never load Dagster."""

import click

from query.bench_command import bench
from query.command_line import Folder, bundle_folder, fail
from query.completion import completion
from query.search_command import search
from query.serve_command import serve

__all__ = ["Folder", "bench", "bundle_folder", "completion", "fail", "main", "search", "serve"]


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Search a Lookbook bundle, as the phone does."""


main.add_command(search)
main.add_command(bench)
main.add_command(serve)
main.add_command(completion)
