"""Completion in a real, interactive bash: commands, options, and the bundle's own categories and brands."""

import os
import pty
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import BuiltShop

CLEAR_LINE, BELL = "\x15", "\x07"


@pytest.fixture(scope="module")
def complete(built_shop: BuiltShop) -> Iterator[Callable[[str, str], str]]:
    """Types a line and a tab into a bash that has sourced the completion; waits until a text is there."""
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("no bash on this machine")
    outer, inner = pty.openpty()
    environment = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(built_shop.home),
        "LOOKBOOK_HOME": str(built_shop.home),
        "TERM": "dumb",
        "PS1": "ready$ ",
    }
    command = [bash, "--norc", "--noprofile", "-i"]
    shell = subprocess.Popen(command, stdin=inner, stdout=inner, stderr=inner, env=environment, start_new_session=True)
    os.close(inner)

    def typed(line: str, wanted: str) -> str:
        os.write(outer, line.encode())
        seen, ends = "", time.monotonic() + 30
        while wanted not in seen and time.monotonic() < ends:
            if select.select([outer], [], [], 0.1)[0]:
                seen += os.read(outer, 4096).decode()
        return seen

    typed("source <(lookbook completion bash); echo sour''ced\n", "sourced")
    yield lambda line, wanted: typed(f"{CLEAR_LINE}{line}\t", wanted)
    shell.kill()
    shell.wait()
    os.close(outer)


def test_commands_and_options(complete: Callable[[str, str], str]) -> None:
    """Those of this program."""
    assert "lookbook bench query " in complete("lookbook bench q", "query ")
    assert "--require-signature " in complete("lookbook search --req", "signature ")


def test_categories_come_from_the_bundle(complete: Callable[[str, str], str]) -> None:
    """Of the home that LOOKBOOK_HOME names; whatever the case of what is typed."""
    assert "--category hoodie " in complete("lookbook search --category hoo", "hoodie ")


def test_a_brand_with_blanks_and_signs_is_one_word(complete: Callable[[str, str], str]) -> None:
    """Escaped as bash needs it, and completed again from there."""
    assert r"--brand Maren\ \&\ Holt " in complete("lookbook search --brand Mar", "Holt ")
    assert r"--brand Maren\ \&\ Holt " in complete(r"lookbook search --brand Maren\ \&\ H", "Holt ")


def test_without_a_bundle_nothing_is_offered(complete: Callable[[str, str], str], tmp_path: Path) -> None:
    """And nothing is told: the shell rings, the line stays as it was typed."""
    seen = complete(f"lookbook search --home {tmp_path} --category hoo", BELL)
    assert seen.endswith(f"--category hoo{BELL}")


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_the_other_shells_scripts(shell: str, lookbook: Callable[..., "subprocess.CompletedProcess[str]"]) -> None:
    """They ask the program by the variable that it knows."""
    assert f"_LOOKBOOK_COMPLETE={shell}_complete" in lookbook("completion", shell).stdout
