"""`anycastle events`: show the event log, and prove that nobody changed it."""

import json
import re
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from anycastle.base.errors import ParseError, WorldError
from anycastle.base.ports import Timestamp
from anycastle.cli.event_source import Events, opened
from anycastle.io.event_log import GENESIS, Head, StoredEvent, VerifyResult, parse_head
from anycastle.model.event import KINDS

if TYPE_CHECKING:
    from anycastle.io.syslog import SyslogSender

STATE_ROOT: Final = Path("/var/lib/anycastle")
_FOLLOW_INTERVAL_S: Final = 0.25
SENT_AT_ONCE: Final = 200
"""Events that go to a collector before how far it came is kept."""
_SPANS_S: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class _Events(click.Group):
    """`events ...` lists, unless a subcommand is named."""

    def parse_args(self, context: click.Context, arguments: list[str]) -> list[str]:
        if arguments[:1] != ["--help"] and (not arguments or arguments[0] not in self.commands):
            arguments = ["list", *arguments]
        return super().parse_args(context, arguments)


@click.group("events", cls=_Events)
def events() -> None:
    """Show the event log of an agent or a controller, export it, or verify its hash chain.

    Without a subcommand, the newest events are listed: `anycastle events [PATH]`.
    """


def _log_path(context: click.Context, _parameter: click.Parameter, path: Path | None) -> Path | None:
    """Give the log that was named, or the only one of this machine's agents; None where a store is named."""
    if context.params.get("store") is not None:
        if path is not None:
            raise click.UsageError("a log is named twice: by PATH and by --store")
        return None
    if path is not None:
        return path
    found = sorted(STATE_ROOT.glob("*/events.db"))
    if len(found) == 1:
        return found[0]
    if found:
        raise click.UsageError(f"there are several logs; name one of {', '.join(map(str, found))}")
    raise click.UsageError(f"no event log in {STATE_ROOT}; name one, or run the agent first")


_log_argument = click.argument("path", type=click.Path(path_type=Path), callback=_log_path, required=False)
_log_store_option = click.option(
    "--store",
    is_eager=True,
    help="A controller's log: sqlite:////PATH or postgresql://USER@HOST/NAME, instead of PATH.",
)


@events.command("list")
@_log_argument
@_log_store_option
@click.option("--kind", help="Only this kind of event, such as check_changed.")
@click.option("--service", help="Only events of this service.")
@click.option("--since", help="Only events since then: 15m, 2h, 1d, or a time such as 2026-11-23T15:00:00Z.")
@click.option("--limit", type=click.IntRange(min=1), help="At most this many; 100 of the newest unless told.")
@click.option("--follow", is_flag=True, help="Go on with new events as they happen, until interrupted.")
@click.option("-o", "--output", type=click.Choice(["table", "ndjson", "json"]), default="table", show_default=True)
def list_events(
    path: Path | None,
    store: str | None,
    kind: str | None,
    service: str | None,
    since: str | None,
    limit: int | None,
    follow: bool,
    output: str,
) -> None:
    """List events, oldest first."""
    if follow and output == "json":
        raise click.UsageError("--follow gives no end to a JSON array; use -o ndjson")
    if kind is not None and kind not in KINDS:
        click.echo(f"note: this version knows no kind {kind!r}; it knows {', '.join(KINDS)}", err=True)
    start = None if since is None else _parse_since(since)
    try:
        with opened(path, store) as log:
            shown = _newest(log, kind, service, start, limit)
            if output == "json":
                click.echo(json.dumps([plain(event) for event in shown], indent=2))
                return
            write = _write_line if output == "ndjson" else _write_row
            last = _write_all(shown, write)
            if follow:
                _follow(log, max(last, log.head().sequence if not shown else last), kind, service, write)
    except WorldError as error:
        raise click.ClickException(str(error)) from error


def _newest(
    log: Events, kind: str | None, service: str | None, since: Timestamp | None, limit: int | None
) -> list[StoredEvent]:
    if since is None:
        return log.last(limit or 100, kind=kind, service=service)
    found = list(log.read(kind=kind, service=service, since=since))
    return found if limit is None else found[-limit:]


def _write_all(events: list[StoredEvent], write: Callable[[StoredEvent], None]) -> int:
    for event in events:
        write(event)
    return events[-1].sequence if events else 0


def _follow(
    log: Events, after: int, kind: str | None, service: str | None, write: Callable[[StoredEvent], None]
) -> None:
    while True:
        after = max(after, _write_all(list(log.read(after, kind=kind, service=service)), write))
        time.sleep(_FOLLOW_INTERVAL_S)


def plain(event: StoredEvent) -> dict[str, Any]:
    """Give an event as plain values, time as RFC 3339."""
    return {
        "sequence": event.sequence,
        "at": _time(event.at),
        "pop": event.pop,
        "kind": event.kind,
        **{
            name: value for name, value in event.fields.items() if name not in ("sequence", "at", "pop", "kind", "hash")
        },
        "hash": event.hash.hex(),
    }


def _time(at: Timestamp) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _write_line(event: StoredEvent) -> None:
    click.echo(json.dumps(plain(event)))


def _write_row(event: StoredEvent) -> None:
    words = " ".join(_words(event.fields))
    click.echo(f"{event.sequence:>7}  {_time(event.at)}  {event.pop:<10}  {event.kind:<23}  {words}")


def _words(fields: dict[str, Any]) -> Iterator[str]:
    for name, value in fields.items():
        if isinstance(value, list):
            if value:
                yield f"{name}: {', '.join(map(str, value))};"
        elif value is not None and value != "":
            yield f"{name}={value}" if not isinstance(value, str) or " " not in value else f"{name}={value!r}"


def _parse_since(text: str) -> Timestamp:
    span = re.fullmatch(r"(\d+)([smhd])", text)
    if span is not None:
        return Timestamp(time.time() - int(span[1]) * _SPANS_S[span[2]])
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        message = f"{text!r} is no span such as 15m and no time such as 2026-11-23T15:00:00Z"
        raise click.BadParameter(message, param_hint="--since") from None
    return Timestamp((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


@events.command("export")
@_log_argument
@_log_store_option
@click.option(
    "--after", metavar="SEQ:HASH", help="Only what follows this head: the one that the last export ended with."
)
def export(path: Path | None, store: str | None, after: str | None) -> None:
    """Print the log as lines of JSON that `events verify` can follow; the head goes to standard error.

    \b
    anycastle events export --store sqlite:////var/lib/anycastle/controller.db > events.ndjson
    """
    from anycastle.io.event_export import write_export

    start = GENESIS if after is None else _head_of(after, "--after")
    try:
        with opened(path, store) as log:
            head = write_export(log.rows(start.sequence), start, sys.stdout.buffer)
    except WorldError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"head {head}", err=True)


@events.command("send")
@_log_argument
@_log_store_option
@click.option(
    "--syslog", "place", required=True, metavar="tls://HOST[:PORT]", help="A collector; tcp:// is not encrypted."
)
@click.option("--ca-file", type=click.Path(path_type=Path, exists=True), help="Who signed the collector's certificate.")
@click.option(
    "--position", type=click.Path(path_type=Path, dir_okay=False), required=True,
    help="A file that keeps up to where events were sent; it is made by the first call.",
)  # fmt: skip
@click.option("--follow", is_flag=True, help="Go on with new events as they happen, until interrupted.")
def send(path: Path | None, store: str | None, place: str, ca_file: Path | None, position: Path, follow: bool) -> None:
    """Send the log to a syslog collector (RFC 5424): what follows the position, and then what happens.

    Each message carries its event as JSON, with its number and hash. Syslog acknowledges nothing: when a connection
    breaks, what was on its way may be lost. It ends with an error then; start it again, and it goes on where it was.

    \b
    anycastle events send --syslog tls://logs.example.net --position sent --follow
    """
    from anycastle.io.syslog import SyslogSender

    sent = _read_position(position)
    with opened(path, store) as log, SyslogSender(place, ca_file) as collector:
        while True:
            sent = _send(log, sent, collector, position)
            if not follow:
                break
            time.sleep(_FOLLOW_INTERVAL_S)
    click.echo(f"sent up to event {sent}", err=True)


def _send(log: Events, sent: int, collector: "SyslogSender", position: Path) -> int:
    """Send what follows a position, some at a time; keep how far it came after each."""
    from anycastle.io.durable import write_durably
    from anycastle.io.syslog import framed, message

    rows = log.read(sent)
    while some := list(islice(rows, SENT_AT_ONCE)):
        collector.send(b"".join(framed(message(event, plain(event))) for event in some))
        sent = some[-1].sequence
        write_durably(position, f"{sent}\n".encode())
    return sent


def _read_position(path: Path) -> int:
    try:
        text = path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return 0
    except OSError as error:
        raise WorldError(f"{path} cannot be read: {error.strerror}", retryable=False) from error
    if not text.isdecimal():
        raise ParseError(f"{path}: this is no position that `anycastle events send` wrote")
    return int(text)


def _head_of(text: str, option: str) -> Head:
    try:
        return parse_head(text)
    except ParseError as error:
        raise click.BadParameter(str(error), param_hint=option) from error


@events.command("verify")
@_log_argument
@_log_store_option
@click.option("--head", "noted", metavar="SEQ:HASH", help="A head noted elsewhere: also finds a cut or rewritten log.")
def verify(path: Path | None, store: str | None, noted: str | None) -> None:
    """Verify the hash chain of a log or of an export: exit 0 if every row is as it was written, 1 if not."""
    remembered = None if noted is None else _head_of(noted, "--head")
    try:
        result = _verified(path, store, remembered)
    except WorldError as error:
        raise click.ClickException(str(error)) from error
    for problem in result.problems:
        click.echo(str(problem))
    if not result.sound:
        click.echo(f"{result.problem_count} problem{'s' * (result.problem_count != 1)} in {result.rows} rows", err=True)
        raise SystemExit(1)
    click.echo(f"{result.rows} rows, unbroken; head {result.head}")
    if remembered is None:
        click.echo("a log cut or rewritten by whoever can write it shows only against a head noted elsewhere", err=True)


def _verified(path: Path | None, store: str | None, remembered: Head | None) -> VerifyResult:
    from anycastle.io.event_export import is_export, verify_export

    if path is not None and is_export(path):
        return verify_export(path, remembered)
    with opened(path, store) as log:
        return log.verify(remembered)
