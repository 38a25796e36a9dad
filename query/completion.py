"""The `completion` command: what a shell reads so that it completes `lookbook`, its options, categories and brands."""

import os

import click
from click.shell_completion import BashComplete, FishComplete, ZshComplete

PROGRAM, VARIABLE = "lookbook", "_LOOKBOOK_COMPLETE"
SHELLS = {found.name: found for found in (BashComplete, ZshComplete, FishComplete)}


@click.command()
@click.argument("shell", type=click.Choice(list(SHELLS)))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print what makes SHELL complete this command.

    \b
    bash: echo 'source <(lookbook completion bash)' >> ~/.bashrc
    zsh:  echo 'source <(lookbook completion zsh)' >> ~/.zshrc
    fish: lookbook completion fish > ~/.config/fish/completions/lookbook.fish
    """
    found = SHELLS[shell]
    click.echo(found(context.find_root().command, {}, PROGRAM, VARIABLE).source())


def escaped(value: str) -> str:
    """A value as the shell that asks for it takes it: bash would make two words of one with a blank.

    The two backslashes are for click's script, whose `read` takes one of them.
    """
    if os.environ.get(VARIABLE) != "bash_complete":
        return value
    return "".join(letter if letter.isalnum() or letter in "-_./,:" else rf"\\{letter}" for letter in value)
