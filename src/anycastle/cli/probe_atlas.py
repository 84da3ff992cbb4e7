"""`anycastle probe atlas`: results of RIPE Atlas, of every kind and firmware, in one shape."""

import sys
from collections import Counter
from pathlib import Path

import click

from anycastle.cli.output import Form, Table, counted, message, nothing_read, output_option, print_ndjson, print_table

GARBAGE = 1
GARBAGE_SHOWN = 10


@click.group()
def atlas() -> None:
    """Read results of RIPE Atlas."""


@atlas.command()
@click.argument(
    "files", nargs=-1, required=True, metavar="FILE...", type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@output_option(Form.TABLE, Form.NDJSON)
def parse(files: tuple[Path, ...], form: Form) -> None:
    """Read results: dns, http, ntp, ping, sslcert, traceroute, of every firmware.

    A FILE is a JSON list or has one result a line; packed or not. The table counts results by kind; with -o ndjson each
    result is a line. What went wrong at a probe is part of its result, in `error`. What is no result is named on
    standard error, and the exit code is 1.

    \b
    Example:
      anycastle probe atlas parse results.jsonl -o ndjson
    """
    from anycastle.io.atlas import read_results
    from anycastle.wire.atlas.parse import KINDS, kind_of, plain
    from anycastle.wire.atlas.result import Garbage

    results: Counter[str] = Counter()
    errors: Counter[str] = Counter()
    garbage = 0
    for path in files:
        for where, result, _value in read_results(path):
            if isinstance(result, Garbage):
                garbage += 1
                if garbage <= GARBAGE_SHOWN:
                    message(f"{where}: {result.reason}", severity="error")
                continue
            kind = kind_of(result)
            results[kind] += 1
            errors[kind] += bool(result.error)
            if form is Form.NDJSON:
                print_ndjson([plain(result)])
    total = results.total()
    if not total and not garbage:
        raise click.UsageError(nothing_read([str(path) for path in files], "results of RIPE Atlas"))
    if form is Form.TABLE:
        rows = [(kind, str(results[kind]), str(errors[kind])) for kind in KINDS if results[kind]]
        print_table(Table(("kind", "results", "errors"), rows))
    message(f"{total:,} of {counted(total + garbage, 'result')} read, {errors.total():,} of them an error at the probe")
    sys.exit(GARBAGE if garbage else 0)
