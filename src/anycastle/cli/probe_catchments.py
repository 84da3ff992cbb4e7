"""`anycastle probe catchments`: which PoP answered each vantage point, since when, how far off and how fast."""

import csv
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from anycastle.cli.output import Form, Table, counted, message, output_option, print_json, print_ndjson, print_table

if TYPE_CHECKING:
    from anycastle.io.atlas import Sightings
    from anycastle.kernels.intervals import Interval
    from anycastle.probe.catchment_summary import Figure, Quantiles, Summary
    from anycastle.probe.catchments import Reach

READ = click.Path(exists=True, dir_okay=False, path_type=Path)
UNAUTHORISED = 4
GARBAGE_SHOWN = 10


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=READ)
@click.option("--pattern", metavar="REGEX", help="Finds the PoP in a server's name, as its one group.  [airport codes]")
@click.option("--authorised", multiple=True, metavar="POP", help="A PoP that may answer; any may, where none is named.")
@click.option("--sites", type=READ, help="Where PoPs are: CSV with pop, latitude, longitude.")
@click.option("--probes", type=READ, help="Where probes are: RIPE Atlas's archive of them, JSON.")
@click.option("--target", metavar="ADDRESS", help="Only answers of this address.")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Of the draws behind intervals.")
@click.option("--export", type=click.Path(path_type=Path, dir_okay=False),
              help="Write the catchment by AS for `anycastle twin calibrate`: FILE.csv.")  # fmt: skip
@output_option(Form.TABLE, Form.JSON, Form.NDJSON)
def catchments(
    files: tuple[Path, ...],
    pattern: str | None,
    authorised: tuple[str, ...],
    sites: Path | None,
    probes: Path | None,
    target: str | None,
    seed: int,
    export: Path | None,
    form: Form,
) -> None:
    """Tell catchments by results of our probers, and by DNS results of RIPE Atlas that name the server.

    Those are answers to id.server and hostname.bind of class CHAOS, or with NSID.

    The table has each PoP's share of the probes, and p50 and p95 of round trips and distances, with intervals of 95 %
    that draw whole ASes again: probes of one AS share its routes, and are not so many opinions. Distances need places
    of probes and PoPs; some files carry them. -o ndjson gives a line a probe: its PoP, since when, and the one before.
    Exits with 4 where a PoP answered that is not authorised.

    \b
    Examples:
      anycastle probe catchments chaos.json.gz --authorised fra --authorised iad
      anycastle probe catchments chaos.json.gz --export catchments.csv
      anycastle twin calibrate catchments.csv --graph as-rel2.txt.bz2
    """
    import numpy as np

    from anycastle.io.atlas import read_results, sightings_of
    from anycastle.io.probe.result_lines import is_of_prober, sightings_of_lines
    from anycastle.io.vantage_points import read_probes, read_sites
    from anycastle.probe.catchment_summary import summarize
    from anycastle.probe.catchments import fold
    from anycastle.probe.site import AIRPORT, parse_site_rule

    rule = parse_site_rule(pattern or AIRPORT, frozenset(authorised))
    ours = [path for path in files if is_of_prober(path)]
    rows = (row for path in files if path not in ours for row in read_results(path))
    found = sightings_of(rows, rule, read_probes(probes) if probes else None)
    for path in ours:
        told = sightings_of_lines(path, rule if pattern else None)
        found.rows += told.rows
        found.garbage += told.garbage
        if told.passed_over:
            message(f"{path}: {counted(told.passed_over, 'probe')} that could not ask passed over")
    _tell_passed_over(found)
    reached = list(fold(each for each in found.rows if target in (None, each.target)).values())
    if not any(reach.pop for reach in reached):
        raise click.UsageError(_why_none(found, target))
    places = {**found.sites, **(read_sites(sites) if sites else {})}
    summary = summarize(reached, places, rule.allows, np.random.default_rng(seed))
    if form is Form.NDJSON:
        print_ndjson(map(_plain_reach, reached))
    elif form is Form.JSON:
        print_json(_plain_summary(summary))
    else:
        _print_summary(summary)
    if export:
        _export(reached, export)
    for pop, vantage_points in summary.unauthorised.items():
        message(f"{pop} may not answer, and answered {counted(vantage_points, 'vantage point')}", severity="error")
    sys.exit(UNAUTHORISED if summary.unauthorised else 0)


def _tell_passed_over(found: "Sightings") -> None:
    for words in found.garbage[:GARBAGE_SHOWN]:
        message(words, severity="warning")
    more = len(found.garbage) - GARBAGE_SHOWN
    if more > 0:
        message(f"and {more} more that are no results", severity="warning")
    if found.passed_over:
        message(f"{counted(found.passed_over, 'result')} of other kinds than dns passed over")


def _why_none(found: "Sightings", target: str | None) -> str:
    """Give why no PoP was seen, with the names that servers gave."""
    names = Counter(each.server for each in found.rows if each.server and target in (None, each.target))
    if names:
        most = ", ".join(repr(name) for name, _ in names.most_common(3))
        return f"no PoP is found in the servers' names, such as {most}; give --pattern with one group"
    return "no server told its name: the results are no answers of class CHAOS, and carry no NSID"


def _plain_reach(reach: "Reach") -> dict[str, Any]:
    move = reach.last_move
    return {
        "vantage_point": reach.vantage.name,
        "asn": reach.vantage.asn,
        "country": reach.vantage.country,
        "target": reach.target,
        "pop": reach.pop or None,
        "since": reach.since,
        "before": reach.before or None,
        "moves": reach.moves,
        "last_move": move.at if move else None,
        "rtt_ms": reach.rtt_ms,
        "answers": dict(sorted(reach.answers.items())),
        "unknown": reach.unknown,
        "lost": reach.lost,
    }


def _plain_summary(summary: "Summary") -> dict[str, Any]:
    from anycastle.probe.catchment_summary import NEAR_KM

    return {
        "vantage_points": summary.vantage_points,
        "unanswered": summary.unanswered,
        "networks": summary.networks,
        "moved": summary.moved,
        "unauthorised": dict(summary.unauthorised),
        "pops": [
            {
                "pop": each.pop,
                "vantage_points": each.vantage_points,
                "networks": each.networks,
                "share": _plain_figure(each.share),
                "rtt_ms": _plain_quantiles(each.rtt_ms),
                "distance_km": _plain_quantiles(each.distance_km),
            }
            for each in summary.pops
        ],
        "rtt_ms": _plain_quantiles(summary.rtt_ms),
        "distance_km": _plain_quantiles(summary.distance_km),
        "extra_km": _plain_quantiles(summary.extra_km),
        "nearest": _plain_figure(summary.nearest) if summary.nearest else None,
        "near_km": NEAR_KM,
    }


def _plain_figure(figure: "Figure") -> dict[str, Any]:
    def ends(interval: "Interval | None") -> list[float] | None:
        return [interval.low, interval.high] if interval else None

    return {"value": figure.value, "by_network": ends(figure.by_network), "naive": ends(figure.naive)}


def _plain_quantiles(quantiles: "Quantiles | None") -> dict[str, Any] | None:
    if quantiles is None:
        return None
    p50, p95 = quantiles.figures
    return {
        "p50": _plain_figure(p50),
        "p95": _plain_figure(p95),
        "vantage_points": quantiles.vantage_points,
        "networks": quantiles.networks,
        "effective_networks": round(quantiles.effective, 1),
    }


def _print_summary(summary: "Summary") -> None:
    rows = [
        (
            each.pop,
            str(each.vantage_points),
            str(each.networks),
            _percent(each.share),
            *_cells(each.rtt_ms, "ms"),
            *_cells(each.distance_km, "km"),
        )
        for each in summary.pops
    ]
    rows.append(
        ("all", str(summary.vantage_points), str(summary.networks), "", *_cells(summary.rtt_ms, "ms"),
         *_cells(summary.distance_km, "km"))
    )  # fmt: skip
    columns = ("pop", "probes", "ASes", "share", "rtt p50", "p95", "distance p50", "p95")
    told = len(columns) if summary.distance_km else len(columns) - 2
    print_table(Table(columns[:told], [row[:told] for row in rows]))
    click.echo()
    for words in _sentences(summary):
        click.echo(words)


def _sentences(summary: "Summary") -> list[str]:
    from anycastle.kernels.intervals import CLUSTERS_MIN
    from anycastle.probe.catchment_summary import NEAR_KM

    told = [
        f"In brackets: intervals of 95 %, whole ASes drawn again; (-): fewer than {CLUSTERS_MIN} ASes tell too little.",
        f"{counted(summary.moved, 'probe')} moved to another PoP; {summary.unanswered} reached none.",
    ]
    if summary.rtt_ms and summary.rtt_ms.figures[0].by_network:
        p50 = summary.rtt_ms.figures[0]
        told.append(
            f"rtt p50 as if each probe stood for itself: {_number(p50.value)} ms {_ends(p50.naive)}; by AS"
            f" {_ends(p50.by_network)}: {summary.rtt_ms.vantage_points} probes in"
            f" {_ases(summary.rtt_ms.networks)} say as much as {summary.rtt_ms.effective:.0f} of one"
            " size."
        )
    if summary.nearest and summary.extra_km:
        p50, p95 = summary.extra_km.figures
        told.append(
            f"{_percent(summary.nearest)} of probes reach the nearest PoP seen (within {NEAR_KM:g} km);"
            f" the others' way makes it p95 {_number(p95.value)} km {_ends(p95.by_network)} farther."
        )
    return told


def _cells(quantiles: "Quantiles | None", unit: str) -> tuple[str, str]:
    if quantiles is None:
        return ("", "")
    p50, p95 = (f"{_number(each.value)} {unit} {_ends(each.by_network)}".rstrip() for each in quantiles.figures)
    return p50, p95


def _ases(number: int) -> str:
    return "1 AS" if number == 1 else f"{number:,} ASes"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def _ends(interval: "Interval | None") -> str:
    return f"({_number(interval.low)} to {_number(interval.high)})" if interval else "(-)"


def _percent(figure: "Figure") -> str:
    ends = figure.by_network
    return f"{figure.value:.1%}" + (f" ({ends.low:.0%} to {ends.high:.0%})" if ends else " (-)")


def _export(reached: Sequence["Reach"], path: Path) -> None:
    """Write one line an AS and PoP; the weight is the probes that reached it last."""
    from anycastle.base.errors import WorldError

    weights: Mapping[tuple[int, str], int] = Counter(
        (int(reach.vantage.asn), reach.pop) for reach in reached if reach.pop and reach.vantage.asn
    )
    without = sum(bool(reach.pop) and not reach.vantage.asn for reach in reached)
    announced = "+".join(sorted({reach.pop for reach in reached if reach.pop}))
    try:
        with path.open("w", encoding="utf-8", newline="") as stream:
            lines = csv.writer(stream, lineterminator="\n")
            lines.writerow(("announced", "pop", "asn", "weight"))
            lines.writerows((announced, pop, asn, weight) for (asn, pop), weight in sorted(weights.items()))
    except OSError as error:
        raise WorldError(f"{path}: {error.strerror}", retryable=False) from error
    message(
        f"{path}: {_ases(len({asn for asn, _ in weights}))}" + (f"; {without} probes without one" if without else "")
    )
