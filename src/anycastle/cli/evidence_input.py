"""The files that say what happened, as options of all commands that look back at it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

import click

from anycastle.cli.output import message

if TYPE_CHECKING:
    from anycastle.model.fleet import Fleet
    from anycastle.response.evidence import Case
    from anycastle.response.incident import Incident
    from anycastle.response.story import Story, Told

F = TypeVar("F", bound=Callable[..., Any])

_FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)


def evidence_options(command: F) -> F:
    """Give a command the options; it is called with them, and hands them to `read_evidence`."""
    for option in (
        click.option("--fleet", type=click.Path(exists=True, path_type=Path), envvar="ANYCASTLE_FLEET",
                     help="The fleet folder: which PoP serves what, and in which region."),
        click.option("--alerts", type=_FILE, metavar="FILE",
                     help="Alerts, causes and people's words, as `incidents replay` has them."),
        click.option("--report", "reports", type=_FILE, multiple=True, metavar="FILE",
                     help="What `anycastle agent status -o json` printed. Can be repeated."),
        click.option("--telemetry", multiple=True, metavar="METRIC=FILE",
                     help="Prometheus's answer to a range query by pop; METRIC is cpu, packets, requests, hit_ratio or"
                          " origin_requests. Can be repeated."),
        click.option("--probes", type=_FILE, multiple=True, metavar="FILE",
                     help="Results of `anycastle prober run --out`. Can be repeated."),
        click.option("--watch", "watch_logs", type=_FILE, multiple=True, metavar="FILE",
                     help="The watch's log, or what `watch replay -o ndjson` printed. Can be repeated."),
        click.option("--store", metavar="DATABASE", help="A controller's log: sqlite:////PATH or postgresql://..."),
        click.option("--events", "logs", type=_FILE, multiple=True, metavar="FILE",
                     help="An agent's log or an export of one; the log of runbooks. Can be repeated."),
    ):  # fmt: skip
        command = option(command)
    return command


class Known(NamedTuple):
    """What was read, and what became of it."""

    case: "Case"
    story: "Story"
    fleet: "Fleet | None"

    def incident(self, number: int) -> "Incident":
        """Give an incident by its number. Raises a usage error that names those that there are."""
        found = self.story.engine.incidents
        if number not in found:
            there = ", ".join(f"{each.id} ({each.title})" for each in list(found.values())[:5]) or "none at all"
            raise click.UsageError(f"there is no incident {number}; there are: {there}")
        return found[number]


def read_evidence(
    *, fleet: Path | None, alerts: Path | None, reports: tuple[Path, ...], telemetry: tuple[str, ...],
    probes: tuple[Path, ...], watch_logs: tuple[Path, ...], store: str | None, logs: tuple[Path, ...],
) -> Known:  # fmt: skip
    """Read all that was named, and play it. What cannot be read is told on standard error; wrong files are usage."""
    from anycastle.base.errors import ParseError
    from anycastle.cli.event_source import opened
    from anycastle.io import evidence
    from anycastle.io.response_log import topology_of
    from anycastle.response.evidence import Source
    from anycastle.response.signal import Topology

    meant = _fleet(fleet) if fleet else None
    into = evidence.Read()
    try:
        for path in logs:
            evidence.read_events(path, into)
        if store is not None:
            with opened(None, store) as log:
                into.events(log.read(), "controller")
        for path in watch_logs:
            evidence.read_events(path, into, of_watch=True)
        for path in probes:
            evidence.read_probes(path, meant, into)
        for text in telemetry:
            metric, _, name = text.partition("=")
            evidence.read_telemetry(metric, Path(name), into)
        evidence.read_reports(reports, into)
        told = _told(alerts)
    except ParseError as error:
        raise click.UsageError(str(error)) from error
    for problem in into.problems:
        message(problem, severity="warning")
    if alerts is not None:
        into.given.add(Source.ALERTS)
    if meant is not None:
        into.given.add(Source.FLEET)
    case = _in_order(into.case(), topology_of(meant) if meant else Topology())
    if not case.given - {Source.FLEET} and not case.facts:
        raise click.UsageError("nothing was named that says what happened: give --events, --probes, --watch, ...")
    story = _played(case, told, alerts, meant)
    return Known(replace(case, alerts=story.alerts, notices=story.notices), story, meant)


def _in_order(case: "Case", topology: Any) -> "Case":
    from anycastle.response.evidence import merged

    return merged([case], topology)


def _told(alerts: Path | None) -> "list[Told]":
    from anycastle.io.response_log import read_steps
    from anycastle.response.story import Told

    return [] if alerts is None else [Told(step.at, step.do) for step in read_steps(alerts)]


def _played(case: "Case", told: "list[Told]", alerts: Path | None, fleet: "Fleet | None") -> "Story":
    from anycastle.base.errors import MisuseError
    from anycastle.response.policy import policy_of
    from anycastle.response.recorded import with_recorded
    from anycastle.response.story import story_of

    policy = policy_of(None if fleet is None else fleet.notify)
    try:
        return with_recorded(story_of(case, told, policy), case)
    except MisuseError as error:
        raise click.UsageError(f"{alerts}: {error}") from error


def _fleet(folder: Path) -> "Fleet":
    from anycastle.io.fleet_loader import load_here, usable

    return usable(*load_here(folder))
