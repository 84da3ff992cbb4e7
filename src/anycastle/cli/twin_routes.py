"""`anycastle twin routes`: the route of every AS, by Gao and Rexford's rules."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from anycastle.cli.output import Table, message, print_json, print_ndjson, print_table

if TYPE_CHECKING:
    from anycastle.twin.routes import RouteFields, Routes

_FORMS = ("table", "json", "ndjson")


def _target(_context: click.Context, _parameter: click.Parameter, value: str) -> str | Path:
    if value in _FORMS:
        return value
    if Path(value).suffix == ".npz":
        return Path(value)
    raise click.BadParameter(f"{value!r} is none of {', '.join(_FORMS)} and no file NAME.npz")


@click.command()
@click.argument("graph_name", metavar="GRAPH")
@click.option("--origin", "origins", multiple=True, required=True, metavar="ASN[:PREPENDS]",
              help="An AS that announces the prefix; several are anycast.")  # fmt: skip
@click.option("-o", "--output", "target", default="table", show_default=True, metavar="table|json|ndjson|FILE.npz",
              callback=_target,
              help="Shares as a table or JSON, one line an AS, or all routes as arrays.")  # fmt: skip
@click.option("--no-cache", is_flag=True, help="Neither read nor write the arrays kept of a file.")
def routes(graph_name: str, origins: tuple[str, ...], target: str | Path, no_cache: bool) -> None:
    """Give the route of every AS: class, AS_PATH length, next hop, origin.

    Among customers' routes, then peers', then providers', an AS takes the shortest, then that of the lowest neighbour
    ASN. FILE.npz holds the arrays asn, class (0 none, 1 provider, 2 peer, 3 customer, 4 origin), length, next_hop and
    origin (place among the --origin options, 255 none).

    \b
    Example:
      anycastle twin routes synthetic:5000 --origin 700:2 --origin 900
    """
    from anycastle.cli.twin_input import check_asns, open_graph, parse_origin
    from anycastle.twin.deployment import deployment_of_origins
    from anycastle.twin.routes import propagate

    asked = [parse_origin(origin) for origin in origins]
    graph = open_graph(graph_name, no_cache).graph
    check_asns(graph, [asn for asn, _ in asked], "--origin")
    deployment = deployment_of_origins(asn for asn, _ in asked)
    configuration = deployment.everywhere({f"AS{asn}": prepend for asn, prepend in asked})
    found = propagate(graph, deployment, configuration)
    if isinstance(target, Path):
        _save(found, target)
    elif target == "ndjson":
        print_ndjson(_rows(found.by_asn()))
    else:
        _print_summary(found, target)


def _save(found: "Routes", path: Path) -> None:
    import io

    import numpy as np

    from anycastle.io.durable import write_durably

    fields = found.by_asn()
    small = len(found.wiring.deployment.groups) < 255  # the last number of the narrow form says that there is no route
    arrays: dict[str, Any] = {
        "asn": fields.asn.astype(np.int64),
        "class": fields.class_,
        "length": fields.length if fields.length.max(initial=0) > 255 else fields.length.astype(np.uint8),
        "next_hop": fields.next_hop.astype(np.int64),
        "origin": np.minimum(fields.group, 255).astype(np.uint8) if small else fields.group,
    }
    octets = io.BytesIO()
    np.savez_compressed(octets, **arrays)
    write_durably(path, octets.getvalue(), 0o644)
    message(f"{len(fields.asn):,} routes in {path}")


def _rows(fields: "RouteFields") -> list[dict[str, Any]]:
    from anycastle.twin.routes import CLASS_NAMES

    columns = (fields.asn, fields.class_, fields.length, fields.next_hop, fields.group)
    return [
        {"asn": asn, "class": CLASS_NAMES[class_], "length": length, "next_hop": next_hop, "origin": group}
        if class_
        else {"asn": asn, "class": CLASS_NAMES[0]}
        for asn, class_, length, next_hop, group in zip(*(column.tolist() for column in columns), strict=True)
    ]


def _print_summary(found: "Routes", form: str) -> None:
    import numpy as np

    from anycastle.twin.routes import NO_GROUP

    fields, graph = found.fields(), found.graph
    rows = [
        {
            "origin": int(group.asn),
            "ases": int(np.count_nonzero(fields.group == index)),
            "share": round(float(np.mean(fields.group == index)), 6),
            "mean_length": round(float(fields.length[fields.group == index].mean()), 3),
        }
        for index, group in enumerate(found.wiring.deployment.groups)
    ]
    unreached = int(np.count_nonzero(fields.group == NO_GROUP))
    if form == "json":
        about = {"name": graph.origin.name, "date": graph.origin.date, "ases": len(graph), "links": graph.link_count}
        print_json({"graph": about, "origins": rows, "no_route": unreached})
        return
    cells = [
        (f"AS{r['origin']}", f"{r['ases']:,}", f"{100 * float(r['share']):.1f} %", f"{r['mean_length']:.2f}")
        for r in rows
    ]
    print_table(Table(("ORIGIN", "ASES", "SHARE", "MEAN LENGTH"), cells))
    if unreached:
        message(f"{unreached:,} ASes have no route")
