"""What `anycastle plan`, `diff` and `drift` are given: the fleet folder, and what agents say."""

from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from anycastle.base.errors import MisuseError, WorldError
from anycastle.cli.controller_option import api_controller, server_options, typed
from anycastle.cli.output import message

if TYPE_CHECKING:
    from anycastle.io.controller_client.port import Controller
    from anycastle.model.fleet import Fleet
    from anycastle.model.prefix import Prefix
    from anycastle.rollout.intent import Intent
    from anycastle.rollout.live import Live, PoPReport
    from anycastle.rollout.plan import FolderRevision

CHANGED = 2
"""Exit code with --detailed-exitcode where something differs."""

REFUSED = 4
"""Exit code where a check refuses the plan."""


def source_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give the options that name the folder and the agents; the command is given a controller, where one is named."""
    command = _with_controller(command)
    for option in (
        click.option(
            "--socket", "sockets", multiple=True, metavar="POP=PATH",
            help="An agent's local socket (agent.sock), asked now. Can be repeated.",
        ),
        server_options,
        click.option(
            "--controller", "controller_dir", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
            help="Where a controller's socket is, which is asked for all its PoPs.",
        ),
        click.option(
            "--live", "files", multiple=True, type=click.Path(path_type=Path, exists=True), metavar="FILE|DIR",
            help="What `anycastle agent status -o json` printed, a file for each PoP; or a folder of such files,"
            " *.json. Can be repeated.",
        ),
        click.option(
            "--fleet", "fleet_dir", type=click.Path(path_type=Path, file_okay=False), required=True,
            envvar="ANYCASTLE_FLEET", help="The fleet folder: what is meant.",
        ),
    ):  # fmt: skip
        command = option(command)
    return command


def _with_controller(command: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(command)
    def with_controller(
        *, controller_dir: Path | None, server: str | None, token_file: Path | None, ca_file: Path | None, **given: Any
    ) -> Any:
        named = controller_dir is not None or given["files"] or given["sockets"]
        if server is not None and typed("server") and controller_dir is not None:
            raise click.UsageError("name one controller: --server, or --controller")
        controller: Controller | None = None
        if controller_dir is not None:
            from anycastle.io.controller_client.local import LocalController

            controller = LocalController(controller_dir, "", found_by="--controller")
        elif server is not None and (typed("server") or not named):  # that of the environment is for who names none
            controller = api_controller(server, token_file, ca_file)
        return command(controller=controller, **given)

    return with_controller


def live_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give the options that name the folder and the agents, and the one for pipelines; `read_inputs` takes them."""
    detailed = click.option(
        "--detailed-exitcode", is_flag=True, help=f"Exit with {CHANGED} where something differs, 0 where nothing."
    )
    return source_options(detailed(command))


class Inputs(NamedTuple):
    """What is meant, what is announced, and which files said so."""

    intent: "Intent"
    live: "Live"
    folder: "FolderRevision"


def read_inputs(
    fleet_dir: Path, files: Sequence[Path], sockets: Sequence[str], controller: "Controller | None" = None
) -> Inputs:
    """Read the folder and all reports. Raises `MisuseError`, `ParseError`, `WorldError`.

    A socket that does not answer is a PoP that is not heard; a file that cannot be read is an error.
    """
    from anycastle.io.fleet_loader import load_here, usable
    from anycastle.io.folder_revision import folder_revision
    from anycastle.rollout.intent import intent_of
    from anycastle.rollout.mitigation import mitigated

    if not files and not sockets and controller is None:
        raise click.UsageError(
            "name what agents say, by --live, --socket, --controller or --server: without it nothing is known"
        )
    before = folder_revision(fleet_dir)
    fleet = usable(*load_here(fleet_dir))
    folder = folder_revision(fleet_dir)
    if folder.digest != before.digest:
        raise WorldError(f"{fleet_dir} changed while it was read")
    live, active = read_live(fleet, files, sockets, controller)
    if active:
        message(f"announced against a hijack, and kept: {', '.join(map(str, sorted(active)))}")
    return Inputs(intent_of(mitigated(fleet, active)), live, folder)


def read_live(
    fleet: "Fleet", files: Sequence[Path], sockets: Sequence[str], controller: "Controller | None"
) -> tuple["Live", frozenset["Prefix"]]:
    """Give what agents say, and what a controller announces against hijacks. Raises `MisuseError`, `WorldError`."""
    from anycastle.rollout.live import live_of

    reports, active = _of_controller(controller)
    reports += _reports(files, sockets)
    return live_of(reports, [pop.name for pop in fleet.pops]), active


def _reports(files: Sequence[Path], sockets: Sequence[str]) -> list["PoPReport"]:
    from anycastle.io.agent_report import read_report

    found: dict[str, tuple[PoPReport, str]] = {}
    for path in _expanded(files):
        _add(found, read_report(path), str(path))
    for text in sockets:
        asked = _ask(text)
        if asked is not None:
            _add(found, asked, text)
    return [report for report, _ in found.values()]


def _of_controller(controller: "Controller | None") -> tuple[list["PoPReport"], frozenset["Prefix"]]:
    """Give what the agents said last that have a session with a controller, and what it has against hijacks."""
    from anycastle.io.agent_report import report_of
    from anycastle.model.prefix import parse_prefix

    if controller is None:
        return [], frozenset()
    told = controller.status()
    there = [pop for pop, seen in (told["agents"] or {}).items() if seen["connected"]]
    reports = [report_of(controller.report(pop), f"{told['address']}: {pop}") for pop in there]
    return reports, frozenset(map(parse_prefix, told["desired"]["mitigations"]))


def _expanded(files: Sequence[Path]) -> list[Path]:
    return [each for path in files for each in (sorted(path.glob("*.json")) if path.is_dir() else [path])]


def _add(found: dict[str, tuple["PoPReport", str]], report: "PoPReport", source: str) -> None:
    if report.pop in found:
        raise MisuseError(f"{report.pop} is reported twice, by {found[report.pop][1]} and {source}")
    found[report.pop] = report, source


def _ask(text: str) -> "PoPReport | None":
    from anycastle.io.agent_report import report_of
    from anycastle.io.local_socket import ask

    pop, equals, path = text.partition("=")
    if not (pop and equals and path):
        raise click.BadParameter(f"{text!r} is not POP=PATH", param_hint="--socket")
    try:
        told = ask(Path(path), {"command": "status", "pop": pop}, found_by="--socket")
    except WorldError as error:
        message(f"{pop}: {error}", severity="warning")
        return None
    return report_of(told, text)
