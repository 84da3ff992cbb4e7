"""`anycastle twin leak`: who would be drawn through a route leak."""

import random
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from anycastle.cli.output import Form, Table, message, output_option, print_form
from anycastle.cli.twin_input import (
    about_graph,
    adopter_options,
    check_asns,
    deployment_options,
    open_graph,
    open_weights,
    parse_as,
    progress,
    read_adopters,
    read_deployment,
    weights_option,
)
from anycastle.model.asn import ASN
from anycastle.twin.policy import Policy

if TYPE_CHECKING:
    from anycastle.twin.leak import Leaked


@click.command()
@click.argument("graph_name", metavar="GRAPH")
@deployment_options
@weights_option
@click.option("--leaker", "leakers", multiple=True, metavar="ASN", help="Who leaks.")
@click.option("--random", "count", type=click.IntRange(1, 100_000), metavar="N", help="N leakers, drawn.")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Of all that is drawn.")
@click.option("--worst", type=click.IntRange(1), default=20, show_default=True, help="Rows of the table.")
@adopter_options(Policy.OTC, Policy.ASPA)
@output_option(Form.TABLE, Form.JSON, Form.NDJSON)
@click.option("--no-cache", is_flag=True, help="Neither read nor write the arrays kept of a file.")
def leak(graph_name: str, form: Form, no_cache: bool, **given: Any) -> None:
    """Tell what share of all ASes would send through each leaker, and what share would land elsewhere than now.

    With --weights, shares are of what these count.
    A leaker passes on to its providers and peers what they or others told it.

    \b
    Example:
      anycastle twin leak synthetic:5000 --origin 700 --random 50
    """
    graph = open_graph(graph_name, no_cache).graph
    deployment, configuration = read_deployment(graph, given)
    leakers = [parse_as(each, "--leaker") for each in given["leakers"]]
    check_asns(graph, leakers, "--leaker")
    if given["count"] and given["count"] > len(graph):
        raise click.BadParameter(f"there are only {len(graph):,} ASes", param_hint="--random")
    if given["count"]:
        leakers += [ASN(asn) for asn in random.Random(given["seed"]).sample(graph.by_asn.tolist(), given["count"])]
    if not leakers:
        raise click.UsageError("say who leaks by --leaker or --random")
    weights = open_weights(graph, given["weights"]).of_node
    adopters = read_adopters(graph, given, given["seed"])
    rows: list[dict[str, Any]] = [
        {
            "leaker": each.leaker,
            "through": round(each.share, 6),
            "lands_elsewhere": round(each.moved, 6),
            "why_not": each.why_not,
        }
        for each in _leaks(graph, deployment, leakers, adopters, configuration, weights)
    ]
    rows.sort(key=lambda row: -float(row["through"]))
    cells = [
        (
            f"AS{row['leaker']}",
            f"{100 * float(row['through']):.2f} %",
            f"{100 * float(row['lands_elsewhere']):.2f} %",
            str(row["why_not"]),
        )
        for row in rows[: given["worst"]]
    ]
    value: Any = rows if form is Form.NDJSON else {"graph": about_graph(graph), "leaks": rows}
    print_form(form, value, Table(("LEAKER", "THROUGH IT", "LAND ELSEWHERE", "WHY NOT"), cells))
    leaking = [row for row in rows if not row["why_not"]]
    if leaking:
        mean = sum(float(row["through"]) for row in leaking) / len(leaking)
        message(f"{len(leaking)} of {len(rows)} leak; through them {100 * mean:.2f} % on average")


def _leaks(graph: Any, deployment: Any, leakers: list[ASN], *more: Any) -> "Iterator[Leaked]":
    from anycastle.twin.leak import leaks

    with progress(len(leakers), "leaks") as bar:
        for each in leaks(graph, deployment, leakers, *more):
            yield each
            bar.update(1)
