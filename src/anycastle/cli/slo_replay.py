"""`anycastle slo replay`: what the burn-rate rules would have done on a history."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from anycastle.cli.output import Form, Table, counted, message, output_option, print_json, print_table

if TYPE_CHECKING:
    from anycastle.slo.replay import Outcome

READ = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("series", type=READ, metavar="FILE.csv")
@click.option("--labels", type=READ, help="What was an incident: JSON, a file's name -> list of [start, end].")
@click.option("--target", default="99%", show_default=True, help="Of the objective.")
@click.option("--window", default="30d", show_default=True, help="Of the objective: 30d, week, month, quarter.")
@click.option("--bad-above", type=float, help="A row is a bad event where its value is above this.  [learned]")
@click.option("--events", is_flag=True, help="Values are numbers of events; which are bad is drawn.")
@click.option("--incident-errors", default="5%", show_default=True, help="With --events: bad ones in incidents.")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Of what is drawn.")
@output_option(Form.TABLE, Form.JSON)
def replay(
    series: Path,
    labels: Path | None,
    target: str,
    window: str,
    bad_above: float | None,
    events: bool,
    incident_errors: str,
    seed: int,
    form: Form,
) -> None:
    """Run the burn-rate rules over a history: false alarms a month, incidents found, and the delay, with the minimum
    counts worked out and without any.

    FILE has lines timestamp,value. Each row is one event, bad above a threshold that the first 15 % of the history
    teach. With --events a row is so many events, and those that are bad are drawn: as of a healthy service, that
    spends half its budget, and with --incident-errors in labelled spans.

    \b
    Examples:
      anycastle slo replay latency.csv --labels windows.json
      anycastle slo replay requests.csv --events --labels windows.json --target 99.9%
    """
    import numpy as np

    from anycastle.io.labelled_series import read_incidents, read_series
    from anycastle.model.objective import Objective, parse_share, parse_window
    from anycastle.slo.replay import counted as drawn
    from anycastle.slo.replay import learned_threshold, slices, without_minimum
    from anycastle.slo.replay import replay as run

    rows = read_series(series)
    incidents = read_incidents(labels, series) if labels else []
    objective = Objective("replayed", "", "", parse_share(target), window=parse_window(window))
    if not 0 < objective.target < 1:
        raise click.UsageError(f"a target lies between 0 and 100%, both excluded, not at {target}")
    if events:
        cells = drawn(rows, incidents, objective, parse_share(incident_errors), np.random.default_rng(seed))
    else:
        threshold = learned_threshold([value for _, value in rows]) if bad_above is None else bad_above
        cells = slices(rows, threshold)
        message(f"a row is bad above {threshold:g}")
    total = sum(cell.events.total for cell in cells)
    days = (rows[-1][0] - rows[0][0]) / 86_400
    message(
        f"{days:.1f} days, {counted(len(incidents), 'incident')}, {total:,.0f} events, {total / len(cells):.1f} a row"
    )
    found, bare = run(objective, cells, incidents), run(without_minimum(objective), cells, incidents)
    if form is Form.JSON:
        print_json({"minimum": [_plain(each) for each in found], "no_minimum": [_plain(each) for each in bare]})
        return
    pairs = zip(found, bare, strict=True)
    table = [
        (each.rule, each.severity.value, _minimum(each), *_cells(each), f"{each.silent:.0%}", *_cells(other))
        for each, other in pairs
    ]
    columns = ("rule", "severity", "minimum", "false a month", "found", "delay", "silent")
    print_table(Table((*columns, "no minimum: false", "found", "delay"), table))


def _minimum(outcome: "Outcome") -> str:
    if outcome.minimum is not None:
        return f"{outcome.minimum:,.0f}"
    return "by rate" if outcome.rule.startswith("3x") else "never fires"


def _cells(outcome: "Outcome") -> tuple[str, str, str]:
    from anycastle.slo.words import span_in_words

    delay = "" if outcome.delay_s is None else span_in_words(outcome.delay_s)
    return f"{outcome.false_per_month:.1f}", f"{outcome.detected} of {outcome.incidents}", delay


def _plain(outcome: "Outcome") -> dict[str, Any]:
    return {
        "rule": outcome.rule,
        "severity": outcome.severity.value,
        "minimum_events": outcome.minimum,
        "false_alarms": outcome.false_alarms,
        "false_per_month": outcome.false_per_month,
        "detected": outcome.detected,
        "incidents": outcome.incidents,
        "delays_s": list(outcome.delays_s),
        "silent": outcome.silent,
    }
