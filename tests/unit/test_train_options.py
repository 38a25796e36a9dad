"""What `lookbook train` refuses before anything is read."""

import pytest
from click.testing import CliRunner

from dagster_project.train_commands import train


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--minutes", "nan"], "nan is no number of minutes"),
        (["--minutes", "inf"], "inf is not in the range"),
        (["--minutes", "0"], "0.0 is not in the range"),
        (["--seed", "99999999999999999999"], "99999999999999999999 is not in the range"),
        (["--seed", "-1"], "-1 is not in the range"),
        (["--minutes", "3", "--epochs", "3"], "--minutes and --epochs exclude each other"),
    ],
)
def test_numbers_that_cant_be_are_refused(tmp_path, options, told):
    done = CliRunner().invoke(train, [str(tmp_path), *options])
    assert done.exit_code == 2
    assert told in done.output
