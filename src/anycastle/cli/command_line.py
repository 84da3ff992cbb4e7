"""Whether words are a command of this program: asked of the command line itself, without running anything."""

from collections.abc import Sequence

import click


def problem_with(words: Sequence[str]) -> str | None:
    """Give what is wrong with `anycastle ...`; None where it could be run. Values are not looked at."""
    from anycastle.cli.main import cli

    context = click.Context(cli, info_name="anycastle")
    command: click.Command = cli
    rest = list(words[1:])
    while isinstance(command, click.Group):
        while rest and rest[0] in ("-h", "--help", "--version"):
            return None
        if not rest:
            return f"`{context.command_path}` needs a subcommand"
        default = _default_of(command, rest[0])
        name = default or rest[0]
        found = command.get_command(context, name)
        if found is None:
            return f"`{context.command_path}` has no subcommand {name!r}"
        rest = rest if default else rest[1:]
        command, context = found, click.Context(found, info_name=name, parent=context)
    return _wrong_options(command, context, rest)


def _default_of(group: click.Group, word: str) -> str | None:
    """Give the subcommand that stands for the group itself: `anycastle events` lists."""
    return "list" if group.name == "events" and word not in group.commands else None


def _wrong_options(command: click.Command, context: click.Context, rest: list[str]) -> str | None:
    if "--help" in rest or "-h" in rest:
        return None
    try:
        values, left, _ = command.make_parser(context).parse_args(list(rest))
    except click.UsageError as error:
        return f"`{context.command_path}`: {error.format_message()}"
    if left:
        return f"`{context.command_path}` takes no {' '.join(left)!r}"
    for parameter in command.params:
        given = values.get(parameter.name or "")
        if parameter.required and not (isinstance(given, str | list | tuple) and given):
            return f"`{context.command_path}` needs {parameter.get_error_hint(context)}"
        if isinstance(parameter.type, click.Choice) and isinstance(given, str) and given not in parameter.type.choices:
            return f"`{context.command_path}`: {given!r} is none of {', '.join(map(str, parameter.type.choices))}"
    return None
