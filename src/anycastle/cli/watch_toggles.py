"""`anycastle watch toggles`: which upstreams follow what they are told, by toggling it."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from anycastle.base.errors import MisuseError
from anycastle.cli.output import Form, Table, message, output_option, print_form
from anycastle.cli.watch import COLLECTOR, FILES, FLEET, load, tell_problems, time_of

if TYPE_CHECKING:
    from anycastle.io.toggle_schedule import ToggleSchedule
    from anycastle.model.fleet import Fleet
    from anycastle.watch.intent import Intent
    from anycastle.watch.toggle import Outcome, ToggleExperiment, ToggleVerdict


@click.command()
@FLEET
@COLLECTOR
@click.option(
    "--schedule", type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="What is toggled when: a prefix, and for each upstream an instruction with its times.",
)  # fmt: skip
@click.option("--prefix", help="With --events: the prefix whose changes are the toggles.")
@click.option(
    "--events", "logs", type=click.Path(path_type=Path), multiple=True,
    help="Event log of one of our agents, whose changes of --prefix are the toggles.",
)  # fmt: skip
@FILES
@output_option(Form.TABLE, Form.JSON)
def toggles(
    fleet_dir: Path,
    collector: str | None,
    schedule: Path | None,
    prefix: str | None,
    logs: tuple[Path, ...],
    files: tuple[str, ...],
    form: Form,
) -> None:
    """Say which upstreams follow what they are told: who moved after each toggle, whereto, and how fast.

    FILE... are archives that hold the toggles and a settling time before and after each. What moves without a toggle is
    the control that each is held against. Example:

    anycastle watch toggles --fleet fleet --schedule toggles.yaml rrc00/bview.gz rrc00/updates.*.gz
    """
    from anycastle.watch.intent import intent_of
    from anycastle.watch.toggle import verdicts

    if (schedule is None) == (not logs):
        raise click.UsageError("name what is toggled: --schedule FILE, or --events LOG with --prefix")
    fleet = load(fleet_dir)
    intent = intent_of(fleet)
    planned = _of_logs(fleet, intent, prefix, logs) if schedule is None else _of_schedule(intent, schedule)
    experiment = _observe(intent, planned, files, collector)
    found = list(verdicts(experiment.outcomes))
    value = {
        "prefix": str(planned.prefix),
        "settle_s": planned.settle_s,
        "verdicts": [_verdict(each) for each in found],
        "toggles": [_outcome(each) for each in experiment.outcomes],
        "left_out": [_toggle(each) for each in experiment.left_out],
    }
    print_form(form, value, Table(_COLUMNS, [_row(each, experiment.outcomes) for each in found]))
    if experiment.left_out:
        text = f"{len(experiment.left_out)} toggles are left out: another is nearer than {2 * planned.settle_s:.0f} s"
        message(text, severity="warning")
    missing = len(planned.toggles) - len(experiment.outcomes) - len(experiment.left_out)
    if missing:
        message(f"{missing} toggles have no end within the archives", severity="warning")


def _of_schedule(intent: "Intent", path: Path) -> "ToggleSchedule":
    from anycastle.io.toggle_schedule import read_schedule

    return read_schedule(path, intent.settling.toggle_s)


def _of_logs(fleet: "Fleet", intent: "Intent", prefix: str | None, logs: tuple[Path, ...]) -> "ToggleSchedule":
    from anycastle.base.errors import ParseError
    from anycastle.io.own_changes import own_changes
    from anycastle.io.toggle_schedule import ToggleSchedule, toggles_of_changes
    from anycastle.model.prefix import parse_prefix

    if prefix is None:
        raise click.UsageError("with --events, --prefix says whose changes are meant")
    try:
        asked = parse_prefix(prefix)
    except ParseError as error:
        raise click.BadParameter(str(error), param_hint="--prefix") from error
    watched = next((each for each in intent.prefixes if each.prefix == asked), None)
    if watched is None:
        raise MisuseError(
            f"{asked} is no prefix of the fleet; it has {', '.join(str(e.prefix) for e in intent.prefixes)}"
        )
    changes = (fact for path in logs for fact in own_changes(path, fleet))
    return ToggleSchedule(asked, intent.settling.toggle_s, toggles_of_changes(changes, watched))


def _observe(
    intent: "Intent", planned: "ToggleSchedule", files: tuple[str, ...], collector: str | None
) -> "ToggleExperiment":
    from anycastle.io.feeds.replay import Replay
    from anycastle.watch.table import WatchedTable
    from anycastle.watch.toggle import ToggleExperiment

    table = WatchedTable(intent.prefixes)
    if table.get(planned.prefix) is None:
        near = ", ".join(str(each.prefix) for each in table)
        raise MisuseError(f"{planned.prefix} is no prefix of the fleet; it has {near}")
    if not planned.toggles:
        raise MisuseError(f"nothing was toggled: no change of {planned.prefix} is known")
    experiment = ToggleExperiment(planned.prefix, planned.toggles, intent.own_asns, planned.settle_s)
    replay = Replay(table, files, collector)
    for fact in replay.facts():
        experiment.take(fact)
    tell_problems(replay.problems, replay.unreadable)
    if replay.ended_at is not None:
        experiment.finish(replay.ended_at)
    return experiment


_COLUMNS = ("upstream", "told", "toggles", "verdict", "moved p50", "p95", "why")


def _row(verdict: "ToggleVerdict", outcomes: "list[Outcome]") -> tuple[str, ...]:
    from anycastle.watch.convergence import percentile

    key = (verdict.upstream, verdict.kind, verdict.instruction)
    mine = [each for each in outcomes if (each.toggle.upstream, each.toggle.kind, each.toggle.instruction) == key]
    settled = [time_s for each in mine for time_s in each.settled_s]
    told = f"{verdict.kind.value} {verdict.instruction}".rstrip()
    speeds = [_seconds(percentile(settled, (), share)) for share in (0.50, 0.95)]
    return (f"AS{verdict.upstream}", told, str(verdict.toggles), verdict.compliance.value, *speeds, verdict.reason)


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f} s"


def _verdict(verdict: "ToggleVerdict") -> dict[str, Any]:
    return {
        "upstream": f"AS{verdict.upstream}",
        "told": verdict.kind.value,
        "instruction": verdict.instruction,
        "toggles": verdict.toggles,
        "compliance": verdict.compliance.value,
        "reason": verdict.reason,
        "trials": verdict.trials,
        "changed": verdict.changed,
        "control_trials": verdict.control_trials,
        "control_changed": verdict.control_changed,
        "chance": verdict.chance,
    }


def _toggle(toggle: Any) -> dict[str, Any]:
    told = {"at": time_of(toggle.at), "upstream": f"AS{toggle.upstream}", "told": toggle.kind.value}
    return told | {"instruction": toggle.instruction}


def _outcome(outcome: "Outcome") -> dict[str, Any]:
    from anycastle.watch.convergence import percentile

    return _toggle(outcome.toggle) | {
        "peers": outcome.peers,
        "moved": outcome.moved,
        "first_s_p50": outcome.first_s_p50,
        "settled_s_p50": percentile(outcome.settled_s, (), 0.50),
        "settled_s_p95": percentile(outcome.settled_s, (), 0.95),
        "through_before": [int(asn) for asn in outcome.through_before],
        "through_after": [int(asn) for asn in outcome.through_after],
        "moves": [
            {
                "collector": move.peer.collector,
                "asn": int(move.peer.asn),
                "peer": move.peer.address,
                "before": None if move.before is None else str(move.before),
                "after": None if move.after is None else str(move.after),
                "first_s": move.first_s,
                "last_s": move.last_s,
                "updates": move.updates,
            }
            for move in outcome.moves
        ],
    }
