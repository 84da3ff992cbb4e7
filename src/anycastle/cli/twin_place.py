"""`anycastle twin place`: what further PoPs would give, and cost."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import click
import numpy as np
from numpy.typing import NDArray

from anycastle.cli.output import Form, message, output_option, print_form
from anycastle.cli.twin_input import (
    PICTURE,
    Asked,
    about_graph,
    deployment_options,
    open_fleet,
    open_graph,
    open_weights,
    parse_as,
    prepends_of,
    progress,
    read_deployment,
    weights_option,
)
from anycastle.cli.twin_place_report import best_option, explain, plain_placement, table

if TYPE_CHECKING:
    from anycastle.io.placement.places import Located
    from anycastle.model.asn import ASN
    from anycastle.model.pop import Location
    from anycastle.twin.convergence import Observed, Overlay
    from anycastle.twin.deployment import Configuration, Deployment
    from anycastle.twin.graph import ASGraph
    from anycastle.twin.placement import Option, Placement, Search, Site, Terms

FILE = click.Path(path_type=Path, dir_okay=False, exists=True)
ANNOUNCE: Final = "announce"
"""What adding a PoP is, as `watch` names it."""
AIMS: Final = ("mean", "p95", "under-30", "under-50", "under-100")


def _question_options(command: Any) -> Any:
    for option in (
        click.option("--sites", "sites_file", type=FILE, required=True,
                     help="Candidates, and prices of PoPs that are there: YAML or CSV."),
        click.option("--most", type=click.IntRange(1, 16), default=3, show_default=True,
                     help="Candidates to add, at most."),
        click.option("--aim", type=click.Choice(AIMS), default="mean", show_default=True,
                     help="What is to be best: the mean or the 95th percentile round trip, or users under so many ms."),
        click.option("--budget", type=click.FloatRange(0), help="Most that may be spent in a month."),
        click.option("--traffic", type=click.FloatRange(0), default=0.0, metavar="MBPS",
                     help="Traffic of all users together, as it is billed."),
        click.option("--value-per-ms", type=click.FloatRange(0, min_open=True),
                     help="What a millisecond less for the mean user is worth in a month."),
        click.option("--months", type=click.IntRange(1, 600), default=36, show_default=True,
                     help="Over which setting up is spread."),
        click.option("--no-exact", is_flag=True, help="Only greedy, also where all sets could be tried."),
    )[::-1]:  # fmt: skip
        command = option(command)
    return command


def _data_options(command: Any) -> Any:
    for option in (
        click.option("--asn-ranges", type=FILE, help="Ranges FIRST,LAST,ASN of addresses; with --countries."),
        click.option("--countries", type=FILE, help="Ranges FIRST,LAST,COUNTRY: where networks are."),
        click.option("--places", type=FILE, help="CSV asn,latitude,longitude[,region]: where networks are."),
        weights_option,
        click.option("--rtt", type=FILE, help="CSV asn,pop,rtt_ms: measured, in place of the model."),
        click.option("--convergence", type=FILE, help="Measured times, CSV or NDJSON: how long a step takes."),
        click.option("--seed", type=click.IntRange(0), default=1, show_default=True,
                     help="Of the orders of ties, and of --convergence."),
    )[::-1]:  # fmt: skip
        command = option(command)
    return command


@click.command()
@click.argument("graph_name", metavar="GRAPH")
@deployment_options
@_question_options
@_data_options
@click.option("--plot", type=PICTURE, help="The curve of users by cost: FILE.svg or FILE.png.")
@click.option("--map", "map_file", type=PICTURE, help="Catchments with the best set: FILE.svg or FILE.png.")
@output_option(Form.TABLE, Form.JSON)
@click.option("--no-cache", is_flag=True, help="Neither read nor write the arrays kept of a file.")
def place(graph_name: str, form: Form, no_cache: bool, **given: Any) -> None:
    """Add candidates to the PoPs of today, and tell what users get, and what it costs.

    BGP decides who lands at a new PoP: NEAREST is the mean that a map of distances would have claimed, BY TIES how far
    the mean goes when routes that are equal by the rules fall another way. Round trips are modelled from distance, or
    measured. COST is of a month beyond today; PER MS that by the mean's milliseconds saved; PAYS AT what a
    millisecond must be worth in a month, setting up included. Candidates announce plainly.

    \b
    Example:
      anycastle twin place synthetic:5000 --asn 64500 --pop fra1=100 --sites sites.yaml --most 2
    """
    loaded = open_graph(graph_name, no_cache)
    question = _ask(graph_name, loaded.graph, given)
    search, exact = question.search, not given["no_exact"]
    total = 1 + len(search.candidates) * search.terms.most + (search.sets if exact else 0)
    with progress(total, "sets of candidates") as bar:
        found = search.run(bar.update, exact=exact)
    overlays = _overlays(found, question, given)
    plain = plain_placement(found, question.search, question.located.source, overlays)
    print_form(form, {"graph": about_graph(loaded.graph), **plain}, table(found))
    if form is Form.TABLE:
        explain(found, overlays)
    _draw(found, question, loaded.graph, given)


class Question(NamedTuple):
    """All that was asked, read and checked."""

    search: "Search"
    located: "Located"
    at: Mapping[str, "Location"]
    observed: "tuple[Observed, ...]"
    weights: NDArray[np.float64]


def _ask(graph_name: str, graph: "ASGraph", given: dict[str, Any]) -> Question:
    """Read all that was named; everything that is wrong in a file is told before anything is worked out."""
    from anycastle.io.placement.measured import read_round_trips
    from anycastle.io.placement.sites import read_sites
    from anycastle.twin.placement import Search, joined_deployment
    from anycastle.twin.rtt import round_trips
    from anycastle.twin.sweep import compile_deployment
    from anycastle.twin.users import Users

    sites = read_sites(given["sites_file"])
    asked = read_deployment(graph, given)
    present = asked.deployment
    candidates = _candidates(sites, present, graph)
    at = _locations(sites, present, given)
    deployment = joined_deployment(present, candidates, _own_asn(present, given))
    located = _locate(graph_name, graph, given)
    weights = open_weights(graph, given["weights"]).of_node
    left_out = {site.name for site in sites} - set(deployment.pops)
    measured, strangers = (
        ({}, 0) if given["rtt"] is None else read_round_trips(given["rtt"], graph, deployment.pops, left_out)
    )
    observed = () if given["convergence"] is None else _announcements(given["convergence"])
    points = np.array([(at[pop].latitude, at[pop].longitude) for pop in deployment.pops])
    trips = round_trips(located.place_of, located.places, points, measured)
    users = Users.of(compile_deployment(graph, deployment), trips, weights, _as_today(deployment, asked))
    message(f"places: {located.source}; {100 * users.located:.1f} % of the weight has one")
    message(f"round trips: {trips.source}" + (f"; {len(measured):,} of AS and PoP measured" if measured else ""))
    if given["weights"] == "equal":
        message("all ASes count alike; --weights tells how many users each has")
    if strangers:
        message(f"{strangers:,} rows of --rtt are of ASes that the graph does not have", severity="warning")
    known = [site for site in sites if site.name in present.pops]
    search = Search.of(users, present.pops, candidates, _terms(given, len(candidates)), known, given["seed"])
    return Question(search, located, at, observed, weights)


def _as_today(deployment: "Deployment", asked: Asked) -> "Configuration":
    """Give how each session announces: those of today as they do, candidates plainly."""
    from anycastle.twin.deployment import PLAIN, Configuration, Treatment
    from anycastle.twin.sweep import WITHHELD

    today = dict(zip([group.name for group in asked.deployment.groups], prepends_of(asked), strict=True))
    announced = {name: Treatment(prepend) for name, prepend in today.items() if prepend != WITHHELD}
    candidates = {group.name: PLAIN for group in deployment.groups if group.name not in today}
    return Configuration(announced | candidates)


def _terms(given: Mapping[str, Any], candidates: int) -> "Terms":
    from anycastle.twin.placement import Aim, Terms

    budget = inf if given["budget"] is None else given["budget"]
    most = min(given["most"], candidates)
    return Terms(Aim(given["aim"]), most, budget, given["traffic"], given["value_per_ms"], given["months"])


def _announcements(path: Path) -> "tuple[Observed, ...]":
    """Read measured times, and see that announcements are among them: that is what a new PoP makes."""
    from anycastle.io.placement.measured import read_convergence

    observed = read_convergence(path)
    if not any(each.action == ANNOUNCE for each in observed):
        actions = ", ".join(sorted({each.action for each in observed}))
        raise click.BadParameter(f"{path} has no {ANNOUNCE!r}; it has: {actions}", param_hint="--convergence")
    return observed


def _candidates(sites: "Sequence[Site]", present: "Deployment", graph: "ASGraph") -> "list[Site]":
    """Give the sites that are no PoP yet, less neighbours that the graph does not have; these are named."""
    from dataclasses import replace

    found, absent = [], set()
    for site in sites:
        if site.name in present.pops:
            continue
        nodes = graph.nodes([session.neighbour for session in site.sessions])
        there = tuple(session for session, node in zip(site.sessions, nodes, strict=True) if node >= 0)
        absent |= {session.neighbour for session in site.sessions} - {session.neighbour for session in there}
        if there:
            found.append(replace(site, sessions=there))
        else:
            why = "has no upstreams" if not site.sessions else "has no upstream that is in this graph"
            message(f"candidate {site.name} {why}, and is left out", severity="warning")
    if absent:
        message(
            f"not in this graph, and left out: {', '.join(f'AS{asn}' for asn in sorted(absent))}", severity="warning"
        )
    if not found:
        raise click.BadParameter("no candidate is left; a site of the name of a PoP only tells its prices",
                                 param_hint="--sites")  # fmt: skip
    return found


def _locations(sites: "Sequence[Site]", present: "Deployment", given: Mapping[str, Any]) -> "dict[str, Location]":
    at = {}
    if given["fleet"]:
        at = {pop.name: pop.location for pop in open_fleet(given["fleet"]).pops}
    at |= {site.name: site.location for site in sites}
    nowhere = [pop for pop in present.pops if pop not in at]
    if nowhere:
        words = f"where is {', '.join(nowhere)}? Give each PoP of today a row of its own, with its coordinates"
        raise click.BadParameter(words, param_hint="--sites")
    return at


def _own_asn(present: "Deployment", given: Mapping[str, Any]) -> "ASN":
    if given["asn"] is not None:
        return parse_as(given["asn"], "--asn")
    return present.groups[0].asn


def _locate(graph_name: str, graph: "ASGraph", given: Mapping[str, Any]) -> "Located":
    import random

    from anycastle.io.placement.places import located_by_country, located_by_csv, located_by_region
    from anycastle.twin.synthetic import make_graph

    ranges = [given[name] for name in ("asn_ranges", "countries")]
    if any(ranges) and not all(ranges):
        raise click.UsageError("--asn-ranges and --countries only tell something together")
    found = located_by_country(graph, *ranges) if all(ranges) else None
    if given["places"] is not None:
        return located_by_csv(graph, given["places"], found)
    if found is None and graph_name.startswith("synthetic:"):
        _, ases, seed = f"{graph_name}:1".split(":")[:3]
        regions = {int(asn): name for asn, name in make_graph(int(ases), random.Random(int(seed))).region.items()}
        found = located_by_region(graph, regions, np.random.default_rng(int(seed)))
    if found is None:
        raise click.UsageError("where are the networks? Give --asn-ranges with --countries, or --places")
    return found


def _overlays(found: "Placement", question: Question, given: Mapping[str, Any]) -> "tuple[Overlay, ...]":
    """Give how long each step of greedy takes; the users that it moves hear of an announcement."""
    if not question.observed:
        return ()
    from anycastle.twin.convergence import Overlay, overlay

    users, told = question.search.users, list[Overlay]()
    randomness, total = np.random.default_rng(given["seed"]), question.weights.sum()
    routes = [users.routes(question.search.present | set(each.added)) for each in (found.today, *found.greedy)]
    for before, after in pairwise(routes):
        there = np.flatnonzero((before.pop() != after.pop()) & (question.weights > 0))
        branch = after.fields().next_hop[there].astype(np.int64)
        told.append(overlay(ANNOUNCE, question.weights[there] / total, branch, question.observed, randomness))
    return tuple(told)


def _draw(found: "Placement", question: Question, graph: "ASGraph", given: Mapping[str, Any]) -> None:
    if given["plot"] is not None:
        from anycastle.io.pictures.placement import Step, draw_placement

        steps = [
            Step(
                "today" if not each.added else "+ " + " ".join(each.added),
                each.economics.cost_per_month,
                tuple((share.value, share.worst, share.best) for share in each.served.all.under),
            )
            for each in (found.today, *found.greedy)
        ]
        draw_placement(steps, given["plot"], about=_about(graph))
        message(f"curve in {given['plot']}")
    if given["map_file"] is not None:
        _draw_map(best_option(found), question, graph, given["map_file"])


def _about(graph: "ASGraph") -> str:
    return f"{graph.origin.name} of {graph.origin.date}" if graph.origin.date else graph.origin.name


def _draw_map(option: "Option", question: Question, graph: "ASGraph", path: Path) -> None:
    from anycastle.io.pictures.catchments import MapPoP, draw_catchments, spread_networks

    users = question.search.users
    names = users.compiled.wiring.deployment.pops
    landed = users.routes(question.search.present | set(option.added)).pop()
    shown = [at for at, name in enumerate(names) if name in option.served.pops]
    state = dict.fromkeys(option.added, "new")
    pops = [
        MapPoP(names[at], question.at[names[at]].latitude, question.at[names[at]].longitude,
               state.get(names[at], "announced"), option.served.shares[at])
        for at in shown
    ]  # fmt: skip
    number = {at: place for place, at in enumerate(shown)}
    pop_of = np.array([number.get(int(each), -1) for each in landed], np.int32)
    networks = spread_networks(question.located.place_of, question.located.places, pop_of, question.weights)
    draw_catchments(pops, networks, path, title=f"Who lands where with {' '.join(option.added) or 'the PoPs of today'}",
                    about=_about(graph))  # fmt: skip
    message(f"map in {path}")
