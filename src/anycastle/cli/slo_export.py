"""`anycastle slo export`: objectives for Prometheus, Grafana, and as OpenSLO."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from anycastle.model.objective import Objective

READ = click.Path(exists=True, path_type=Path)


@click.group()
def export() -> None:
    """Write objectives in the forms of other programs.

    Objectives come from the fleet's files (--fleet) or from OpenSLO documents (--openslo).

    \b
    Example:
      anycastle slo export prometheus rules --fleet fleet
      promtool test rules rules/anycastle-slo.test.yaml
    """


def _source(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that name objectives and counters."""

    @click.argument("folder", type=click.Path(file_okay=False, path_type=Path), metavar="DIR")
    @click.option("--fleet", type=READ, envvar="ANYCASTLE_FLEET", help="The fleet folder.")
    @click.option("--openslo", multiple=True, type=READ, metavar="FILE", help="OpenSLO v1, instead of a fleet.")
    @click.option("--events-counter", help="Counter of all events.  [anycastle_slo_events_total]")
    @click.option("--good-counter", help="Counter of good ones.  [anycastle_slo_good_events_total]")
    @wraps(command)
    def wrapped(
        folder: Path,
        fleet: Path | None,
        openslo: tuple[Path, ...],
        events_counter: str | None,
        good_counter: str | None,
    ) -> None:
        command(folder, _objectives(fleet, openslo), _counters(events_counter, good_counter))

    return wrapped


def _counters(events: str | None, good: str | None) -> Any:
    import re

    from anycastle.slo.export.prometheus import EVENTS, GOOD, Counters

    for name in (events, good):
        if name is not None and not re.fullmatch(r"[a-zA-Z_:][a-zA-Z0-9_:]*", name):
            raise click.UsageError(f"{name!r} is no name of a metric")
    return Counters(events or EVENTS, good or GOOD)


def _objectives(fleet: Path | None, openslo: tuple[Path, ...]) -> list["Objective"]:
    if openslo:
        from anycastle.io.openslo import read_openslo

        found = [objective for path in openslo for objective in read_openslo(path)]
    elif fleet is not None:
        from anycastle.io.fleet_loader import load_here, usable

        found = list(usable(*load_here(fleet)).objectives)
    else:
        raise click.UsageError("name the objectives: --fleet DIR, or --openslo FILE")
    if not found:
        raise click.UsageError(f"{fleet}: no service has objectives")
    names = [(each.service, each.name) for each in found]
    twice = sorted({f"{service} {name}" for service, name in names if names.count((service, name)) > 1})
    if twice:
        raise click.UsageError(f"objectives given twice: {', '.join(twice)}")
    return found


def _write(files: dict[str, str], folder: Path) -> None:
    from anycastle.io.slo_export import write_files

    for path in write_files(files, folder):
        click.echo(path)


@export.command()
@_source
def prometheus(folder: Path, objectives: list["Objective"], counters: Any) -> None:
    """Write recording and alerting rules, and the tests that promtool runs of them.

    \b
    Example:
      anycastle slo export prometheus rules --fleet fleet
    """
    from anycastle.io.slo_export import prometheus_files

    _write(prometheus_files(objectives, counters), folder)


@export.command()
@_source
def grafana(folder: Path, objectives: list["Objective"], counters: Any) -> None:
    """Write dashboards: one for executives, one for who is on call.

    \b
    Example:
      anycastle slo export grafana dashboards --fleet fleet
    """
    from anycastle.io.slo_export import grafana_files

    _write(grafana_files(objectives, counters), folder)


@export.command("openslo")
@_source
def openslo_(folder: Path, objectives: list["Objective"], counters: Any) -> None:
    """Write OpenSLO v1 documents.

    \b
    Example:
      anycastle slo export openslo slos --fleet fleet
    """
    from anycastle.io.slo_export import openslo_files

    _write(openslo_files(objectives, counters), folder)
