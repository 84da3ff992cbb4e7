"""`anycastle twin sweep`: the shares of many configurations."""

import csv
import itertools
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
import numpy as np
from numpy.typing import NDArray

from anycastle.base.errors import WorldError
from anycastle.cli.output import Table, message, print_ndjson, print_table
from anycastle.cli.twin_input import deployment_options, open_graph, prepends_of, progress, read_deployment
from anycastle.io.catchments.text import read_text
from anycastle.twin.sweep import WITHHELD

if TYPE_CHECKING:
    from anycastle.io.as_graph import LoadedGraph
    from anycastle.twin.deployment import Deployment

CONFIGURATIONS_MAX: Final = 10_000_000
_CELL: Final = re.compile(r"-|[0-9]{1,3}")
_FORMS: Final = ("table", "ndjson")


def _target(_context: click.Context, _parameter: click.Parameter, value: str) -> str | Path:
    if value in _FORMS:
        return value
    if Path(value).suffix == ".npz":
        return Path(value)
    raise click.BadParameter(f"{value!r} is none of {', '.join(_FORMS)} and no file NAME.npz")


@click.command()
@click.argument("graph_name", metavar="GRAPH")
@deployment_options
@click.option(
    "--prepends", type=click.IntRange(0, 16), metavar="MAX", help="All combinations of 0 to MAX prepends by PoP."
)
@click.option("--random", "count", type=click.IntRange(1, CONFIGURATIONS_MAX), metavar="N",
              help="N drawn ones: each PoP withheld, or with 0 to 3 prepends.")  # fmt: skip
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Of --random.")
@click.option("--table", "csv_file", type=click.Path(path_type=Path, dir_okay=False, exists=True),
              help="A CSV file: PoPs in the first line, then prepends, - where a PoP is withheld.")  # fmt: skip
@click.option("--executor", default="here", show_default=True, metavar="NAME",
              help="here, processes, processes:N, or dask://HOST:PORT.")  # fmt: skip
@click.option("-o", "--output", "target", default="table", show_default=True, metavar="table|ndjson|FILE.npz",
              callback=_target,
              help="The range of each PoP's share; one line a configuration; or arrays.")  # fmt: skip
@click.option("--no-cache", is_flag=True, help="Neither read nor write the arrays kept of a file.")
def sweep(graph_name: str, executor: str, target: str | Path, no_cache: bool, **given: Any) -> None:
    """Work out each PoP's share of the ASes under many configurations of prepends.

    Prepends are by PoP, in place of a fleet's own; sessions that it keeps silent stay so.
    FILE.npz holds `pops`, `prepends` (a row a configuration, -1 where a PoP is withheld) and `shares`.

    \b
    Example:
      anycastle twin sweep synthetic:5000 --origin 700 --origin 900 --prepends 3
    """
    loaded = open_graph(graph_name, no_cache)
    asked = read_deployment(loaded.graph, given)
    deployment, silent = asked.deployment, np.array(prepends_of(asked)) == WITHHELD
    by_pop = _configurations(deployment, given)
    rows = np.where(silent, WITHHELD, by_pop[:, deployment.pop_of_group()]).astype(np.int16)
    parts: list[NDArray[np.float64]] = []
    with progress(len(rows), "sweep") as bar:
        for part in _sweep(loaded, deployment, rows, executor):
            parts.append(part)
            bar.update(len(part))
    _give(deployment.pops, by_pop, np.concatenate(parts), target)


def _sweep(
    loaded: "LoadedGraph", deployment: "Deployment", rows: NDArray[np.int16], executor: str
) -> Iterator[NDArray[np.float64]]:
    """Give shares part by part; a graph that is in no cache is put where workers can map it, for that long."""
    from anycastle.io.as_graph import keep_graph
    from anycastle.io.executors import ROWS_OF_A_TASK, open_executor, sweep_with
    from anycastle.twin.sweep import compile_deployment, sweep

    if executor == "here":
        compiled = compile_deployment(loaded.graph, deployment)
        for start in range(0, len(rows), ROWS_OF_A_TASK):
            yield sweep(compiled, rows[start : start + ROWS_OF_A_TASK])
        return
    with open_executor(executor) as workers, tempfile.TemporaryDirectory(prefix="anycastle-") as folder:
        entry = loaded.cached_at or keep_graph(loaded.graph, Path(folder))
        yield from sweep_with(workers, entry, deployment, rows)


def _configurations(deployment: "Deployment", given: dict[str, Any]) -> NDArray[np.int16]:
    """Give int16[configuration, pop]."""
    pops = len(deployment.pops)
    ways = [name for name in ("prepends", "count", "csv_file") if given[name] is not None]
    if len(ways) != 1:
        raise click.UsageError("say which configurations by one of --prepends, --random or --table")
    if ways == ["csv_file"]:
        return _read_table(given["csv_file"], deployment.pops)
    if ways == ["count"]:
        draws = np.random.Generator(np.random.PCG64(given["seed"])).integers(-1, 4, (given["count"], pops))
        return draws.astype(np.int16)
    choices = given["prepends"] + 1
    if choices**pops > CONFIGURATIONS_MAX:
        raise click.UsageError(f"{choices}^{pops} combinations are more than {CONFIGURATIONS_MAX:,}; try --random")
    return np.array(list(itertools.product(range(choices), repeat=pops)), np.int16)


def _read_table(path: Path, pops: tuple[str, ...]) -> NDArray[np.int16]:
    lines = [[cell.strip() for cell in line] for line in csv.reader(read_text(path).splitlines())]
    if not lines or sorted(lines[0]) != sorted(pops):
        raise click.BadParameter(f"{path}:1: the first line names the PoPs: {','.join(pops)}", param_hint="--table")
    rows = []
    for number, line in enumerate(lines[1:], 2):
        if len(line) != len(pops) or not all(_CELL.fullmatch(cell) for cell in line):
            words = f"{path}:{number}: {len(pops)} cells with a number of prepends or - are wanted"
            raise click.BadParameter(words, param_hint="--table")
        rows.append([-1 if cell == "-" else int(cell) for cell in line])
    if not rows:
        raise click.BadParameter(f"{path}:1: no configuration stands below the PoPs", param_hint="--table")
    order = [lines[0].index(pop) for pop in pops]
    return np.array(rows, np.int16).reshape(-1, len(pops))[:, order]


def _give(pops: tuple[str, ...], prepends: NDArray[np.int16], shares: NDArray[np.float64], target: str | Path) -> None:
    if isinstance(target, Path):
        try:
            np.savez_compressed(target, pops=np.array(pops), prepends=prepends, shares=shares)
        except OSError as error:
            raise WorldError(f"{target} cannot be written: {error.strerror}", retryable=False) from error
        message(f"{len(shares):,} configurations in {target}")
    elif target == "ndjson":
        print_ndjson(
            {
                "prepends": {pop: each if each >= 0 else None for pop, each in zip(pops, row, strict=True)},
                "shares": dict(zip(pops, share, strict=True)),
            }
            for row, share in zip(prepends.tolist(), shares.round(6).tolist(), strict=True)
        )
    else:
        cells = [
            (pop, *(f"{100 * np.percentile(shares[:, at], each):.1f} %" for each in (0, 50, 100)))
            for at, pop in enumerate(pops)
        ]
        print_table(Table(("POP", "LEAST", "MEDIAN", "MOST"), cells))
        message(f"{len(shares):,} configurations")
