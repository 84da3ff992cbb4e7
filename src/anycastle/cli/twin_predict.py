"""`anycastle twin predict`: what a change of the fleet moves."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from anycastle.cli.output import Form, Table, message, output_option, print_form
from anycastle.cli.twin_arrivals import arrivals
from anycastle.cli.twin_fleet_input import (
    Question,
    amount,
    ask,
    fleet_options,
    open_question,
    parse_load,
    percent,
)
from anycastle.cli.twin_input import PICTURE, open_fleet, show_remarks

if TYPE_CHECKING:
    from anycastle.twin.cascade import Cascade
    from anycastle.twin.convergence import Overlay
    from anycastle.twin.intent import Intent
    from anycastle.twin.load import Spread
    from anycastle.twin.predicted_shift import PredictedShift

_PARTS: Final = ("pops", "services")


@click.command()
@fleet_options
@click.option("--without", "gone", multiple=True, metavar="POP", help="A PoP that announces nothing. Can be repeated.")
@click.option("--change", type=click.Path(path_type=Path, exists=True),
              help="The fleet as it shall be: a folder, or one file that takes the place of its namesake.")  # fmt: skip
@click.option(
    "--load", "offered", metavar="LOAD", help="What all users offer together, such as 38G; as capacities are."
)
@click.option("--calibration", type=click.Path(path_type=Path, exists=True, dir_okay=False),
              help="A model of `twin calibrate`, with the fleet's PoPs.")  # fmt: skip
@click.option("--plot", type=PICTURE, help="Shares before and after: FILE.svg or FILE.png.")
@click.option("--map", "map_file", type=PICTURE, help="Catchments after, on a map: FILE.svg or FILE.png.")
@click.option("--convergence", type=click.Path(path_type=Path, exists=True, dir_okay=False),
              help="Measured times, CSV or NDJSON: how long the change takes.")  # fmt: skip
@click.option("--export", type=click.Path(path_type=Path, dir_okay=False),
              help="Write where each AS lands after: a body for POST /api/v1/predictions.")  # fmt: skip
@click.option("--upstreams", is_flag=True, help="A line for each upstream, too.")
@output_option(Form.TABLE, Form.JSON, Form.YAML)
def predict(
    gone: tuple[str, ...], change: Path | None, offered: str | None, upstreams: bool, form: Form, **given: Any
) -> None:
    """Tell who lands where now, and after a change.

    NOW and AFTER are expected shares of users; P5-P95 is where the share after lies in nine of ten ways in which ties
    may fall. With --load: the load after, what is left of the capacity, and how likely it does not suffice.

    Example: anycastle twin predict --fleet myfleet --without fra1 --load 38G
    """
    from anycastle.twin.plain_shift import plain

    load = parse_load(offered, "--load")
    question, after = _ask(change, gone, given)
    shift, arrived = _foretell(question, after, load, given)
    print_form(form, plain(shift, arrived), _table(shift, upstreams))
    if form is Form.TABLE:
        _tell(shift)
        if arrived is not None:
            who = "of users have another likeliest PoP"
            message(f"time, as was measured of {arrived.action}: {arrivals(arrived, who)}")
    _draw(shift, question, after, given)
    if given["export"] is not None:
        _export(shift, given["export"])
    show_remarks(shift.remarks)


def _ask(change: Path | None, gone: tuple[str, ...], given: dict[str, Any]) -> "tuple[Question, Intent]":
    """Give what is announced now, and what shall be; what cannot be is refused before anything is worked out."""
    from anycastle.io.config.findings import did_you_mean
    from anycastle.twin.intent import without_pops

    then = None
    if change is not None:
        with changed(given["fleet"], change) as (folder, shown):
            then = open_fleet(folder, shown)
    question = open_question(given, () if then is None else (then,))
    now = question.intent
    after = now if then is None else ask(then, question.graph, now.service, now.prefix)
    if given["map_file"] is not None and not question.labels:
        raise click.UsageError("--map: where are the networks of this graph? Give --regions")
    known = [site.name for site in after.sites]
    for pop in gone:
        if pop not in known:
            words = f"the service {after.service} has no PoP {pop!r}{did_you_mean(pop, known)}"
            raise click.BadParameter(words, param_hint="--without")
    return question, without_pops(after, gone)


def _foretell(
    question: Question, after: "Intent", load: float | None, given: dict[str, Any]
) -> "tuple[PredictedShift, Overlay | None]":
    """Give what moves, and how long it takes where times were measured."""
    from anycastle.io.calibration_file import read_calibration
    from anycastle.io.placement.measured import read_convergence
    from anycastle.twin.arrival import arrival
    from anycastle.twin.predict import Asked, predict_shift

    graph, now, randomness = question.graph, question.intent, question.randomness
    observed = None if given["convergence"] is None else read_convergence(given["convergence"])
    model = None if given["calibration"] is None else read_calibration(given["calibration"])
    asked = Asked(question.weights, load, model, question.members, question.region)
    shift = predict_shift(graph, now, after, randomness, asked)
    return shift, None if observed is None else arrival(graph, now, after, shift, observed, randomness)


def _draw(shift: "PredictedShift", question: Question, after: "Intent", given: dict[str, Any]) -> None:
    plot, map_file = given["plot"], given["map_file"]
    if plot is None and map_file is None:
        return
    import numpy as np

    from anycastle.cli.twin_predict_pictures import draw_bars, draw_map, states
    from anycastle.io.placement.places import located_by_label

    state = states(question.intent, after)
    if plot is not None:
        draw_bars(shift, state, plot, "Shares before and after")
    if map_file is not None:
        places = np.random.default_rng(given["seed"])  # its own, so that what else was asked moves nobody on the map
        located = located_by_label(question.graph, question.labels, places, question.whence)
        draw_map(shift, state, located, map_file, "Who lands where after the change")


def _export(shift: "PredictedShift", path: Path) -> None:
    """Write each AS's likeliest PoP after the change, as the API takes it."""
    import json

    from anycastle.base.errors import WorldError

    pops = (*shift.ases.pops, None)  # -1 is no route
    landed = {str(asn): pops[at] for asn, at in zip(shift.ases.asn.tolist(), shift.ases.after.tolist(), strict=True)}
    name = f"{shift.graph.name} of {shift.graph.date}" if shift.graph.date else f"{shift.graph.name} graph"
    body = {
        "service": shift.service,
        "source": f"{name}; {shift.prefix}",
        "pop_of": {asn: pop for asn, pop in landed.items() if pop is not None},
    }
    try:
        path.write_text(json.dumps(body), encoding="utf-8")
    except OSError as error:
        raise WorldError(f"{path}: {error.strerror}", retryable=False) from error
    message(f"{path}: where {len(body['pop_of']):,} ASes land")


@contextmanager
def changed(fleet: Path, change: Path) -> Iterator[tuple[Path, Any]]:
    """Give the folder of the fleet as it shall be, and how to name its files to the user."""
    if change.is_dir():
        yield change, str
        return
    relative = _place_of(fleet, change)
    with tempfile.TemporaryDirectory(prefix="anycastle-change-") as directory:
        folder = Path(directory) / "fleet"
        shutil.copytree(fleet, folder)
        shutil.copyfile(change, folder / relative)

        def shown(text: str) -> str:
            return text.replace(str(folder / relative), str(change)).replace(str(folder), str(fleet))

        yield folder, shown


def _place_of(fleet: Path, change: Path) -> Path:
    """Find which file of the fleet a changed one takes the place of."""
    if change.parent.name in _PARTS and (fleet / change.parent.name).is_dir():
        return Path(change.parent.name) / change.name
    found = [Path(part) / change.name for part in _PARTS if (fleet / part / change.name).is_file()]
    found += [Path(change.name)] if (fleet / change.name).is_file() else []
    if len(found) != 1:
        there = "more than one file" if found else "no file"
        words = f"{fleet} has {there} named {change.name}; put the changed one into a folder pops or services"
        raise click.BadParameter(words, param_hint="--change")
    return found[0]


def _table(shift: "PredictedShift", upstreams: bool) -> Table:

    loaded = shift.offered_load is not None
    rows = []
    for pop in shift.pops:
        cells = [pop.name, percent(pop.now.mean), percent(pop.after.mean), _points(pop.change.mean), _range(pop.after)]
        cells += [amount(pop.load.mean)] if pop.load else []
        cells += [amount(pop.capacity)]
        cells += [_signed(pop.headroom), f"{100 * pop.overload_chance:.0f} %"] if loaded else []
        rows.append(tuple(cells))
        for each in pop.upstreams if upstreams else ():
            cells = [f"  {each.group.partition('/')[2]}", percent(each.now.mean), percent(each.after.mean)]
            cells += [_points(each.after.mean - each.now.mean), _range(each.after)]
            cells += [amount(each.load.mean)] if each.load else []
            cells += [amount(each.capacity)]
            cells += [_signed(each.headroom), f"{100 * each.overload_chance:.0f} %"] if loaded else []
            rows.append(tuple(cells))
    none = (shift.no_route_now.mean, shift.no_route.mean)
    if max(none) > 0:
        cells = ["no route", percent(none[0]), percent(none[1]), _points(none[1] - none[0]), _range(shift.no_route)]
        cells += [amount(shift.offered_load * none[1])] if shift.offered_load is not None else []
        rows.append((*cells, *["-"] * (3 if loaded else 1)))
    columns: tuple[str, ...] = ("POP", "NOW", "AFTER", "CHANGE", "P5-P95")
    columns += ("LOAD", "CAPACITY", "HEADROOM", "OVERLOAD") if loaded else ("CAPACITY",)
    return Table(columns, rows)


def _points(change: float) -> str:
    text = f"{100 * change:+.1f}"
    return "0.0" if text in ("+0.0", "-0.0") else text


def _range(share: "Spread") -> str:
    return f"{100 * share.p5:.1f}-{100 * share.p95:.1f} %"


def _signed(value: float | None) -> str:

    return "-" if value is None else ("+" if value >= 0 else "") + amount(value)


def _tell(shift: "PredictedShift") -> None:
    """Say what does not fit a table, on standard error."""

    date = f"of {shift.graph.date}" if shift.graph.date else "without a date"
    message(f"{shift.service} {shift.prefix} on a graph {date}; {shift.members} ways of breaking ties")
    message(f"move: {percent(shift.moved.mean)} of users ({_range(shift.moved)}), {shift.ases_moved.mean:,.0f} ASes")
    message(
        f"of these though both their PoPs announce as before: {percent(shift.moved_though_kept.mean)} of users, "
        f"{shift.ases_moved_though_kept.mean:,.0f} ASes"
    )
    known = ", ".join(f"{name} {percent(share)}" for name, share in shift.provenance.items() if share)
    message(f"known how: {known}; in doubt: {percent(shift.doubt)} of users")
    if shift.corrected:
        message("the calibration knows PoPs, not prepends: its chances are corrected by the rules", severity="warning")
    if shift.cascade is not None:
        _tell_cascade(shift.cascade)
    elif any(pop.capacity for pop in shift.pops):
        message("with --load: loads, headroom, and what an overload would lead to")


def _tell_cascade(found: "Cascade") -> None:

    for number, step in enumerate(found.steps, 1):
        act = ": it withdraws" if step.pop else ""
        loads = ", ".join(
            f"{pop} {amount(step.load[at])}" for at, pop in enumerate(found.pops) if pop in step.announcing
        )
        message(f"step {number}: {loads}; lost {amount(sum(step.lost))}: {step.reason}{act}")
