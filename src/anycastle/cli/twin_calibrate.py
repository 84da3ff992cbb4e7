"""`anycastle twin calibrate`: learn from measured catchments which PoP each AS prefers."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

from anycastle.cli.output import Form, message

if TYPE_CHECKING:
    from anycastle.io.catchments.sources import Reading

READ = click.Path(exists=True, path_type=Path)
F = TypeVar("F", bound=Callable[..., Any])


class Target(NamedTuple):
    """Where the results go: a form for the scorecard, a file for the model."""

    form: Form
    model: Path | None


def _target(_context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> Target:
    form, model = Form.TABLE, None
    for value in values:
        if value in (Form.TABLE.value, Form.JSON.value):
            form = Form(value)
        elif Path(value).suffix == ".npz":
            model = Path(value)
        else:
            raise click.BadParameter(f"{value!r} is neither table nor json, and no file NAME.npz")
    return Target(form, model)


def reading_options(command: F) -> F:
    """Add the options that say how sources are read."""
    for option in (
        click.option("--chaos-pattern", help="Pattern with one group that finds the PoP in a server's name (Atlas)."),
        click.option("--countries", type=READ, help="Ranges of addresses by country: FIRST,LAST,COUNTRY."),
        click.option("--asn-ranges", type=READ, help="Ranges of addresses by ASN: FIRST,LAST,ASN. Prefixes need it."),
        click.option("--leave-out", multiple=True, metavar="POP", help="Experiments with this PoP do not count."),
    ):
        command = option(command)
    return command


def make_reading(
    leave_out: tuple[str, ...], asn_ranges: Path | None, countries: Path | None, chaos_pattern: str | None
) -> "Reading":
    """Give how sources are read. Countries of ASNs need both kinds of ranges."""
    from anycastle.io.catchments.sources import CHAOS_PATTERN, Reading
    from anycastle.io.ip_ranges import country_of_asns, read_ip_ranges

    if countries and not asn_ranges:
        raise click.UsageError("--countries needs --asn-ranges: an ASN's country is where most of its addresses are")
    ranges = read_ip_ranges(asn_ranges) if asn_ranges else None
    country = country_of_asns(ranges, read_ip_ranges(countries)) if ranges and countries else None
    return Reading(leave_out, country, ranges.asn_of if ranges else None, chaos_pattern or CHAOS_PATTERN)


@click.command()
@click.argument("sources", nargs=-1, required=True, type=READ)
@click.option("--graph", "graph_name", required=True, metavar="GRAPH", help="The AS graph, of about the same time.")
@reading_options
@click.option("--method", default="ping", show_default=True,
              type=click.Choice(["ping", "traceroute", "collector", "dns", "table"]),
              help="Experiments measured so are left out one at a time and scored.")  # fmt: skip
@click.option("--sample", type=click.IntRange(min=0), default=500, show_default=True,
              help="ASes of a pair that are measured before the rest is predicted again; 0: not tried.")  # fmt: skip
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Of the samples.")
@click.option("--no-score", is_flag=True, help="Only the model, without leaving anything out.")
@click.option("--plot", type=click.Path(path_type=Path), help="The reliability diagram: FILE.svg or FILE.png.")
@click.option("--no-cache", is_flag=True, help="Neither read nor write the arrays kept of the graph.")
@click.option("-o", "--output", "target", multiple=True, metavar="table|json|FILE.npz", callback=_target,
              help="Form of the scorecard, a table unless told; and the model's file. May be given twice.")  # fmt: skip
def calibrate(
    sources: tuple[Path, ...],
    graph_name: str,
    leave_out: tuple[str, ...],
    asn_ranges: Path | None,
    countries: Path | None,
    chaos_pattern: str | None,
    method: str,
    sample: int,
    seed: int,
    no_score: bool,
    plot: Path | None,
    no_cache: bool,
    target: Target,
) -> None:
    """Learn from catchments, and score what was learned by leaving out one experiment at a time.

    SOURCES are folders of PEERING experiments, tables (announced,pop,asn|prefix[,weight]) and RIPE Atlas DNS results.
    Without countries, ASes that are not in the graph are told apart by their own answers only.

    \b
    Example:
      anycastle twin calibrate catchments.csv --graph 20250901.as-rel2.txt.bz2
    """
    import numpy as np

    from anycastle.cli.twin_input import open_graph
    from anycastle.cli.twin_score import print_card, save_plot
    from anycastle.io.calibration_file import write_calibration
    from anycastle.io.catchments.sources import read_sources
    from anycastle.twin.calibration import calibrate as fit
    from anycastle.twin.calibration import evidence_over, survey
    from anycastle.twin.scorecard import score

    if no_score and plot:
        raise click.UsageError("--plot shows the scorecard, which --no-score leaves out")
    observations = read_sources(sources, make_reading(leave_out, asn_ranges, countries, chaos_pattern))
    message(f"read: {len(observations.experiments)} experiments, {len(observations.paths):,} collector paths")
    graph = open_graph(graph_name, no_cache).graph
    if no_score:
        terrain = survey(observations, graph)
        model = fit(terrain, evidence_over(terrain, observations.experiments))
    else:
        model, card = score(
            observations, graph, np.random.default_rng(seed), method=method, sample=sample, progress=message
        )
        print_card(target.form, card.plain())
        if plot:
            save_plot(card.plain(), plot)
    if target.model:
        size = write_calibration(model, target.model)
        message(f"{target.model}: {len(model.pops)} PoPs, {len(model.asn):,} ASes, {size:,} octets")
