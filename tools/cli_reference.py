"""Write docs/reference/cli.md from the commands themselves; a test fails when it is stale."""

import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import click

from anycastle.cli.main import cli

HEAD = """\
# Commands

<!-- Written by tools/cli_reference.py from the commands. -->

`anycastle COMMAND --help` says the same. Data go to standard output, messages to standard error;
[exit codes](exit-codes.md) are the same for every command. `NO_COLOR` turns colours off.

"""


def cli_page() -> str:
    """Give the page of all commands, in the order of their names."""
    with click.Context(cli, info_name="anycastle") as context:
        return HEAD + "\n".join(part for command in _commands(cli, context) for part in command).rstrip("\n") + "\n"


def _commands(group: click.Group, context: click.Context) -> Iterator[list[str]]:
    for name in sorted(group.list_commands(context)):
        command = group.get_command(context, name)
        assert command is not None
        with click.Context(command, info_name=name, parent=context) as inner:
            yield _section(command, inner)
            if isinstance(command, click.Group):
                yield from _commands(command, inner)


def _section(command: click.Command, context: click.Context) -> list[str]:
    depth = context.command_path.count(" ")
    lines = [f"{'#' * (depth + 1)} `{context.command_path}`", "", inspect.cleandoc(command.help or ""), ""]
    if isinstance(command, click.Group):
        return lines
    lines += ["```", " ".join(command.get_usage(context).removeprefix("Usage: ").split()), "```", ""]
    rows = [row for parameter in command.get_params(context) if (row := _row(parameter, context))]
    if rows:
        lines += ["| option | meaning |", "|---|---|", *rows, ""]
    return lines


def _row(parameter: click.Parameter, context: click.Context) -> str | None:
    record = parameter.get_help_record(context)
    if record is None or not record[1] or "--help" in parameter.opts:
        return None
    names, text = (" ".join(part.split()).replace("|", "\\|") for part in record)
    variable = f" Environment: `{parameter.envvar}`." if isinstance(parameter.envvar, str) else ""
    meaning = re.sub(r"\[default: ([^]]+)\]", r"(default: \1)", text.replace("[required]", "(required)"))
    return f"| `{names}` | {meaning}{variable} |"


PAGES = {"docs/reference/cli.md": cli_page}


def main() -> None:
    """Write the page."""
    root = Path(__file__).parent.parent
    for name, page in PAGES.items():
        (root / name).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
