"""What the commands of `anycastle twin` are given: graphs, announcers, PoPs."""

import random
import re
from pathlib import Path
from typing import Final

import click

from anycastle.base.errors import ParseError
from anycastle.cli.output import message
from anycastle.io.as_graph import LoadedGraph, default_cache_folder, load_graph
from anycastle.model.asn import ASN, parse_asn
from anycastle.twin.graph import ASGraph
from anycastle.twin.synthetic import make_graph

SYNTHETIC_MAX: Final = 200_000
_SYNTHETIC: Final = re.compile(r"synthetic:(\d{1,7})(?::(\d{1,9}))?")


def open_graph(name: str, no_cache: bool) -> LoadedGraph:
    """Give the graph that was named, and say on standard error what it is and from when."""
    made = _SYNTHETIC.fullmatch(name)
    if made is not None:
        if int(made[1]) > SYNTHETIC_MAX:
            raise click.BadParameter(f"at most {SYNTHETIC_MAX} ASes are made", param_hint="GRAPH")
        loaded = LoadedGraph(make_graph(int(made[1]), random.Random(int(made[2] or 1))).graph, False, None)
    else:
        if not Path(name).exists():
            raise click.BadParameter(
                f"there is no file {name!r}; synthetic:5000 is a graph made here", param_hint="GRAPH"
            )
        loaded = load_graph(Path(name), cache=None if no_cache else default_cache_folder())
    message(describe(loaded.graph))
    return loaded


def describe(graph: ASGraph) -> str:
    """Give the one line that says which graph, from when, how large."""
    own = f", {graph.origin.own_links} adjacencies of our own" if graph.origin.own_links else ""
    name = f"{graph.origin.name} of {graph.origin.date}" if graph.origin.date else graph.origin.name
    return f"graph: {name}, {len(graph):,} ASes, {graph.link_count:,} links{own}"


def parse_origin(text: str) -> tuple[ASN, int]:
    """Parse `ASN[:PREPEND]`."""
    asn, _, prepend = text.partition(":")
    if prepend and not (prepend.isascii() and prepend.isdigit() and len(prepend) <= 5):
        raise click.BadParameter(f"{text!r}: {prepend!r} is no number of prepends", param_hint="--origin")
    try:
        return parse_asn(asn), int(prepend or 0)
    except ParseError as error:
        raise click.BadParameter(f"{text!r}: {error}; write ASN or ASN:PREPENDS", param_hint="--origin") from error


def check_asns(graph: ASGraph, asns: list[ASN], hint: str) -> None:
    """Raise a usage error that names the ASNs that the graph does not have."""
    absent = [f"AS{asn}" for asn, node in zip(asns, graph.nodes(asns), strict=True) if node < 0]
    if absent:
        raise click.BadParameter(f"not in this graph: {', '.join(absent)}", param_hint=hint)
