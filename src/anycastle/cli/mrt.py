"""`anycastle mrt`: what is in an archive of a route collector, for scripts and for people."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import click

from anycastle.base.errors import ParseError, WorldError
from anycastle.cli.output import nothing_read

if TYPE_CHECKING:
    from anycastle.io.feeds.route_batches import RouteBatch, RouteReader
    from anycastle.kernels.row_filter import RowFilter

DAMAGE_SHOWN: Final = 10
"""Damaged records that are named; the others are only counted."""

PROGRESS_INTERVAL_S: Final = 0.5
KEPT_OCTETS_MAX: Final = 64 * 1024 * 1024
"""Octets of different paths and communities after which they are forgotten: each batch stands for itself here."""


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "-o", "--output", type=click.Choice(["bgpdump", "ndjson", "csv", "parquet", "count"]), default="bgpdump",
    show_default=True, help="bgpdump: the lines of `bgpdump -m`; parquet goes to a file or a pipe.",
)  # fmt: skip
@click.option("--prefix", "prefixes", multiple=True, metavar="PREFIX", help="Only routes to this prefix.")
@click.option("--more-specifics", is_flag=True, help="And to prefixes within those of --prefix.")
@click.option("--peer", "peers", multiple=True, metavar="ADDRESS|ASN", help="Only what this peer told.")
@click.option("--origin", "origins", multiple=True, metavar="ASN", help="Only routes that this AS originates.")
@click.option("--path", metavar="REGEX", help="Only routes in whose AS path this is found, such as '^64500 .* 64501$'.")
@click.option("--from", "start", metavar="TIME", help="Only from then on: 2026-11-23T15:00:00Z, or seconds since 1970.")
@click.option("--to", "end", metavar="TIME", help="Only before then.")
def mrt(
    files: tuple[str, ...],
    output: str,
    prefixes: tuple[str, ...],
    more_specifics: bool,
    peers: tuple[str, ...],
    origins: tuple[str, ...],
    path: str | None,
    start: str | None,
    end: str | None,
) -> None:
    """Print the routes of MRT archives: updates and RIBs, packed or not.

    A FILE is a path, an http(s) address, or - for standard input; gzip, bzip2, zstd and xz are recognized. Records that
    cannot be read are passed over and named on standard error. --prefix, --peer and --origin may be given several
    times; one of each must fit. Withdrawn routes have no origin and no AS path.
    """
    asked = None
    if more_specifics and not prefixes:
        raise click.UsageError("--more-specifics needs --prefix")
    if prefixes or peers or origins or path is not None or start is not None or end is not None:
        asked = _asked(prefixes, more_specifics, peers, origins, path, start, end)
    if output == "parquet" and sys.stdout.isatty():
        raise click.UsageError("-o parquet is not for a terminal: send it to a file, `> routes.parquet`")
    reader = _reader()
    try:
        _OUTPUTS[output](reader, _with_progress(reader, reader.read(files)), asked)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    _tell_damage(reader)


def _reader() -> RouteReader:
    try:
        from anycastle.io.feeds.route_batches import RouteReader

        return RouteReader()
    except ModuleNotFoundError as error:
        text = f"{error.name} is not installed; archives need `pip install 'anycastle[observe]'`"
        raise click.ClickException(text) from error


def _asked(
    prefixes: tuple[str, ...],
    more_specifics: bool,
    peers: tuple[str, ...],
    origins: tuple[str, ...],
    path: str | None,
    start: str | None,
    end: str | None,
) -> RowFilter:
    from anycastle.kernels.row_filter import RowFilter
    from anycastle.model.asn import parse_asn
    from anycastle.model.prefix import parse_prefix

    return RowFilter(
        tuple(_parsed("--prefix", parse_prefix, text) for text in prefixes),
        more_specifics,
        tuple(_parsed("--peer", _parse_peer, text) for text in peers),
        tuple(_parsed("--origin", parse_asn, text) for text in origins),
        None if path is None else _parsed("--path", _parse_pattern, path),
        None if start is None else _parsed("--from", _parse_time, start),
        None if end is None else _parsed("--to", _parse_time, end),
    )


def _parsed(option: str, parse: Callable[[str], Any], text: str) -> Any:
    try:
        return parse(text)
    except ParseError as error:
        raise click.BadParameter(str(error), param_hint=option) from error


def _parse_peer(text: str) -> Any:
    from anycastle.model.asn import parse_asn
    from anycastle.model.prefix import parse_address

    if ":" in text or text.count(".") == 3:
        return parse_address(text)
    try:
        return parse_asn(text)
    except ParseError:
        raise ParseError(f"{text!r} is neither an address nor an AS number") from None


def _parse_pattern(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as error:
        raise ParseError(f"{text!r} is no regular expression: {error}") from error


def _parse_time(text: str) -> int:
    """Give microseconds since 1970; a time without zone is UTC."""
    try:
        moment = datetime.fromisoformat(text) if not re.fullmatch(r"\d+(\.\d+)?", text) else None
    except ValueError:
        raise ParseError(f"{text!r} is no time such as 2026-11-23T15:00:00Z, and no seconds since 1970") from None
    if moment is None:
        return round(float(text) * 1_000_000)
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1_000_000)


def _with_progress(reader: RouteReader, batches: Iterator[RouteBatch]) -> Iterator[RouteBatch]:
    """Give the batches, and tell people at a terminal how far it is, unless they see the rows themselves."""
    if not sys.stderr.isatty() or sys.stdout.isatty():
        yield from batches
        return
    last = time.monotonic()
    told = False
    for batch in batches:
        if time.monotonic() - last > PROGRESS_INTERVAL_S:
            last, told = time.monotonic(), True
            text = f"{reader.octets_read / 1e6:,.0f} MB, {reader.decoder.counts.rows:,} routes"
            click.echo(f"\r\x1b[K{batch.source}: {text}", nl=False, err=True)
        yield batch
    if told:
        click.echo("\r\x1b[K", nl=False, err=True)


def _selected(batch: RouteBatch, asked: RowFilter | None) -> tuple[Any, Any]:
    """Give the rows that are asked for, and their attributes."""
    import numpy as np

    decoder = batch.reader.attributes
    if decoder.octets_kept > KEPT_OCTETS_MAX:
        decoder.forget()
    if asked is None:
        return np.arange(batch.rows, dtype=np.uint32), batch.attributes()
    rows = asked.rows(batch.columns, batch.reader.peer)
    if asked.origins:
        rows = rows[asked.by_origin(batch.columns, rows, batch.origins(rows))]
    if asked.path is not None:
        rows = rows[asked.by_path(batch.columns, rows, batch.paths(rows).path, decoder)]
    return rows, batch.attributes(rows)


def _write_bgpdump(reader: RouteReader, batches: Iterator[RouteBatch], asked: RowFilter | None) -> None:
    from anycastle.io.kernel_cache import load_kernel
    from anycastle.kernels.mrt import FORMAT_KEPT, FORMAT_ROWS
    from anycastle.kernels.row_formatter import RowFormatter

    formatter = RowFormatter(load_kernel(FORMAT_ROWS), load_kernel(FORMAT_KEPT))
    out = sys.stdout.buffer
    for batch in batches:
        rows, attributes = _selected(batch, asked)
        for lines in formatter.lines(reader.decoder, reader.attributes, batch.columns, attributes, rows):
            out.write(lines)


def _write_ndjson(_reader: RouteReader, batches: Iterator[RouteBatch], asked: RowFilter | None) -> None:
    import msgspec

    from anycastle.io.feeds.row_values import row_values

    encoder = msgspec.json.Encoder()
    for batch in batches:
        sys.stdout.buffer.write(encoder.encode_lines(row_values(batch, *_selected(batch, asked))))


def _write_csv(_reader: RouteReader, batches: Iterator[RouteBatch], asked: RowFilter | None) -> None:
    import csv

    from anycastle.io.feeds.row_values import FIELDS, row_values

    writer = csv.DictWriter(sys.stdout, FIELDS, restval="", lineterminator="\n")
    writer.writeheader()
    for batch in batches:
        for value in row_values(batch, *_selected(batch, asked)):
            writer.writerow({name: _cell(each) for name, each in value.items()})


def _cell(value: Any) -> Any:
    if isinstance(value, list):
        return " ".join(value)
    return str(value).lower() if isinstance(value, bool) else value


def _write_parquet(_reader: RouteReader, batches: Iterator[RouteBatch], asked: RowFilter | None) -> None:
    from anycastle.io.feeds.row_parquet import RowParquet

    parquet = RowParquet(sys.stdout.buffer)
    for batch in batches:
        rows, attributes = _selected(batch, asked)
        if len(rows):
            parquet.write(batch, rows, attributes)
    parquet.close()


def _write_count(reader: RouteReader, batches: Iterator[RouteBatch], asked: RowFilter | None) -> None:
    kinds = [0, 0, 0, 0]
    for batch in batches:
        if asked is not None:
            import numpy as np

            rows, _ = _selected(batch, asked)
            found = np.bincount(batch.columns.kind[rows], minlength=4)
            kinds = [before + int(more) for before, more in zip(kinds, found, strict=True)]
    counts = reader.decoder.counts
    if asked is None:
        kinds = [counts.announced, counts.withdrawn, counts.rib_routes, counts.state_changes]
    names = ("announced", "withdrawn", "rib_routes", "state_changes")
    lines = [*zip(names, kinds, strict=True), ("peers", counts.peers), ("records", counts.records)]
    lines += [("unknown_records", counts.unknown), ("damaged_records", reader.damaged)]
    click.echo("".join(f"{name:<16}{number}\n" for name, number in lines), nl=False)


_OUTPUTS: Final = {
    "bgpdump": _write_bgpdump,
    "ndjson": _write_ndjson,
    "csv": _write_csv,
    "parquet": _write_parquet,
    "count": _write_count,
}


def _tell_damage(reader: RouteReader) -> None:
    for name, damage in reader.damage[:DAMAGE_SHOWN]:
        click.echo(f"{name}: {damage}", err=True)
    if reader.damaged > DAMAGE_SHOWN:
        click.echo(f"... and {reader.damaged - DAMAGE_SHOWN} more records that cannot be read", err=True)
    if reader.unreadable:
        raise WorldError(nothing_read(reader.unreadable, "MRT"), retryable=False)
