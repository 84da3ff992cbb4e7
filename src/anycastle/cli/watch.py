"""`anycastle watch`: what the Internet sees of the fleet's prefixes, live or from archives."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import click

from anycastle.base.errors import MisuseError
from anycastle.cli.host_port import host_and_port
from anycastle.cli.lazy_group import Command, group_of
from anycastle.cli.output import Form, message, output_option
from anycastle.cli.rpki import RTR, VRPS, cache_place

if TYPE_CHECKING:
    from anycastle.daemons.telling import TellSettings
    from anycastle.model.event import Event
    from anycastle.model.fleet import Fleet
    from anycastle.model.prefix import Address
    from anycastle.watch.relation import Relations
    from anycastle.watch.validation import Validation

FLEET = click.option(
    "--fleet", "fleet_dir", type=click.Path(path_type=Path), required=True, envvar="ANYCASTLE_FLEET",
    help="The fleet folder.",
)  # fmt: skip
COLLECTOR = click.option("--collector", help="Name of the files' collector. [default: as in the path, such as rrc00]")
EVENTS = click.option(
    "--events", "logs", type=click.Path(path_type=Path), multiple=True,
    help="Event log of one of our agents: its announcements explain losses, and start the clock of convergence.",
)  # fmt: skip
RELATIONS = click.option(
    "--relations", type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="AS relationships (CAIDA's serial-1 or serial-2): leaks are then judged valley-free.",
)  # fmt: skip
FILES = click.argument("files", nargs=-1, required=True)


SUBCOMMANDS: Final = MappingProxyType(
    {
        "history": Command(__name__, "history", "Origins and paths of a prefix over time, as BGPlay has them."),
        "replay": Command(__name__, "replay", "The findings of archives."),
        "run": Command(__name__, "run", "Watch live, until SIGTERM."),
        "show": Command(__name__, "show", "Who sees a prefix, by which ways, and what is found about it."),
        "status": Command(__name__, "status", "What the running daemon hears, sees and has found."),
        "toggles": Command("anycastle.cli.watch_toggles", "toggles", "Which upstreams follow what they are told."),
    }
)
"""All subcommands."""


@click.group(cls=group_of(SUBCOMMANDS))
def watch() -> None:
    """See what the Internet sees of the fleet's prefixes: hijacks, leaks, losses, and when they are over."""


@click.command()
@FLEET
@COLLECTOR
@VRPS
@RELATIONS
@EVENTS
@FILES
@output_option(Form.TABLE, Form.NDJSON)
def replay(
    fleet_dir: Path,
    collector: str | None,
    vrps: str | None,
    relations: Path | None,
    logs: tuple[Path, ...],
    files: tuple[str, ...],
    form: Form,
) -> None:
    """Give the findings of archives: MRT tables and updates, packed or not, or lines of RIS Live JSON.

    Tables are read first; what is wrong in them is said to have been so at the start. Updates follow in the order of
    their times, over all files. `-` is MRT on standard input.
    """
    from anycastle.io.watch_replay import replayed

    run = replayed(load(fleet_dir), files, collector, logs, _validation(vrps), _relations(relations))
    if form is Form.TABLE:
        click.echo(_ROW.format("time", "what", "severity", "kind", "subject", "concerns"))
    for event in run.events():
        click.echo(line_of(event) if form is Form.NDJSON else row_of(event))
    tell_problems(run.problems, run.unreadable)


def tell_problems(problems: list[str], unreadable: list[str]) -> None:
    """Say what could not be read. Raises `WorldError` where that is all of a file: nothing was found in it."""
    from anycastle.base.errors import WorldError
    from anycastle.cli.output import nothing_read

    for problem in problems:
        message(problem, severity="warning")
    if unreadable:
        raise WorldError(nothing_read(unreadable, "MRT, or as lines of RIS Live"), retryable=False)


def _validation(vrps: str | None) -> "Validation | None":
    if vrps is None:
        return None
    from anycastle.io.rpki.export import read_export
    from anycastle.io.rpki.source import CurrentVRPs

    current = CurrentVRPs()
    data = read_export(vrps)
    current.set(data.vrps, data.aspas, of_now=False)
    return current


def _relations(path: Path | None) -> "Relations | None":
    if path is None:
        return None
    from anycastle.io.as_relations import GraphRelations

    return GraphRelations.load(path)


_ROW = "{:<24}  {:<8}  {:<8}  {:<18}  {:<16}  {}"


def load(fleet_dir: Path) -> "Fleet":
    """Give the fleet. Raises `MisuseError` with every finding."""
    from anycastle.io.fleet_loader import load_here, usable

    return usable(*load_here(fleet_dir))


def line_of(event: "Event") -> str:
    """Give an event as one line of JSON, its time as RFC 3339."""
    return json.dumps(plain(event), ensure_ascii=False, separators=(",", ":"))


def plain(event: "Event") -> dict[str, Any]:
    """Give an event as plain values."""
    from anycastle.model.event import KIND_OF

    return {"at": time_of(event.at), "kind": KIND_OF[type(event.body)], **asdict(event.body)}


def time_of(at: float) -> str:
    """Give a time as RFC 3339, in milliseconds."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def row_of(event: "Event") -> str:
    """Give an event as a line for people."""
    fields = plain(event)
    what = str(fields["kind"]).removeprefix("finding_")
    prefixes = " ".join(fields.get("prefixes", ()))
    told = "; ".join(_told(fields))
    cells = (fields["at"], what, fields.get("severity", ""), fields.get("finding_kind", ""), fields.get("subject", ""))
    return _ROW.format(*cells, f"{prefixes}  {told}".strip())


def _numbered(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}{'es' if word == 'AS' else 's'}"


def _told(fields: dict[str, Any]) -> Iterator[str]:
    if "lasted_s" in fields:
        yield f"after {fields['lasted_s']:.0f} s"
        return
    yield from fields.get("reasons", ())
    if "peers" in fields and "finding" in fields:
        counts = (("peer", fields["peers"]), ("AS", fields["asns"]), ("collector", fields["collectors"]))
        peers, ases, collectors = (_numbered(count, word) for word, count in counts)
        yield f"{peers} of {ases} at {collectors}"
    if fields.get("at_start"):
        yield "so already at the start"
    if "text" in fields:
        yield str(fields["text"])


def _directories(state_dir: Path | None, run_dir: Path | None) -> tuple[Path, Path]:
    from anycastle.cli.agent import directories

    return directories("watch", state_dir, run_dir)


RUN_DIR = click.option(
    "--run-dir", type=click.Path(path_type=Path), envvar="RUNTIME_DIRECTORY",
    help="Sockets. [default: /run/anycastle/watch, or below the user's runtime directory]",
)  # fmt: skip


@click.command()
@FLEET
@click.option("--ris-live", "address", help="The WebSocket of RIS Live, or `none`. [default: RIPE's]")
@click.option(
    "--table", "tables", multiple=True, help="MRT table to read first, so that what is wrong is told at once."
)
@click.option("--mrt", multiple=True, help="MRT from a pipe, a file or an address, as a feed.")
@click.option("--bmp", metavar="ADDRESS:PORT", help="Where routers dial in that speak BMP.")
@click.option(
    "--bgp", metavar="ADDRESS:PORT", help="Where the BGP sessions of `watch.sessions` are spoken from; it only listens."
)
@VRPS
@RTR
@RELATIONS
@EVENTS
@click.option("--state-dir", type=click.Path(path_type=Path), envvar="STATE_DIRECTORY", help="What outlives a restart.")
@RUN_DIR
@click.option("--listen", default="127.0.0.1:9478", show_default=True, help="ADDRESS:PORT of /metrics, or `none`.")
@click.option(
    "--deliver-to",
    metavar="URL",
    multiple=True,
    help="POST findings to a controller on another machine: its /api/v1/findings/events. Of several, one takes them.",
)
@click.option(
    "--token-file", type=click.Path(path_type=Path, dir_okay=False), help="A token of the controller's, of role watch."
)
@click.option(
    "--ca-file", "--ca", type=click.Path(path_type=Path, dir_okay=False), help="The controller's authorities."
)
@click.option("--name", help="What the controller calls this watch. [default: the host's name]")
def run(
    fleet_dir: Path,
    address: str | None,
    tables: tuple[str, ...],
    mrt: tuple[str, ...],
    bmp: str | None,
    bgp: str | None,
    vrps: str | None,
    rtr: str | None,
    relations: Path | None,
    logs: tuple[Path, ...],
    state_dir: Path | None,
    run_dir: Path | None,
    listen: str,
    deliver_to: tuple[str, ...],
    token_file: Path | None,
    ca_file: Path | None,
    name: str | None,
) -> None:
    """Watch live, until SIGTERM. Findings go to the event log, and to standard error as they come.

    SIGHUP reads the fleet's files, the VRPs and the relationships anew; what is known of the Internet stays.
    """
    import asyncio

    from anycastle.cli.agent import address as parse_listen
    from anycastle.daemons.watch_process import WatchProcess, WatchSettings
    from anycastle.io.feeds.ris_live import ADDRESS

    if vrps is not None and rtr is not None:
        raise MisuseError("name one source of VRPs: --vrps FILE, or --rtr HOST:PORT")
    state, sockets = _directories(state_dir, run_dir)
    ris_live = None if address == "none" else address or ADDRESS
    settings = WatchSettings(
        fleet_dir, state, sockets, parse_listen(listen), ris_live, tables, mrt, logs,
        bmp=None if bmp is None else host_and_port(bmp, "--bmp"),
        bgp=None if bgp is None else _address_and_port(bgp, "--bgp"),
        vrps=vrps,
        rtr=None if rtr is None else cache_place(rtr),
        relations=relations,
        tell=_tell(deliver_to, token_file, ca_file, name),
    )  # fmt: skip
    fleet = load(fleet_dir)

    async def serve() -> None:
        await WatchProcess(settings, fleet).run()

    asyncio.run(serve())


def _tell(
    urls: tuple[str, ...], token_file: Path | None, ca_file: Path | None, name: str | None
) -> "TellSettings | None":
    """Give whom to tell; None for nobody. Raises `MisuseError`."""
    import re
    import socket

    from anycastle.daemons.telling import TellSettings
    from anycastle.io.controller_client.http import require_private
    from anycastle.io.findings_lines import WATCH_NAME

    if not urls:
        if token_file or ca_file or name:
            raise MisuseError("--token-file, --ca-file and --name are of a controller: name it with --deliver-to")
        return None
    if token_file is None:
        raise MisuseError("--deliver-to: a controller takes findings with a token alone; name its file, --token-file")
    for url in urls:
        if not re.match(r"https?://[^/@]+/", url):
            raise MisuseError(
                f"--deliver-to: {url!r} is no URL such as https://controller.example/api/v1/findings/events"
            )
        require_private(url)
    if not token_file.is_file():  # it may come later: it is read for each telling
        message(f"--token-file: there is no file {token_file} yet; nothing is told until there is", severity="warning")
    watch = (name or socket.gethostname()).lower()
    if not re.match(WATCH_NAME, watch):
        raise MisuseError(f"--name: {watch!r} is no name: letters, digits, dots and hyphens, 63 at most")
    return TellSettings(urls, token_file, watch, ca_file)


def _address_and_port(text: str, option: str) -> "tuple[Address, int]":
    """Give both of `ADDRESS:PORT`. Raises `click.BadParameter`, which names the option."""
    from anycastle.base.errors import ParseError
    from anycastle.model.prefix import parse_address

    host, port = host_and_port(text, option)
    try:
        return parse_address(host), port
    except ParseError as error:
        raise click.BadParameter(str(error), param_hint=option) from error


FLEET_OF_FILES = click.option(
    "--fleet", "fleet_dir", type=click.Path(path_type=Path), envvar="ANYCASTLE_FLEET",
    help="The fleet folder; needed with FILE.",
)  # fmt: skip


@click.command()
@click.argument("prefix")
@click.argument("files", nargs=-1)
@FLEET_OF_FILES
@COLLECTOR
@RUN_DIR
@output_option(Form.TABLE, Form.JSON)
def show(
    prefix: str, files: tuple[str, ...], fleet_dir: Path | None, collector: str | None, run_dir: Path | None, form: Form
) -> None:
    """Show who sees a prefix, by which ways, and what is found about it.

    Asks the running daemon, or replays FILE... to their end.
    """
    told = _told_of("show", prefix, files, fleet_dir, collector, run_dir)
    if form is Form.JSON:
        click.echo(json.dumps(told, indent=2))
        return
    for line in _shown_lines(told):
        click.echo(line)


@click.command()
@click.argument("prefix")
@click.argument("files", nargs=-1)
@FLEET_OF_FILES
@COLLECTOR
@RUN_DIR
def history(
    prefix: str, files: tuple[str, ...], fleet_dir: Path | None, collector: str | None, run_dir: Path | None
) -> None:
    """Print the origins and paths of a prefix over time, as JSON in the shape of RIPEstat's BGPlay.

    Asks the running daemon, or replays FILE... to their end.
    """
    click.echo(json.dumps(_told_of("history", prefix, files, fleet_dir, collector, run_dir), indent=2))


def _told_of(
    command: str,
    prefix: str,
    files: tuple[str, ...],
    fleet_dir: Path | None,
    collector: str | None,
    run_dir: Path | None,
) -> dict[str, Any]:
    """Give the answer of the daemon, or of a replay."""
    from anycastle.base.errors import ParseError
    from anycastle.model.prefix import parse_prefix

    try:
        asked = parse_prefix(prefix)
    except ParseError as error:
        raise click.BadParameter(str(error), param_hint="PREFIX") from error
    if not files:
        return ask_watch({"command": command, "prefix": str(asked)}, run_dir)
    if fleet_dir is None:
        raise click.UsageError("with FILE, --fleet says what is watched")
    from anycastle.io.watch_replay import replayed
    from anycastle.watch.report import history as history_of
    from anycastle.watch.report import shown

    replay_of = replayed(load(fleet_dir), files, collector)
    for _ in replay_of.events():
        pass
    tell_problems(replay_of.problems, replay_of.unreadable)
    engine = replay_of.engine
    if engine.table.concern(asked) is None:
        near = ", ".join(str(each.prefix) for each in engine.table)
        raise MisuseError(f"{asked} concerns no prefix of the fleet; it watches {near}")
    return shown(engine, asked) if command == "show" else history_of(engine, asked)


def ask_watch(request: dict[str, Any], run_dir: Path | None) -> dict[str, Any]:
    """Ask the running watch. Raises `WorldError`."""
    from anycastle.io.local_socket import ask

    return ask(_directories(None, run_dir)[1] / "watch.sock", request, of="`anycastle watch run`", found_by="--run-dir")


@click.command()
@RUN_DIR
@output_option(Form.TABLE, Form.JSON)
def status(run_dir: Path | None, form: Form) -> None:
    """Show what the running daemon hears: feeds and collectors with their silence, prefixes, open findings."""
    told = ask_watch({"command": "status"}, run_dir)
    if form is Form.JSON:
        click.echo(json.dumps(told, indent=2))
        return
    if told["reload"] is not None:
        reload, when = told["reload"], time_of(told["reload"]["at"])
        done = "done" if reload["granted"] else "refused, and nothing was changed"
        click.echo(f"reload     {when}: {done}: {reload['text']}")
    for feed in told["feeds"]:
        state = "connected" if feed["connected"] else "not connected"
        state += f": {feed['trouble']}" if feed["trouble"] else ""
        counts = f"{feed['messages']} messages, {feed['garbage']} garbage, silent for {feed['silent_s']:.0f} s"
        click.echo(f"feed       {feed['name']}: {state}; {counts}")
        for session in feed["sessions"]:
            routes = ", ".join(f"{count} {family} routes" for family, count in session["routes"].items())
            why = f": {session['reason']}" if session["reason"] else ""
            click.echo(f"session    {session['peer']}: {session['state']}{why}; {routes}")
    for each in told["collectors"]:
        click.echo(f"collector  {each['collector']}: {each['peers']} peers, silent for {each['silent_s']:.0f} s")
    for each in told["prefixes"]:
        seen = "nobody is able to say" if each["visibility"] is None else f"seen by {each['visibility']:.1%}"
        click.echo(f"prefix     {each['prefix']}: {seen} of {each['able']} ASes")
    for each in told["findings"]:
        click.echo(f"findings   {each['count']} open: {each['kind']}, {each['severity']}")
    if told["told"] is not None:
        held_up = f"; {told['told']['trouble']}" if told["told"]["trouble"] else ""
        click.echo(f"told       a controller, up to row {told['told']['sequence']} of the event log{held_up}")
    lost = f"{told['facts_dropped']} dropped, {told['facts_late']} late, {told['events_dropped']} events not logged"
    click.echo(f"facts      {told['facts']} taken, {lost}")


def _shown_lines(told: dict[str, Any]) -> Iterator[str]:
    visibility = told["visibility"]
    able = visibility["able"]
    yield (
        f"{told['prefix']}: seen by {visibility['share']:.1%} of {able} ASes able to see it"
        if able
        else (f"{told['prefix']}: nobody is able to say who sees it")
    )
    for region, seen in visibility["by_region"].items():
        if seen["able"]:
            yield f"region      {region}: seen by {seen['share']:.1%} of {seen['able']} ASes"
    yield f"origins     {_counts(told['origins'])}"
    yield f"neighbours  {_counts(told['neighbours'])}"
    for finding in told["findings"]:
        since = time_of(finding["since"])
        yield f"finding     {finding['kind']} {finding['subject']} {finding['prefix']} since {since}"
        yield from (f"            {reason}" for reason in finding["reasons"])
    for each in told["flapping"]:
        yield f"flapping    {each['peer']}: {each['changes']} changes in 15 minutes"
    for each in told["policy"]:
        yield f"policy      {each['upstream']} {each['instruction']}: {each['compliance']} ({each['shown']})"
    for other in told["related"]:
        yield f"also seen   {other}"
    for route in told["routes"]:
        yield f"route       {route['collector']} AS{route['asn']} {route['peer']}  {route['path']}"


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} ({count})" for name, count in counts.items()) or "none"
