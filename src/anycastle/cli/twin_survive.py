"""`anycastle twin survive`: N-1 and N-2 over all PoPs."""

from typing import TYPE_CHECKING, Any

import click

from anycastle.cli.output import Form, Table, message, output_option, print_form
from anycastle.cli.twin_input import (
    about_graph,
    deployment_options,
    open_graph,
    open_weights,
    progress,
    read_deployment,
    weights_option,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from anycastle.cli.twin_input import Asked
    from anycastle.twin.graph import ASGraph
    from anycastle.twin.survive import Survival


@click.command()
@click.argument("graph_name", metavar="GRAPH")
@deployment_options
@weights_option
@click.option("--depth", type=click.IntRange(1, 2), default=1, show_default=True, help="How many PoPs fail at once.")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Of the ways in which ties fall.")
@click.option("--worst", type=click.IntRange(1), metavar="N", help="Only the N that load another PoP most.")
@output_option(Form.TABLE, Form.JSON, Form.NDJSON)
@click.option("--no-cache", is_flag=True, help="Neither read nor write the arrays kept of a file.")
def survive(
    graph_name: str, weights: str, depth: int, seed: int, worst: int | None, form: Form, no_cache: bool, **given: Any
) -> None:
    """Let each PoP, or each two, fail, and tell who lands where then.

    MOVE have to: their PoP failed. ALSO MOVE though theirs did not: what their neighbours hear has changed. FULLEST is
    the PoP with the largest share afterwards. Shares are of all ASes, or of what --weights counts, and means over 128
    ways in which ties may fall.

    \b
    Example:
      anycastle twin survive synthetic:5000 --origin 700 --origin 900
    """
    import numpy as np

    graph = open_graph(graph_name, no_cache).graph
    asked = read_deployment(graph, given)
    of_node = open_weights(graph, weights).of_node
    found = _let_fail(graph, asked, depth, of_node, np.random.default_rng(seed))
    rows = [
        {
            "failed": [found.pops[pop] for pop in failed],
            "moved": round(float(found.moved[at]), 6),
            "moved_though_kept": round(float(found.moved_though_kept[at]), 6),
            "no_route": round(float(found.unreached[at]), 6),
            "shares": dict(zip(found.pops, found.shares[at].round(6).tolist(), strict=True)),
        }
        for at, failed in enumerate(found.failed.tolist())
    ]
    if worst is not None:
        rows = sorted(rows, key=lambda row: -_fullest(row)[1])[:worst]
    base = dict(zip(found.pops, found.base.round(6).tolist(), strict=True))
    value: Any = rows if form is Form.NDJSON else {"graph": about_graph(graph), "base": base, "failures": rows}
    print_form(form, value, _table(rows))
    message("all up: " + ", ".join(f"{pop} {100 * share:.1f} %" for pop, share in base.items()))


def _let_fail(
    graph: "ASGraph", asked: "Asked", depth: int, of_node: "NDArray[np.float64]", randomness: "np.random.Generator"
) -> "Survival":
    from math import comb

    from anycastle.twin.ensemble import Ensemble
    from anycastle.twin.forecast import named_by
    from anycastle.twin.survive import survive_ties
    from anycastle.twin.sweep import compile_deployment

    compiled = compile_deployment(graph, asked.deployment, named=named_by((asked.configuration,)))
    with progress(comb(len(asked.deployment.pops), depth), "failures") as bar:
        return survive_ties(Ensemble.of(compiled, randomness), asked.configuration, depth, of_node, bar.update)


def _fullest(row: dict[str, Any]) -> tuple[str, float]:
    pop, share = max(row["shares"].items(), key=lambda each: each[1])
    return str(pop), float(share)


def _table(rows: list[dict[str, Any]]) -> Table:
    cells = []
    for row in rows:
        pop, share = _fullest(row)
        figures = (row["moved"], row["moved_though_kept"], row["no_route"])
        cells.append(
            (" ".join(row["failed"]), *(f"{100 * each:.2f} %" for each in figures), f"{pop} {100 * share:.1f} %")
        )
    return Table(("FAILED", "MOVE", "ALSO MOVE", "NO ROUTE", "FULLEST"), cells)
