"""`anycastle agent`: the PoP agent's process, and what an operator asks of it."""

import getpass
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from anycastle.base.errors import MisuseError
from anycastle.cli.host_port import host_and_port
from anycastle.cli.output import Form, Table, output_option, print_form

if TYPE_CHECKING:
    from anycastle.io.link.files import LinkSettings
    from anycastle.model.fleet import Fleet

F = TypeVar("F", bound=Callable[..., Any])

FLEET = click.option(
    "--fleet", "fleet_dir", type=click.Path(path_type=Path), required=True, envvar="ANYCASTLE_FLEET",
    help="The fleet folder.",
)  # fmt: skip
POP = click.option("--pop", required=True, envvar="ANYCASTLE_POP", help="The PoP that this machine is.")


def run_dir_option(command: F) -> F:
    """Give the option for the directory of sockets."""
    return click.option(
        "--run-dir", type=click.Path(path_type=Path), envvar="RUNTIME_DIRECTORY",
        help="Sockets; gone with a reboot. [default: /run/anycastle/POP, or below the user's runtime directory]",
    )(command)  # fmt: skip


def directories(pop: str, state_dir: Path | None, run_dir: Path | None) -> tuple[Path, Path]:
    """Give where state and sockets live: as systemd says, else the system's places as root, else the user's."""
    if os.geteuid() == 0:
        state_root, run_root = Path("/var/lib/anycastle"), Path("/run/anycastle")
    else:
        state_root = Path(os.environ.get("XDG_STATE_HOME", Path.home() / ".local/state")) / "anycastle"
        run_root = Path(os.environ.get("XDG_RUNTIME_DIR", "/tmp")) / f"anycastle-{os.getuid()}"  # noqa: S108
    return state_dir or state_root / pop, run_dir or run_root / pop


async def load_for(fleet_dir: Path, pop: str) -> "Fleet":
    """Give the fleet, without keeping what reading it takes. Raises `MisuseError` where it has no such PoP."""
    from anycastle.io.fleet_loader import load_fleet_apart

    return _having(await load_fleet_apart(fleet_dir), pop)


def _having(fleet: "Fleet", pop: str) -> "Fleet":
    names = [known.name for known in fleet.pops]
    if pop not in names:
        raise MisuseError(f"the fleet has no PoP {pop!r}; it has: {', '.join(names)}")
    return fleet


@click.group()
def agent() -> None:
    """Run a PoP's agent, ask it, drain it."""


@agent.command()
@FLEET
@POP
@click.option("--state-dir", type=click.Path(path_type=Path), envvar="STATE_DIRECTORY", help="What outlives a restart.")
@run_dir_option
@click.option("--listen", default="127.0.0.1:9477", show_default=True, help="ADDRESS:PORT of /metrics, or `none`.")
@click.option("--observe-only", is_flag=True, help="Check, decide and tell, but leave the router alone.")
@click.option("--no-watchdog", is_flag=True, help="Let announcements outlive an agent that dies.")
@click.option(
    "--controller", "controllers", multiple=True, metavar="HOST[:PORT]", help="A controller; may be repeated."
)
@click.option(
    "--authorities", type=click.Path(path_type=Path), help="Whom the link trusts: bundle.pem of the authority."
)
@click.option("--certificate", type=click.Path(path_type=Path), help="The agent's certificate; read at each dialling.")
@click.option("--key", type=click.Path(path_type=Path), help="Its key. [default: beside the certificate]")
def run(
    fleet_dir: Path,
    pop: str,
    state_dir: Path | None,
    run_dir: Path | None,
    listen: str,
    observe_only: bool,
    no_watchdog: bool,
    controllers: tuple[str, ...],
    authorities: Path | None,
    certificate: Path | None,
    key: Path | None,
) -> None:
    """Announce a PoP's services while they serve, until SIGTERM. SIGHUP reads the fleet folder anew."""
    import asyncio

    from anycastle.daemons.agent_process import AgentProcess, AgentSettings
    from anycastle.daemons.assigned import begin_with

    state, sockets = (each.absolute() for each in directories(pop, state_dir, run_dir))  # the watchdog lives in /
    link = _link_settings(controllers, authorities, certificate, key)
    settings = AgentSettings(pop, state, sockets, address(listen), observe_only, not no_watchdog, link)

    async def load() -> "Fleet":
        return await load_for(fleet_dir, pop)

    async def serve() -> None:
        start = await begin_with(settings.assignments, settings.access, pop, load)
        await AgentProcess(settings, start, load).run()

    asyncio.run(serve())


def _link_settings(
    controllers: tuple[str, ...], authorities: Path | None, certificate: Path | None, key: Path | None
) -> "LinkSettings | None":
    """Give what the link needs; None without a controller. Raises `UsageError`."""
    from anycastle.base.errors import ParseError
    from anycastle.io.link.files import CredentialFiles, LinkSettings
    from anycastle.model.controller_access import host_and_port as place

    if not controllers:
        if authorities or certificate or key:
            raise click.UsageError("--authorities, --certificate and --key are for a --controller")
        return None
    if authorities is None or certificate is None:
        raise click.UsageError("--controller needs --authorities and --certificate")
    try:
        for controller in controllers:
            place(controller)
    except ParseError as error:
        raise click.UsageError(str(error)) from error
    # Absolute, as the daemon may change its directory; they are read anew at each dialling.
    paths = (authorities, certificate, key or certificate.with_suffix(".key"))
    return LinkSettings(controllers, CredentialFiles(*(path.absolute() for path in paths)))


@agent.command()
@FLEET
@POP
@run_dir_option
def snippet(fleet_dir: Path, pop: str, run_dir: Path | None) -> None:
    """Print what a PoP's bird.conf needs, once: paste it above the BGP protocols."""
    from anycastle.io.fleet_loader import load_here, usable
    from anycastle.io.routers.bird import BirdDriver
    from anycastle.io.routers.bird_config import bird_snippet

    fleet = _having(usable(*load_here(fleet_dir)), pop)
    place = fleet.pop(pop)
    if place.router.driver != "bird":
        raise MisuseError(f"{pop} announces through the driver {place.router.driver!r}, which needs no snippet")
    file = BirdDriver(fleet.asn, place, directories(pop, None, run_dir)[1]).include
    click.echo(bird_snippet(fleet.asn, place, file), nl=False)


def address(listen: str) -> tuple[str, int] | None:
    """Give host and port of `--listen`; None for `none`."""
    if listen == "none":
        return None
    return host_and_port(listen, "--listen", "ADDRESS:PORT", lowest=0)


def _socket(pop: str, run_dir: Path | None) -> Path:
    return directories(pop, None, run_dir)[1] / "agent.sock"


@agent.command()
@POP
@run_dir_option
@output_option(Form.TABLE, Form.JSON, Form.YAML)
def status(pop: str, run_dir: Path | None, form: Form) -> None:
    """Show what the agent announces, and why."""
    from anycastle.io.local_socket import ask

    told = ask(_socket(pop, run_dir), {"command": "status", "pop": pop}, found_by="--run-dir")
    if form is Form.TABLE:
        for problem in told["problems"]:
            click.echo(f"not ready: {problem}", err=True)
        if told.get("assignment"):
            taken = datetime.fromtimestamp(told["assignment"]["taken"], UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            click.echo(f"lives by the assignment {told['assignment']['digest']}, taken {taken}", err=True)
    print_form(form, told, _service_table(told["services"]))


def _service_table(services: list[dict[str, Any]]) -> Table:
    rows = [
        (
            service["name"],
            service["stance"],
            service["condition"],
            service["permit"],
            service["drain"]["step"] if service["drain"] else "",
            "; ".join([service["reason"], *_failing(service)]),
        )
        for service in services
    ]
    return Table(("SERVICE", "STANCE", "CONDITION", "PERMIT", "DRAIN", "WHY"), rows)


def _failing(service: dict[str, Any]) -> list[str]:
    return [f"{c['name']}: {c['evidence']}" for c in service["checks"] if c["verdict"] == "unhealthy"]


def _owner_options(command: F) -> F:
    for option in (
        click.argument("services", nargs=-1, required=True),
        POP,
        run_dir_option,
        click.option("--owner", default=getpass.getuser, help="Who asks. [default: you]"),
        click.option("--reason", required=True, help="Why, for the log."),
        output_option(Form.TABLE, Form.JSON),
    ):
        command = option(command)
    return command


@agent.command()
@_owner_options
@click.option(
    "--soak",
    type=click.FloatRange(0, 86400),
    default=5.0,
    show_default=True,
    help="Seconds between graceful shutdown and withdrawal.",
)
@click.option(
    "--wait",
    type=click.FloatRange(0, 86400),
    default=5.0,
    show_default=True,
    help="Seconds after the withdrawal before addresses may go.",
)
@click.option(
    "--for", "for_s", type=click.FloatRange(min=0, min_open=True), help="Seconds after which the drain ends by itself."
)
def drain(
    services: tuple[str, ...],
    pop: str,
    run_dir: Path | None,
    owner: str,
    reason: str,
    form: Form,
    soak: float,
    wait: float,
    for_s: float | None,
) -> None:
    """Drain services at this PoP: graceful shutdown, soak, withdraw. It survives restarts, until `undrain`."""
    from anycastle.io.clock import now

    expires = None if for_s is None else now().wall + for_s
    request = {"command": "drain", "soak_s": soak, "wait_s": wait, "expires": expires}
    _command(request, services, pop, run_dir, owner, reason, form)


@agent.command()
@_owner_options
def undrain(services: tuple[str, ...], pop: str, run_dir: Path | None, owner: str, reason: str, form: Form) -> None:
    """End the drain of services at this PoP."""
    _command({"command": "undrain"}, services, pop, run_dir, owner, reason, form)


def _command(
    request: dict[str, Any],
    services: tuple[str, ...],
    pop: str,
    run_dir: Path | None,
    owner: str,
    reason: str,
    form: Form,
) -> None:
    from anycastle.io.local_socket import ask

    asked = request | {"pop": pop, "services": list(services), "owner": owner, "reason": reason}
    told = ask(_socket(pop, run_dir), asked, found_by="--run-dir")
    print_form(form, told["services"], _service_table(told["services"]))


@agent.command("forget-assignment")
@POP
@click.option("--state-dir", type=click.Path(path_type=Path), envvar="STATE_DIRECTORY", help="Where the assignment is.")
def forget_assignment(pop: str, state_dir: Path | None) -> None:
    """Have the agent live by its fleet files again, from its next start on. It must not run meanwhile.

    Bring the files up to date first: what they say may be older than what the PoP announces, and no rollout has come
    to it. Permits are still the controllers' to deal. A controller that the agent dials assigns anew. The assignment is
    kept beside its place, as assignment-forgotten.json.

    Example: systemctl stop anycastle-agent@ams; anycastle agent forget-assignment --pop ams
    """
    from anycastle.base.errors import WorldError
    from anycastle.io.assignment_file import AssignmentFile
    from anycastle.io.lock import claim

    state, _ = directories(pop, state_dir, None)
    stored = AssignmentFile(state / "assignment.json")
    if not stored.path.exists():
        raise MisuseError(f"{stored.path} is not there: the agent of {pop} lives by its fleet files")
    try:
        held = claim(state, "agent", "has this state directory")
    except WorldError as error:
        raise MisuseError(f"{error}; stop the agent of {pop} first") from error
    try:
        aside = stored.forget()
    finally:
        os.close(held)
    click.echo(f"the agent of {pop} lives by its fleet files from its next start; what it lived by is in {aside}")
