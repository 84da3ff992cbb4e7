"""The options that name what a controller foretells shifts by."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, Final, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

_FILE: Final = click.Path(path_type=Path, exists=True, dir_okay=False)
_OPTIONS: Final = (
    click.option("--graph", type=_FILE,
                 help="AS relationships: the API tells what a change would move. [default: it does not]"),
    click.option("--weights", type=_FILE, help="How much each AS counts, as of `twin predict`. [default: all alike]"),
    click.option("--regions", type=_FILE, help="Where ASes are, as of `twin predict`."),
    click.option("--asn-ranges", type=_FILE, help="Ranges FIRST,LAST,ASN, for --regions that are ranges."),
    click.option("--calibration", type=_FILE, help="A model of `twin calibrate`, with the fleet's PoPs."),
)  # fmt: skip


def twin_files_options(command: F) -> Callable[..., Any]:
    """Give a command its `twin`: the files, or None without a graph."""

    @wraps(command)
    def with_twin(
        *arguments: Any, graph: Path | None, weights: Path | None, regions: Path | None, asn_ranges: Path | None,
        calibration: Path | None, **given: Any,
    ) -> Any:  # fmt: skip
        from anycastle.io.foretelling import TwinFiles

        if graph is None and (weights or regions or asn_ranges or calibration):
            raise click.UsageError("--weights, --regions, --asn-ranges and --calibration go with --graph")
        twin = None if graph is None else TwinFiles(graph, weights, regions, asn_ranges, calibration)
        return command(*arguments, twin=twin, **given)

    made: Callable[..., Any] = with_twin
    for option in reversed(_OPTIONS):
        made = option(made)
    return made
