"""What can go wrong in a lab, and how it is mended again. One table, `FAULTS`."""

import signal
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from anycastle.base.errors import MisuseError, WorldError
from anycastle.lab.fleet import far_end
from anycastle.lab.namespaces import NamespacesLab
from anycastle.lab.netns import program
from anycastle.lab.topology import NodeKind
from anycastle.model.check import DNSTarget
from anycastle.model.fleet import Fleet

FLAP_EVERY_S: Final = 3.0
"""Long enough to be confirmed down and up again, at the lab's usual timing."""

_EVERYTHING: Final = "lab_frozen"
_LINK: Final = "lab_cut"
_HOOKS: Final = ("prerouting", "output", "forward")


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault at a PoP. `strike` returns as soon as it is in force."""

    summary: str
    strike: Callable[[NamespacesLab, str], None]
    mend: Callable[[NamespacesLab, str], None]
    moves: bool = True
    """Whether the PoP's clients are to be answered elsewhere."""


def wrong_checks(fleet: Fleet) -> Fleet:
    """Give the fleet with checks that no healthy name server passes: they expect another's identity."""
    services = []
    for service in fleet.services:
        checks = tuple(
            replace(check, target=replace(check.target, identity="nobody"))
            if isinstance(check.target, DNSTarget)
            else check
            for check in service.checks
        )
        services.append(replace(service, checks=checks))
    return replace(fleet, services=tuple(services))


# -- the service -------------------------------------------------------------------------------------------------------


def _stop_service(lab: NamespacesLab, pop: str) -> None:
    lab.kill(f"nsd-{pop}")


def _start_service(lab: NamespacesLab, pop: str) -> None:
    lab.start_service(pop)


def _freeze_service(lab: NamespacesLab, pop: str) -> None:
    lab.signal(f"nsd-{pop}", signal.SIGSTOP)


def _thaw_service(lab: NamespacesLab, pop: str) -> None:
    lab.signal(f"nsd-{pop}", signal.SIGCONT)


class _Flapping:
    """Stops and continues name servers in turn, each in a thread until it is ended."""

    def __init__(self) -> None:
        self._ends: dict[tuple[int, str], tuple[threading.Event, threading.Thread]] = {}

    def strike(self, lab: NamespacesLab, pop: str) -> None:
        over = threading.Event()
        thread = threading.Thread(target=self._flap, args=(lab, pop, over), daemon=True)
        self._ends[id(lab), pop] = over, thread
        _freeze_service(lab, pop)
        thread.start()

    def _flap(self, lab: NamespacesLab, pop: str, over: threading.Event) -> None:
        frozen = True
        while not over.wait(FLAP_EVERY_S):
            frozen = not frozen
            try:
                (_freeze_service if frozen else _thaw_service)(lab, pop)
            except (WorldError, ProcessLookupError):
                return  # the lab was taken down

    def mend(self, lab: NamespacesLab, pop: str) -> None:
        over, thread = self._ends.pop((id(lab), pop))
        over.set()
        thread.join()
        _thaw_service(lab, pop)


_FLAPPING: Final = _Flapping()


# -- the agent ---------------------------------------------------------------------------------------------------------


def _terminate_agent(lab: NamespacesLab, pop: str) -> None:
    lab.signal(f"agent-{pop}", signal.SIGTERM)


def _kill_agent(lab: NamespacesLab, pop: str) -> None:
    lab.kill(f"agent-{pop}")


def _freeze_agent(lab: NamespacesLab, pop: str) -> None:
    lab.signal(f"agent-{pop}", signal.SIGSTOP)


def _thaw_agent(lab: NamespacesLab, pop: str) -> None:
    lab.signal(f"agent-{pop}", signal.SIGCONT)


def _restart_agent(lab: NamespacesLab, pop: str) -> None:
    lab.stop(f"agent-{pop}")
    lab.start_agent(pop)


def _push_wrong_checks(lab: NamespacesLab, pop: str) -> None:  # noqa: ARG001  every PoP gets them
    lab.push(wrong_checks(lab.fleet))


def _push_right_checks(lab: NamespacesLab, pop: str) -> None:  # noqa: ARG001
    lab.push(lab.fleet)


def _command(lab: NamespacesLab, pop: str, command: str) -> None:
    services = [service.name for service in lab.topology.services if pop in service.pops]
    request = {"command": command, "services": services, "owner": "lab", "reason": "an exercise"}
    lab.agent(pop, request | ({"soak_s": 0.0, "wait_s": 60.0} if command == "drain" else {}))


def _drain(lab: NamespacesLab, pop: str) -> None:
    _command(lab, pop, "drain")


def _undrain(lab: NamespacesLab, pop: str) -> None:
    _command(lab, pop, "undrain")


# -- the router and the wire -------------------------------------------------------------------------------------------


def _kill_router(lab: NamespacesLab, pop: str) -> None:
    lab.kill(f"bird-{pop}")


def _start_router(lab: NamespacesLab, pop: str) -> None:
    lab.start_router(lab.topology.node(pop))


def _drop(lab: NamespacesLab, node: str, table: str, hooks: Mapping[str, str]) -> None:
    """Drop packets from now on. The carrier stays up and nobody is told, as with a frozen box or a lost fabric."""
    rules = [
        f"add chain inet {table} {hook} {{ type filter hook {hook} priority -500; }}\n"
        f"add rule inet {table} {hook} {match} drop"
        for hook, match in hooks.items()
    ]
    text = "\n".join([f"add table inet {table}", *rules, ""])
    lab.namespace(node).run(program("nft"), "-f", "-", text=text)


def _pass(lab: NamespacesLab, node: str, table: str) -> None:
    lab.namespace(node).run(program("nft"), "delete", "table", "inet", table)


def _ends_of_first_link(lab: NamespacesLab, pop: str) -> tuple[tuple[str, str], tuple[str, str]]:
    far = far_end(lab.topology.links_of(pop)[0], pop)
    return (pop, far), (far, pop)


def _cut_link(lab: NamespacesLab, pop: str) -> None:
    for near, far in _ends_of_first_link(lab, pop):
        _drop(lab, near, _LINK, {"prerouting": f'iifname "{far}"', "output": f'oifname "{far}"'})


def _mend_link(lab: NamespacesLab, pop: str) -> None:
    for near, _ in _ends_of_first_link(lab, pop):
        _pass(lab, near, _LINK)


def _freeze_pop(lab: NamespacesLab, pop: str) -> None:
    _drop(lab, pop, _EVERYTHING, dict.fromkeys(_HOOKS, ""))


def _thaw_pop(lab: NamespacesLab, pop: str) -> None:
    _pass(lab, pop, _EVERYTHING)


FAULTS: Final[Mapping[str, Fault]] = MappingProxyType(
    {
        "agent-frozen": Fault("the agent hangs (SIGSTOP); its lease ends", _freeze_agent, _thaw_agent),
        "agent-killed": Fault("the agent dies (SIGKILL); its lease ends", _kill_agent, _restart_agent),
        "agent-terminated": Fault("the agent is stopped (SIGTERM), by on_exit", _terminate_agent, _restart_agent),
        "bad-configuration": Fault(
            "checks that nobody can pass are pushed to every PoP", _push_wrong_checks, _push_right_checks
        ),
        "check-flapping": Fault("the name server hangs and goes on, in turn", _FLAPPING.strike, _FLAPPING.mend),
        "drain": Fault("the PoP is drained by its operator, without soaking", _drain, _undrain),
        "link-cut": Fault("the PoP's first link drops all, its carrier up", _cut_link, _mend_link),
        "pop-frozen": Fault("the whole PoP drops all, its carriers up", _freeze_pop, _thaw_pop),
        "router-killed": Fault("BIRD dies (SIGKILL)", _kill_router, _start_router),
        "service-slow": Fault("the name server hangs (SIGSTOP)", _freeze_service, _thaw_service),
        "service-stopped": Fault("the name server dies (SIGKILL)", _stop_service, _start_service),
    }
)
"""Name, as `--fault` takes it -> the fault."""


def check_pop(lab: NamespacesLab, pop: str) -> None:
    """Raise `MisuseError` where a topology has no such PoP."""
    names = [node.name for node in lab.topology.of_kind(NodeKind.POP)]
    if pop not in names:
        raise MisuseError(f"the topology has no PoP {pop!r}; it has: {', '.join(names)}")
