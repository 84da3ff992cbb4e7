"""A group of commands that imports a command's module when the command is run, and not for its own help."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any, NamedTuple

import click

from anycastle.base.errors import MisuseError, ParseError


class Command(NamedTuple):
    """Where a command is, and what the help says of it."""

    module: str
    attribute: str
    summary: str


class LazyGroup(click.Group):
    """A group whose commands are the lines of `table`."""

    table: Mapping[str, Command]

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Give the names of all commands."""
        return sorted(self.table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import and give one command."""
        entry = self.table.get(cmd_name)
        if entry is None:
            return None
        command = getattr(import_module(entry.module), entry.attribute)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands from the table, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, self.table[name].summary) for name in self.list_commands(ctx)])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Give the command, or a usage error that names the nearest one."""
        name = args[0]
        if name not in self.table and not name.startswith("-"):
            from difflib import get_close_matches

            near = get_close_matches(name, self.table, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            ctx.fail(f"No such command {name!r}.{hint}")
        return super().resolve_command(ctx, args)


class FilesGroup(LazyGroup):
    """A group of commands that read files: one that cannot be read or followed is wrong usage, as an option is."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the subcommand."""
        try:
            return super().invoke(ctx)
        except (MisuseError, ParseError) as error:
            raise click.UsageError(str(error)) from error


def group_of(table: Mapping[str, Command], kind: type[LazyGroup] = LazyGroup) -> type[LazyGroup]:
    """Give the class of a group with these commands."""
    return type("TableGroup", (kind,), {"table": table})
