"""How every `anycastle irr` command is told where the registry is."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

from anycastle.cli.host_port import host_and_port
from anycastle.cli.output import message

if TYPE_CHECKING:
    from anycastle.io.irr.registry import Registry
    from anycastle.io.irr.server_registry import Server
    from anycastle.model.fleet import Fleet
    from anycastle.model.irr import Member, SetName
    from anycastle.watch.irr.finding import RegistryView

F = TypeVar("F", bound=Callable[..., Any])


def registry_options(command: F) -> F:
    """Give a command `--server`, `--file` and `--source`, passed as `servers`, `file` and `sources`."""
    return registry_options_named("")(command)


def registry_options_named(prefix: str) -> Callable[[F], F]:
    """Give the same options with a prefix to their names, for commands that have a server of another kind."""

    def add(command: F) -> F:
        for option in _registry_options(prefix):
            command = option(command)
        return command

    return add


def _registry_options(prefix: str) -> "tuple[Callable[[F], F], ...]":
    return (
        click.option(
            f"--{prefix}source", "sources", multiple=True, envvar="ANYCASTLE_IRR_SOURCE", metavar="NAME[,NAME]",
            help="Registries to ask, the first ones first, such as RIPE,RADB. [default: as the server has them]",
        ),
        click.option(
            f"--{prefix}file", "file", envvar="ANYCASTLE_IRR_FILE", metavar="FILE|URL",
            help="RPSL objects in place of a server; plain or packed.",
        ),
        click.option(
            f"--{prefix}server", "servers", multiple=True, envvar="ANYCASTLE_IRR_SERVER", metavar="HOST[:PORT]",
            help="A server that speaks IRRd's protocol; the next one is tried where it fails.",
        ),
    )  # fmt: skip


def place_of(texts: tuple[str, ...], file: str | None, prefix: str = "") -> "tuple[tuple[Server, ...], str | None]":
    """Give the servers or the file; what is typed goes before what the environment says.

    Raises `UsageError` where it is neither, or both.
    """
    from anycastle.io.irr.server_registry import Server

    if texts and file is not None:
        source = click.get_current_context().get_parameter_source
        typed = {name for name in ("servers", "file") if source(name) is ParameterSource.COMMANDLINE}
        texts = () if typed == {"file"} else texts
        file = None if typed == {"servers"} else file
    if bool(texts) == (file is not None):
        raise click.UsageError(f"name one registry: --{prefix}server HOST[:PORT], or --{prefix}file FILE")
    return tuple(Server(*_host_and_port(text, f"--{prefix}server")) for text in texts), file


def _host_and_port(text: str, option: str = "--server") -> tuple[str, int]:
    from anycastle.io.irr.server_registry import IRR_PORT

    host, colon, _ = text.rpartition(":")
    if text and (not colon or (":" in host and not text.startswith("[")) or text.endswith("]")):
        text = f"{text}:{IRR_PORT}"
    return host_and_port(text, option, "HOST or HOST:PORT")


@asynccontextmanager
async def opened(
    servers: "tuple[Server, ...]", file: str | None, sources: tuple[str, ...]
) -> "AsyncIterator[Registry]":
    """Open the registry, and say what of a file cannot be read: an answer may lack it."""
    from anycastle.io.irr.registry import open_registry

    async with open_registry(servers, file, sources) as registry:
        for remark in registry.remarks:
            message(remark, severity="warning")
        yield registry


def registry_view(
    servers: "tuple[Server, ...]",
    file: str | None,
    sources: tuple[str, ...],
    fleet: "Fleet",
    sets: "Sequence[SetName]" = (),
) -> "RegistryView":
    """Ask for all that registries say about a fleet and these as-sets. Raises `WorldError`, `ParseError`."""
    import asyncio

    from anycastle.io.irr.view import view_of

    async def ask() -> "RegistryView":
        async with opened(servers, file, sources) as registry:
            return await view_of(registry, fleet, sets)

    return asyncio.run(ask())


def sources_of(texts: tuple[str, ...]) -> tuple[str, ...]:
    """Give the sources, in capitals."""
    from anycastle.model.irr import SOURCE_CHARACTERS

    sources = tuple(source.strip().upper() for text in texts for source in text.split(",") if source.strip())
    for source in sources:
        if not set(source) <= SOURCE_CHARACTERS:
            raise click.BadParameter(f"{source!r} is not the name of a registry", param_hint="--source")
    return sources


def members_of(texts: tuple[str, ...], hint: str) -> "tuple[Member, ...]":
    """Give ASNs and as-sets. Raises `click.BadParameter`, which names all that are neither."""
    from anycastle.base.errors import ParseError
    from anycastle.model.irr import parse_member

    members, wrong = [], []
    for text in texts:
        try:
            members.append(parse_member(text))
        except ParseError as error:
            wrong.append(str(error))
    if wrong:
        raise click.BadParameter("; ".join(wrong), param_hint=hint)
    return tuple(members)
