"""`anycastle probe atlas create`, `fetch` and `follow`: measurements of ours, over the API of RIPE Atlas."""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

import click

from anycastle.base.errors import MisuseError, ParseError
from anycastle.cli.output import Form, Table, counted, message, output_option, print_form

if TYPE_CHECKING:
    from anycastle.io.atlas_api.client import AtlasAPI
    from anycastle.probe.atlas_order import AtlasOrder

F = TypeVar("F", bound=Callable[..., Any])

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_API = "https://atlas.ripe.net/api/v2"
_STREAM = "wss://atlas-stream.ripe.net/stream/?client=anycastle"
_RESULTS_MAX = 1_000_000


def _reached(command: F) -> F:
    """Give a command the options of the API."""
    for option in (
        click.option("--api", "address", default=_API, show_default=True, metavar="URL", help="The API."),
        click.option("--key-file", type=_FILE, help="File with the API key: needed to order, and for private results."),
    ):
        command = option(command)
    return command


@click.command("create")
@click.argument("kind", type=click.Choice(["ping", "traceroute", "dns", "sslcert"]))
@click.argument("target")
@_reached
@click.option("--probes", type=click.IntRange(1, 10_000), default=50, show_default=True, help="How many.")
@click.option("--area", type=click.Choice(["WW", "West", "North-Central", "South-Central", "North-East", "South-East"]),
              help="Probes of an area. [default: WW]")  # fmt: skip
@click.option("--country", metavar="CODE", help="Probes of a country, such as DE.")
@click.option("--asn", type=click.IntRange(1, 4_294_967_295), help="Probes of an AS.")
@click.option("--probe-ids", metavar="IDS", help="These probes, such as 1,2,30.")
@click.option("--reuse", type=click.IntRange(1), metavar="MEASUREMENT", help="The probes of another measurement.")
@click.option("--ipv6", is_flag=True, help="Over IPv6.  [default: IPv4, or as the target's address]")
@click.option("--every", metavar="DURATION", help="Again and again, such as 5m; with --for.")
@click.option("--for", "duration", metavar="DURATION", help="How long, such as 48h.")
@click.option("--packets", type=click.IntRange(1, 16), default=3, show_default=True, help="Of ping and traceroute.")
@click.option("--size", type=click.IntRange(1, 2048), help="Octets of a packet.")
@click.option("--name", default="id.server", show_default=True, help="Of dns: what is asked for.")
@click.option(
    "--type", "record_type", default=None, help="Of dns: record type. [default: TXT of a server's name, or A]"
)
@click.option("--transport", type=click.Choice(["udp", "tcp"]), default="udp", show_default=True, help="Of dns.")
@click.option("--port", type=click.IntRange(1, 65_535), default=443, show_default=True, help="Of sslcert.")
@click.option("--description", default="", help="Shown at RIPE Atlas.")
@click.option("--tag", "tags", multiple=True, help="Shown at RIPE Atlas.")
@click.option("--max-credits", type=click.IntRange(1), help="Refuse what may cost more.")
@click.option("--yes", is_flag=True, help="Order it: the cost is known.")
@output_option(Form.TABLE, Form.JSON)
def create(kind: str, target: str, address: str, key_file: Path | None, form: Form, **asked: Any) -> None:
    """Order a measurement. What it will cost is shown first, and asked about unless --yes is given.

    Cost is by the documented formula, if every probe delivers each result. Without a terminal nothing is ordered unless
    --yes is given.

    \b
    Example:
      anycastle probe atlas create dns 192.0.2.53 --probes 200 --key-file atlas.key --max-credits 10000
    """
    import time

    from anycastle.base.ports import Timestamp
    from anycastle.io.atlas_api.client import AtlasAPI, read_key
    from anycastle.probe.atlas_order import body, estimate

    order = _order(kind, target, asked)
    cost = estimate(order)
    if asked["max_credits"] is not None and cost.credits > asked["max_credits"]:
        raise MisuseError(
            f"it may cost {cost.credits:,} credits, which is more than --max-credits {asked['max_credits']:,}"
        )
    if key_file is None:
        _show_cost(order, None)
        raise MisuseError("an order needs an API key: --key-file names its file")
    read_key(key_file)
    with AtlasAPI(address, key_file, _retried) as api:
        balance = api.balance()
        _show_cost(order, balance)
        if balance is not None and cost.credits > balance:
            raise MisuseError(f"it may cost {cost.credits:,} credits; {balance:,} are left")
        _confirm(cost.credits, yes=asked["yes"])
        numbers = api.create(body(order, Timestamp(time.time())))
    rows = [(str(number), str(cost.credits)) for number in numbers]
    value = {"measurements": numbers, "credits_estimated": cost.credits, "results_expected": cost.results}
    print_form(form, value, Table(("measurement", "credits at most"), rows))


def _confirm(credits_at_most: int, *, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise MisuseError("nothing is ordered: --yes orders it without a question")
    if not click.confirm(f"Order it for up to {credits_at_most:,} credits?", err=True):
        raise MisuseError("nothing is ordered")


def _show_cost(order: "AtlasOrder", balance: int | None) -> None:
    from anycastle.probe.atlas_order import credits_a_day, estimate

    cost = estimate(order)
    words = f"{counted(cost.results, 'result')} of {cost.unit} credits: up to {cost.credits:,} credits"
    daily = credits_a_day(order)
    words += "" if daily is None else f", {daily:,} a day"
    message(words + ("" if balance is None else f"; {balance:,} are left"))


def _order(kind: str, target: str, asked: dict[str, Any]) -> "AtlasOrder":
    from anycastle.model.prefix import parse_address
    from anycastle.probe.atlas_order import AtlasOrder, Question
    from anycastle.wire.dns_query import encode_name, parse_type

    version = 6 if asked["ipv6"] else 4
    try:
        of_target = parse_address(target).version
    except ParseError:
        encode_name(target)
    else:
        if asked["ipv6"] and of_target == 4:
            raise MisuseError(f"{target} is no address of IPv6")
        version = of_target
    encode_name(asked["name"])
    question = Question(asked["name"], transport=asked["transport"])
    record_type = (asked["record_type"] or ("TXT" if question.klass == "CHAOS" else "A")).upper()
    parse_type(record_type)
    selection, value, probes = _selection(asked)
    return AtlasOrder(
        kind, target, version, probes, selection, value, _repeat(asked["every"], asked["duration"]), asked["packets"],
        asked["size"], Question(asked["name"], record_type, asked["transport"]), asked["port"], asked["description"],
        tuple(asked["tags"]),
    )  # fmt: skip


def _selection(asked: dict[str, Any]) -> tuple[str, str, int]:
    given = {
        "area": asked["area"], "country": asked["country"], "asn": asked["asn"], "probes": asked["probe_ids"],
        "msm": asked["reuse"],
    }  # fmt: skip
    chosen = {key: str(value) for key, value in given.items() if value is not None}
    if len(chosen) > 1:
        raise MisuseError("one of --area, --country, --asn, --probe-ids, --reuse chooses the probes")
    selection, value = next(iter(chosen.items()), ("area", "WW"))
    if selection == "country":
        value = value.upper()
        if len(value) != 2 or not value.isalpha():
            raise MisuseError(f"--country {value}: a code of two letters, such as DE")
    if selection != "probes":
        return selection, value, asked["probes"]
    numbers = _numbers(value)
    return selection, ",".join(map(str, numbers)), len(numbers)


def _numbers(text: str) -> tuple[int, ...]:
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() for part in parts):
        raise MisuseError(f"--probe-ids {text}: numbers with commas between, such as 1,2,30")
    return tuple(dict.fromkeys(map(int, parts)))


def _repeat(every: str | None, duration: str | None) -> Any:
    from anycastle.io.config.units import parse_duration
    from anycastle.probe.atlas_order import Repeat

    if every is None and duration is None:
        return None
    if every is None or duration is None:
        raise MisuseError("--every and --for belong together: what goes on without an end spends all credits")
    return Repeat(int(parse_duration(every)), int(parse_duration(duration)))


def _spanned(command: F) -> F:
    """Give a command the options of a span and of an output."""
    for option in (
        click.option("--out", type=click.Path(dir_okay=False, path_type=Path),
                     help="File that lines are added to. [default: standard output]"),
        click.option("--since", metavar="DURATION", help="From so long ago, such as 24h."),
    ):  # fmt: skip
        command = option(command)
    return command


@click.command("fetch")
@click.argument("number", metavar="MEASUREMENT", type=click.IntRange(1))
@_reached
@_spanned
@click.option("--probe-ids", metavar="IDS", help="Of these probes, such as 1,2,30.")
@click.option("--window", default="1h", show_default=True, metavar="DURATION", help="Span of one request.")
@click.option("--max-results", type=click.IntRange(1), default=_RESULTS_MAX, show_default=True, help="Then it stops.")
def fetch(
    number: int, address: str, key_file: Path | None, since: str | None, out: Path | None, probe_ids: str | None,
    window: str, max_results: int,
) -> None:  # fmt: skip
    """Fetch a measurement's results, a line of JSON each, as RIPE Atlas has them.

    From the measurement's start to its end or now, a window of time a request. Exits with 1 where --max-results was
    reached. What takes it further: `anycastle probe atlas parse`, `anycastle probe catchments`.

    \b
    Example:
      anycastle probe atlas fetch 12345678 --since 24h --out results.ndjson
    """
    from itertools import islice

    from anycastle.io.atlas_api.client import AtlasAPI
    from anycastle.io.config.units import parse_duration

    window_s = max(1, int(parse_duration(window)))
    probes = _numbers(probe_ids) if probe_ids else ()
    with AtlasAPI(address, key_file, _retried) as api, _opened(out) as file:
        start, stop = _span(api, number, since)
        spans = [(at, min(at + window_s - 1, stop)) for at in range(start, stop + 1, window_s)]
        lines = (line for first, last in spans for line in api.results(number, first, last, probes))
        written = _write(islice(lines, max_results), file)
        more = next(lines, None) is not None
    message(f"{counted(written, 'result')} of measurement {number}{'; there are more' if more else ''}")
    sys.exit(1 if more else 0)


def _span(api: "AtlasAPI", number: int, since: str | None) -> tuple[int, int]:
    """Give the seconds since 1970 from which and up to which there may be results."""
    import time

    from anycastle.base.errors import WorldError
    from anycastle.io.config.units import parse_duration

    now, told = int(time.time()), api.measurement(number)
    start, stop = told.get("start_time"), told.get("stop_time")
    if not isinstance(start, int):
        raise WorldError(f"measurement {number} has not begun", retryable=True)
    if since is not None:
        start = max(start, now - int(parse_duration(since)))
    # A one-off measurement tells its planned end; results may come a while after it.
    return start, now if not isinstance(stop, int) or told.get("is_oneoff") else min(stop, now)


@click.command("follow")
@click.argument("number", metavar="MEASUREMENT", type=click.IntRange(1))
@_reached
@_spanned
@click.option("--stream", default=_STREAM, show_default=True, metavar="URL", help="The streaming API.")
@click.option("--for", "duration", default="24h", show_default=True, metavar="DURATION", help="How long.")
def follow(
    number: int, address: str, key_file: Path | None, since: str | None, out: Path | None, stream: str, duration: str
) -> None:
    """Print a measurement's results as they come, a line of JSON each; each once, also when the stream is lost.

    \b
    Example:
      anycastle probe atlas follow 12345678 --since 10m --for 1h
    """
    import time

    from anycastle.io.atlas_api.client import AtlasAPI
    from anycastle.io.atlas_api.stream import Follower
    from anycastle.io.config.units import parse_duration

    now = time.time()
    begins = int(now - (parse_duration(since) if since else 0))
    with AtlasAPI(address, key_file, _retried) as api, _opened(out) as file:
        follower = Follower(api, number, stream, _retried)
        written = _write(follower.results(begins, now + parse_duration(duration)), file)
    message(f"{counted(written, 'result')} of measurement {number}")


def _retried(words: str) -> None:
    message(words, severity="warning")


@contextmanager
def _opened(out: Path | None) -> Iterator[BinaryIO]:
    from anycastle.base.errors import WorldError

    if out is None:
        yield sys.stdout.buffer
        return
    try:
        file = out.open("ab")
    except OSError as error:
        raise WorldError(f"{out}: {error.strerror}", retryable=False) from error
    with file:
        yield file


def _write(lines: Iterable[bytes], file: BinaryIO) -> int:
    written = 0
    for line in lines:
        file.write(line + b"\n")
        file.flush()
        written += 1
    return written
