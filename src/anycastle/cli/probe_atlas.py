"""`anycastle probe atlas`: measurements of RIPE Atlas, and results of every kind and firmware in one shape."""

import sys
from collections import Counter
from pathlib import Path
from types import MappingProxyType
from typing import Final

import click

from anycastle.cli.lazy_group import Command, FilesGroup, group_of
from anycastle.cli.output import Form, Table, counted, message, nothing_read, output_option, print_ndjson, print_table

GARBAGE = 1
GARBAGE_SHOWN = 10


SUBCOMMANDS: Final = MappingProxyType(
    {
        "create": Command("anycastle.cli.probe_atlas_api", "create", "Order a measurement; says first what it costs."),
        "fetch": Command("anycastle.cli.probe_atlas_api", "fetch", "Fetch a measurement's results."),
        "follow": Command("anycastle.cli.probe_atlas_api", "follow", "Print results as they come."),
        "parse": Command("anycastle.cli.probe_atlas", "parse", "Read results from files."),
    }
)
"""All subcommands."""


@click.group("atlas", cls=group_of(SUBCOMMANDS, FilesGroup))
def atlas() -> None:
    """Order measurements of RIPE Atlas, and read their results.

    \b
    Example:
      anycastle probe atlas create dns 192.0.2.53 --probes 50 --key-file atlas.key
      anycastle probe atlas fetch 12345678 --out results.ndjson
      anycastle probe catchments results.ndjson
    """


@click.command()
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
