"""`anycastle watch toggles`: which upstreams follow what they are told, by toggling it."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from anycastle.base.errors import MisuseError
from anycastle.cli.output import Form, Table, message, output_option, print_form
from anycastle.cli.watch import COLLECTOR, FLEET_OF_FILES, RUN_DIR, ask_watch, load, tell_problems

if TYPE_CHECKING:
    from anycastle.io.toggle_schedule import ToggleSchedule
    from anycastle.model.fleet import Fleet
    from anycastle.model.prefix import Prefix
    from anycastle.watch.intent import Intent
    from anycastle.watch.toggle import ToggleExperiment


@click.command()
@FLEET_OF_FILES
@COLLECTOR
@RUN_DIR
@click.option(
    "--schedule", type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="What is toggled when: a prefix, and for each upstream an instruction with its times.",
)  # fmt: skip
@click.option("--prefix", help="The prefix whose changes are the toggles: with --events, or of the running watch.")
@click.option(
    "--events", "logs", type=click.Path(path_type=Path), multiple=True,
    help="Event log of one of our agents, whose changes of --prefix are the toggles.",
)  # fmt: skip
@click.argument("files", nargs=-1)
@output_option(Form.TABLE, Form.JSON)
def toggles(
    fleet_dir: Path | None,
    collector: str | None,
    run_dir: Path | None,
    schedule: Path | None,
    prefix: str | None,
    logs: tuple[Path, ...],
    files: tuple[str, ...],
    form: Form,
) -> None:
    """Say which upstreams follow what they are told: who moved after each toggle, whereto, and how fast.

    FILE... are archives that hold the toggles and a settling time before and after each. What moves without a toggle is
    the control that each is held against. Without FILE the running watch tells of the changes of --prefix that its
    agents' logs told it of, since it began. Example:

    anycastle watch toggles --fleet fleet --schedule toggles.yaml rrc00/bview.gz rrc00/updates.*.gz
    """
    if not files:
        if schedule is not None or logs or prefix is None:
            raise click.UsageError(
                "without FILE the running watch is asked: name --prefix, and no --schedule or --events"
            )
        told = ask_watch({"command": "toggles", "prefix": str(_prefix(prefix))}, run_dir)
    else:
        told = _of_archives(fleet_dir, schedule, prefix, logs, files, collector)
    print_form(form, told, Table(_COLUMNS, [_row(each) for each in told["verdicts"]]))
    if told["left_out"]:
        text = f"{len(told['left_out'])} toggles are left out: another is nearer than {2 * told['settle_s']:.0f} s"
        message(text if files else f"{text}, or the watch knows too little of the time before", severity="warning")


def _of_archives(
    fleet_dir: Path | None,
    schedule: Path | None,
    prefix: str | None,
    logs: tuple[Path, ...],
    files: tuple[str, ...],
    collector: str | None,
) -> dict[str, Any]:
    from anycastle.watch.intent import intent_of
    from anycastle.watch.toggle_report import toggles_told

    if fleet_dir is None:
        raise click.UsageError("with FILE, --fleet says what is watched")
    if (schedule is None) == (not logs):
        raise click.UsageError("name what is toggled: --schedule FILE, or --events LOG with --prefix")
    fleet = load(fleet_dir)
    intent = intent_of(fleet)
    planned = _of_logs(fleet, intent, prefix, logs) if schedule is None else _of_schedule(intent, schedule)
    experiment = _observe(intent, planned, files, collector)
    missing = len(planned.toggles) - len(experiment.outcomes) - len(experiment.left_out)
    if missing:
        message(f"{missing} toggles have no end within the archives", severity="warning")
    return toggles_told(planned.prefix, planned.settle_s, experiment.outcomes, experiment.left_out)


def _prefix(text: str) -> "Prefix":
    from anycastle.base.errors import ParseError
    from anycastle.model.prefix import parse_prefix

    try:
        return parse_prefix(text)
    except ParseError as error:
        raise click.BadParameter(str(error), param_hint="--prefix") from error


def _of_schedule(intent: "Intent", path: Path) -> "ToggleSchedule":
    from anycastle.io.toggle_schedule import read_schedule

    return read_schedule(path, intent.settling.toggle_s)


def _of_logs(fleet: "Fleet", intent: "Intent", prefix: str | None, logs: tuple[Path, ...]) -> "ToggleSchedule":
    from anycastle.io.own_changes import own_changes
    from anycastle.io.toggle_schedule import ToggleSchedule
    from anycastle.watch.toggle import toggles_of_changes

    if prefix is None:
        raise click.UsageError("with --events, --prefix says whose changes are meant")
    asked = _prefix(prefix)
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


def _row(verdict: dict[str, Any]) -> tuple[str, ...]:
    told = f"{verdict['told']} {verdict['instruction']}".rstrip()
    speeds = [_seconds(verdict[name]) for name in ("settled_s_p50", "settled_s_p95")]
    return (verdict["upstream"], told, str(verdict["toggles"]), verdict["compliance"], *speeds, verdict["reason"])


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f} s"
