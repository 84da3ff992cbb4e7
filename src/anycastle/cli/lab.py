"""`anycastle lab`: a topology run on this machine, faults, and what clients see of them."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, TypeVar

import click

from anycastle.base.errors import MisuseError
from anycastle.cli.output import Form, Table, message, output_option, print_form, print_table

if TYPE_CHECKING:
    from anycastle.lab.exercise import Outcome
    from anycastle.lab.namespaces import NamespacesLab
    from anycastle.lab.topology import Topology

F = TypeVar("F", bound=Callable[..., Any])


@click.group()
def lab() -> None:
    """Run a topology of PoPs on this machine, let something fail, and see what clients see.

    TOPOLOGY is the name of one that comes with the program, or a YAML file. The namespaces backend is made of network
    namespaces, BIRD, nsd and the kernel's forwarding, and needs root; the embedded one is one process without root.
    """


def _topology_options(command: F) -> F:
    for option in (
        click.argument("topology"),
        click.option("--bfd", type=click.IntRange(10, 10000), help="Interval of BFD in ms; three are silence."),
        click.option("--hold-time", type=click.IntRange(3, 65535), help="BGP hold time in s."),
        click.option("--graceful-restart", is_flag=True, help="Ask neighbours to keep the routes of a lost router."),
    ):
        command = option(command)
    return command


def _run_dir_option(command: F) -> F:
    return click.option(
        "--run-dir", type=click.Path(path_type=Path), help="Where the lab lives. [default: /run/anycastle-lab/NAME]"
    )(command)


def _find(name: str, bfd: int | None = None, hold_time: int | None = None, graceful: bool = False) -> "Topology":
    from anycastle.lab.topology_file import find_topology

    topology = find_topology(name)
    timers = topology.timers
    timers = replace(
        timers,
        bfd_ms=bfd or timers.bfd_ms,
        hold_time_s=hold_time or timers.hold_time_s,
        graceful_restart=graceful or timers.graceful_restart,
    )
    return replace(topology, timers=timers)


@contextmanager
def _terminated_by_exception() -> Iterator[None]:
    """Let SIGTERM end us as Ctrl-C does, so that what was built is taken down."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@lab.command()
@output_option(Form.TABLE, Form.JSON)
def topologies(form: Form) -> None:
    """List the topologies that come with the program."""
    from anycastle.lab.topology import NodeKind
    from anycastle.lab.topology_file import find_topology, packaged

    found = [find_topology(name) for name in packaged()]
    plain = [{"name": each.name} | {f"{kind.value}s": len(each.of_kind(kind)) for kind in NodeKind} for each in found]
    rows = [tuple(str(value) for value in each.values()) for each in plain]
    print_form(form, plain, Table(("NAME", *(kind.value.upper() + "S" for kind in NodeKind)), rows))


@lab.command()
@_topology_options
@_run_dir_option
def up(topology: str, bfd: int | None, hold_time: int | None, graceful_restart: bool, run_dir: Path | None) -> None:
    """Build a lab in network namespaces and leave it up."""
    from anycastle.lab.namespaces import NamespacesLab

    built = NamespacesLab(_find(topology, bfd, hold_time, graceful_restart), run_dir)
    with _terminated_by_exception():
        built.build()
        try:
            message(f"{len(built.topology.nodes)} namespaces; waiting for routes")
            built.wait_steady()
            built.leave_up()
        except BaseException:
            built.down()
            raise
    print_table(_status_table(built))
    message(f"its files are in {built.run_dir}; take it down with: anycastle lab down {topology}")


@lab.command()
@click.argument("topology")
@_run_dir_option
def down(topology: str, run_dir: Path | None) -> None:
    """Take a lab down, also one whose process was killed; nothing of it is left."""
    from anycastle.lab.ledger import default_run_dir, take_down

    where = run_dir or default_run_dir(_find(topology).name)
    message(f"{where}: " + ("taken down" if take_down(where) else "no lab is here"))


@lab.command()
@click.argument("topology")
@_run_dir_option
@output_option(Form.TABLE, Form.JSON)
def status(topology: str, run_dir: Path | None, form: Form) -> None:
    """Show what runs in a lab, who announces, and which PoP answers each client."""
    from anycastle.lab.ledger import load
    from anycastle.lab.namespaces import NamespacesLab

    asked = NamespacesLab(_find(topology), run_dir)
    if load(asked.run_dir) is None:
        raise MisuseError(f"no lab is up in {asked.run_dir}")
    print_form(form, _status(asked), _status_table(asked))


def _status(asked: "NamespacesLab") -> dict[str, Any]:
    from anycastle.lab.ledger import load

    kept = load(asked.run_dir)
    processes = kept.processes if kept is not None else {}
    return {
        "topology": asked.topology.name,
        "run_dir": str(asked.run_dir),
        "processes": {name: started.alive for name, started in sorted(processes.items())},
        "services": [
            {
                "name": service.name,
                "announced_by": sorted(asked.announcing(service)),
                "catchment": asked.catchment(service),
            }
            for service in asked.topology.services
        ],
    }


def _status_table(asked: "NamespacesLab") -> Table:
    rows = []
    for node in asked.topology.nodes:
        name = asked.namespace(node.name).name
        answers = {service.name: asked.catchment(service).get(node.name, "") for service in asked.topology.services}
        announced = [service.name for service in asked.topology.services if node.name in asked.announcing(service)]
        served = ", ".join(f"{service} by {pop or 'nobody'}" for service, pop in answers.items() if pop != "")
        rows.append((node.name, node.kind.value, name, ", ".join(announced), served))
    return Table(("NODE", "KIND", "NAMESPACE", "ANNOUNCES", "SERVED"), rows)


@lab.command()
@_topology_options
@_run_dir_option
@click.option("--backend", type=click.Choice(["embedded", "namespaces"]), default="namespaces", show_default=True)
@click.option("--fault", default="service-stopped", show_default=True, help="One of `anycastle lab faults`.")
@click.option("--at", "pop", help="The PoP that it strikes. [default: the first]")
@click.option("--reps", type=click.IntRange(1, 1000), default=1, show_default=True, help="Runs, each of a new lab.")
@click.option("--rate", type=click.FloatRange(1, 1000), default=100.0, show_default=True, help="Queries a second.")
@output_option(Form.TABLE, Form.JSON)
def run(
    topology: str,
    bfd: int | None,
    hold_time: int | None,
    graceful_restart: bool,
    run_dir: Path | None,
    backend: str,
    fault: str,
    pop: str | None,
    reps: int,
    rate: float,
    form: Form,
) -> None:
    """Build a lab, let a fault strike a PoP, count what clients see of it, and take the lab down."""
    from anycastle.lab.faults import FAULTS
    from anycastle.lab.topology import NodeKind

    found = _find(topology, bfd, hold_time, graceful_restart)
    if fault not in FAULTS:
        raise MisuseError(f"there is no fault {fault!r}; there are: {', '.join(FAULTS)}")
    struck = pop or found.of_kind(NodeKind.POP)[0].name
    outcomes = []
    with _terminated_by_exception():
        for number in range(1, reps + 1):
            message(f"run {number} of {reps}: building")
            once = _run_embedded if backend == "embedded" else _run_namespaces
            outcomes.append(once(found, run_dir, fault, struck, rate))
    plain = {"topology": found.name, "backend": backend, "runs": [outcome.plain() for outcome in outcomes]}
    print_form(form, plain, _outcome_table(outcomes))


@lab.command()
@output_option(Form.TABLE, Form.JSON)
def faults(form: Form) -> None:
    """List the faults, and which backends have them."""
    from anycastle.lab.exercise import EMBEDDED_FAULTS
    from anycastle.lab.faults import FAULTS

    plain = [
        {
            "name": name,
            "backends": ["embedded", "namespaces"] if name in EMBEDDED_FAULTS else ["namespaces"],
            "summary": fault.summary,
        }
        for name, fault in FAULTS.items()
    ]
    rows = [(each["name"], ", ".join(each["backends"]), each["summary"]) for each in plain]
    print_form(form, plain, Table(("NAME", "BACKENDS", "WHAT"), [tuple(map(str, row)) for row in rows]))


def _run_namespaces(topology: "Topology", run_dir: Path | None, fault: str, pop: str, rate: float) -> "Outcome":
    from anycastle.lab.exercise import NamespacesExercise, Probing
    from anycastle.lab.faults import check_pop
    from anycastle.lab.namespaces import NamespacesLab

    built = NamespacesLab(topology, run_dir)
    check_pop(built, pop)
    built.build()
    try:
        built.wait_steady()
        return NamespacesExercise(built, message, Probing(rate)).run(fault, pop)
    finally:
        built.down()


def _run_embedded(topology: "Topology", run_dir: Path | None, fault: str, pop: str, rate: float) -> "Outcome":  # noqa: ARG001
    import asyncio

    from anycastle.lab.embedded import EmbeddedLab
    from anycastle.lab.exercise import run_embedded

    async def once() -> "Outcome":
        built = EmbeddedLab(topology, lambda _event: None)
        try:
            await built.start()
            return await run_embedded(built, fault, pop, message, rate)
        finally:
            await built.close()

    return asyncio.run(once())


def _outcome_table(outcomes: "list[Outcome]") -> Table:
    rows = []
    for number, outcome in enumerate(outcomes, start=1):
        failovers = ", ".join(
            f"{client} {'never' if took is None else f'{took:.3f} s'}" for client, took in outcome.failover_s.items()
        )
        rows.append(
            (
                str(number),
                outcome.fault,
                outcome.pop,
                failovers or "none was served by it",
                str(outcome.lost),
                str(outcome.lost_elsewhere),
                f"{outcome.sessions_ended} of {outcome.sessions}",
            )
        )
    columns = ("RUN", "FAULT", "AT", "ANSWERED ELSEWHERE", "LOST", "LOST BY OTHERS", "SESSIONS ENDED")
    return Table(columns, rows)
