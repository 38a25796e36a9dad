"""What the modules of the `lookbook` command share: the option --home, and errors as one line. It loads click only."""

from collections.abc import Callable

import click

from catalog.errors import LookbookError
from dagster_project import disk_faults
from query import cli as query_cli

home_option = click.option(
    "--home",
    type=query_cli.Folder(),
    metavar="DIR",
    help="The shop's folder.  [default: LOOKBOOK_HOME, or the checkout]",
)


def one_line(run: Callable[[], object]) -> None:
    """Run a command; an error that a user can mend is one line and exit code 1."""
    try:
        run()
    except LookbookError as error:
        query_cli.fail(str(error))
    except OSError as error:
        query_cli.fail(disk_faults.words(error))
    except KeyboardInterrupt:
        query_cli.fail("interrupted; what was finished is kept, run it again to go on")
    except Exception as error:
        told = disk_faults.told(error)
        if told is None:
            raise
        query_cli.fail(str(told))
