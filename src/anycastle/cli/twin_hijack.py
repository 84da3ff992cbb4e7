"""`anycastle twin hijack`: what attackers would catch."""

import random
from typing import TYPE_CHECKING, Any

import click

from anycastle.cli.output import Form, Table, output_option, print_form
from anycastle.cli.twin_input import (
    about_graph,
    adopter_options,
    check_asns,
    open_graph,
    parse_as,
    progress,
    read_adopters,
)
from anycastle.twin.policy import Policy

if TYPE_CHECKING:
    from anycastle.twin.graph import ASGraph
    from anycastle.twin.hijack import Pair


@click.command()
@click.argument("graph_name", metavar="GRAPH")
@click.option("--victim", "victims", multiple=True, metavar="ASN", help="Whose prefix; drawn where none is named.")
@click.option("--attacker", "attackers", multiple=True, metavar="ASN", help="Who attacks; drawn where none is named.")
@click.option("--pairs", type=click.IntRange(1, 10_000_000), default=1000, show_default=True,
              help="How many pairs are drawn, unless all are named.")  # fmt: skip
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Of all that is drawn.")
@click.option("--attack", type=click.Choice(["origin", "subprefix", "forged"]), default="origin", show_default=True,
              help="The same prefix; a more specific one; or the victim's ASN ends the path.")  # fmt: skip
@adopter_options(Policy.ROV, Policy.ASPA)
@output_option(Form.TABLE, Form.JSON, Form.NDJSON)
@click.option("--no-cache", is_flag=True, help="Neither read nor write the arrays kept of a file.")
def hijack(graph_name: str, attack: str, form: Form, no_cache: bool, **given: Any) -> None:
    """Tell what share of all other ASes each attacker would catch, without and with those who verify.

    Adopters of ROV drop `origin` and `subprefix`, adopters of ASPA drop `forged`. For `subprefix` the share is that of
    packets, for one that dropped the route may still send to a next hop that has it.

    \b
    Example:
      anycastle twin hijack synthetic:5000 --victim 700 --rov 30%
    """
    import numpy as np

    graph = open_graph(graph_name, no_cache).graph
    pairs = _pairs(graph, given)
    adopters = read_adopters(graph, given, given["seed"])
    plain = _run(graph, pairs, attack, None)
    verified = plain if adopters is None else _run(graph, pairs, attack, adopters)
    rows = [
        {
            "attacker": pair.attacker,
            "victim": pair.victim,
            "share": round(a, 6),
            "share_with_adopters": round(b, 6),
        }
        for pair, a, b in zip(pairs, plain.tolist(), verified.tolist(), strict=True)
    ]
    summary = {
        name: {key: round(float(value), 6) for key, value in
               (("mean", share.mean()), ("p50", np.median(share)), ("p95", np.percentile(share, 95)))}
        for name, share in (("without", plain), ("with", verified))
    }  # fmt: skip
    whole = {"graph": about_graph(graph), "attack": attack, "pairs": len(pairs), "caught": summary}
    cells = [
        (name, *(f"{100 * figures[key]:.1f} %" for key in ("mean", "p50", "p95"))) for name, figures in summary.items()
        if name == "without" or adopters is not None
    ]  # fmt: skip
    print_form(form, rows if form is Form.NDJSON else whole, Table(("ADOPTERS", "MEAN", "P50", "P95"), cells))


def _run(graph: "ASGraph", pairs: "list[Pair]", attack: str, adopters: Any) -> Any:
    import numpy as np

    from anycastle.twin.hijack import Attack, hijack_batches

    parts = []
    with progress(len(pairs), "pairs") as bar:
        for part in hijack_batches(graph, pairs, Attack(attack), adopters):
            parts.append(part)
            bar.update(len(part))
    return np.concatenate(parts)


def _pairs(graph: "ASGraph", given: dict[str, Any]) -> "list[Pair]":
    """Give all pairs of who was named; where one side was not, as many as asked for are drawn."""
    from anycastle.model.asn import ASN
    from anycastle.twin.hijack import Pair

    victims = [parse_as(each, "--victim") for each in given["victims"]]
    attackers = [parse_as(each, "--attacker") for each in given["attackers"]]
    check_asns(graph, victims, "--victim")
    check_asns(graph, attackers, "--attacker")
    if victims and attackers:
        named = [Pair(a, v) for a in attackers for v in victims if a != v]
        if not named:
            raise click.BadParameter("nobody attacks itself; name another AS", param_hint="--attacker")
        return named
    draw = random.Random(given["seed"])
    everyone = [ASN(asn) for asn in graph.by_asn.tolist()]
    pairs: list[Pair] = []
    while len(pairs) < given["pairs"]:
        pair = Pair(draw.choice(attackers or everyone), draw.choice(victims or everyone))
        if pair.attacker != pair.victim:
            pairs.append(pair)
    return pairs
