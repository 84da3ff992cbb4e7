"""What `twin predict` and `twin attack` are given: a fleet's service on a graph, weights, loads."""

import random
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import click
import numpy as np
from numpy.typing import NDArray

from anycastle.base.errors import MisuseError, ParseError
from anycastle.cli.output import message
from anycastle.cli.twin_input import (
    SYNTHETIC_MAX,
    describe,
    open_fleet,
    open_graph,
    open_weights,
    show_remarks,
    weights_option,
)
from anycastle.io.as_weights import read_labels
from anycastle.io.config.units import MULTIPLES, parse_capacity
from anycastle.kernels.lane_vectors import LANES
from anycastle.model.fleet import Fleet
from anycastle.model.prefix import Prefix, parse_prefix
from anycastle.twin.graph import ASGraph
from anycastle.twin.intent import Intent, intent_of
from anycastle.twin.regions import regions_of_nodes
from anycastle.twin.synthetic_fleet import make_graph_for
from anycastle.twin.weights import Weights

F = TypeVar("F", bound=Callable[..., Any])

MEMBERS_MAX: Final = 8 * LANES
"""The orders of 512 members on the graph of 2025 take 160 MB."""
_SYNTHETIC: Final = re.compile(r"synthetic(?::(\d{1,7}))?(?::(\d{1,9}))?")
_ASES: Final = 5000
"""Of a synthetic graph, unless told otherwise: a second, and catchments of some hundred ASes."""
_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


def fleet_options(command: F) -> F:
    """Add the options that name a fleet's service, the graph and the weights; `open_question` takes them."""
    options = (
        click.option("--fleet", type=click.Path(path_type=Path, exists=True, file_okay=False), required=True,
                     help="The fleet's folder."),
        click.option("--service", help="Of the fleet; its first one unless given."),
        click.option("--prefix", help="Of the service; its first one unless given. Tells which sessions count."),
        click.option("--graph", "graph_name", default="synthetic", show_default=True,
                     metavar="FILE|synthetic[:ASES[:SEED]]",
                     help="AS relationships. Without data, a graph made here that has the fleet's upstreams."),
        weights_option,
        click.option("--regions", type=_FILE, metavar="FILE",
                     help="Where ASes are: CSV with asn and region or country; or ranges FIRST,LAST,COUNTRY, with"
                     " --asn-ranges. Ties among sessions of one upstream then fall to the nearest PoP."),
        click.option("--asn-ranges", type=_FILE, metavar="FILE", help="Ranges FIRST,LAST,ASN."),
        click.option("--seed", type=click.IntRange(0), default=1, show_default=True,
                     help="Of the orders in which ties are broken."),
        click.option("--members", type=click.IntRange(LANES, MEMBERS_MAX), default=2 * LANES, show_default=True,
                     help=f"Ways in which ties may fall, a multiple of {LANES}."),
        click.option("--no-cache", is_flag=True, help="Neither read nor write the arrays kept of a graph file."),
    )  # fmt: skip
    for option in reversed(options):  # the last one that is added stands first in the help
        command = option(command)
    return command


def parse_load(text: str | None, hint: str) -> float | None:
    """Parse a load with a unit, as capacities are written, or raise a usage error."""
    try:
        return None if text is None else parse_capacity(text)
    except ParseError as error:
        raise click.BadParameter(str(error), param_hint=hint) from error


@dataclass(frozen=True, slots=True)
class Question:
    """A fleet on a graph, with weights; all that was asked, checked."""

    fleet: Fleet
    graph: ASGraph
    intent: Intent
    weights: Weights
    randomness: np.random.Generator
    members: int
    labels: dict[int, str]
    """ASN -> region or country, where they are known."""

    whence: str
    """What tells so, for people."""

    @property
    def region(self) -> NDArray[np.int8] | None:
        """Give where each node is; None where nothing is known."""
        return regions_of_nodes(self.graph, self.labels) if self.labels else None


def open_question(given: dict[str, Any], others: Sequence[Fleet] = ()) -> Question:
    """Read the fleet, the graph and the weights, and say on standard error what they are.

    `others` are fleets whose upstreams a graph made here shall have as well. Raises usage errors.
    """
    if given["members"] % LANES:
        raise click.BadParameter(f"a multiple of {LANES} is wanted", param_hint="--members")
    fleet = open_fleet(given["fleet"])
    graph, labels = _open_graph((fleet, *others), given["graph_name"], given["no_cache"])
    labels = labels if given["regions"] is None else _labels(given["regions"], given["asn_ranges"])
    weights = open_weights(graph, given["weights"])
    intent = ask(fleet, graph, given["service"], _prefix(given["prefix"]))
    if not intent.deployment.groups:
        show_remarks(intent.remarks)
        raise click.UsageError(f"no upstream of the service {intent.service} is in this graph")
    randomness = np.random.default_rng(given["seed"])
    whence = "drawn by region, for the graph is synthetic" if given["regions"] is None else given["regions"].name
    return Question(fleet, graph, intent, weights, randomness, given["members"], labels, whence)


def ask(fleet: Fleet, graph: ASGraph, service: str | None, prefix: Prefix | None = None) -> Intent:
    """Give the intent of a fleet's service, or raise a usage error."""
    try:
        return intent_of(fleet, graph, service, prefix)
    except MisuseError as error:
        raise click.UsageError(str(error)) from error


def _prefix(text: str | None) -> Prefix | None:
    if text is None:
        return None
    try:
        return parse_prefix(text)
    except ParseError as error:
        raise click.BadParameter(str(error), param_hint="--prefix") from error


def _open_graph(fleets: Iterable[Fleet], name: str, no_cache: bool) -> tuple[ASGraph, dict[int, str]]:
    made = _SYNTHETIC.fullmatch(name)
    if made is None:
        return open_graph(name, no_cache).graph, {}
    ases = int(made[1] or _ASES)
    if not 100 <= ases <= SYNTHETIC_MAX:
        raise click.BadParameter(f"100 to {SYNTHETIC_MAX} ASes can be made", param_hint="--graph")
    found = make_graph_for(fleets, ases, random.Random(int(made[2] or 1)))
    message(describe(found.graph))
    message("this graph is made up: it shows how a change works, not where users are; give --graph FILE for that")
    return found.graph, {int(asn): region for asn, region in found.region.items()}


def _labels(path: Path, asn_ranges: Path | None) -> dict[int, str]:
    try:
        return read_labels(path, asn_ranges)
    except ParseError as error:
        raise click.UsageError(f"--regions: {error}") from error


def percent(share: float) -> str:
    """Give a share as people read it."""
    return f"{100 * share:.1f} %"


def amount(value: float | None) -> str:
    """Give a load or capacity with three digits and its unit: `38.2G`."""
    if value is None:
        return "-"
    for unit, multiple in sorted(MULTIPLES.items(), key=lambda each: -each[1]):
        if abs(value) >= multiple:
            return f"{value / multiple:.3g}{unit}" if abs(value) < 999.5 * multiple else f"{value / multiple:.0f}{unit}"
    return f"{value:.3g}"
