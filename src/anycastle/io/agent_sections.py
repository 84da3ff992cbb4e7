"""An agent's state in sections, as the link carries it: made of its status by the agent, read by the controller.

Each entry is told when it changes, so nothing stands in them that changes by itself, such as a time.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import nan
from typing import Any, Final, NamedTuple

import msgspec

from anycastle.base.errors import ParseError
from anycastle.io.agent_report import ServiceShape, SessionShape, established_in, service_report
from anycastle.io.announcement_json import AnnouncementShape, announcement_of
from anycastle.model.announcement import Announcement
from anycastle.model.stance import DrainStep, Stance
from anycastle.rollout.live import PoPReport, ServiceReport
from anycastle.session.link_report import Sections, SectionsChanged

_LISTS: Final[Mapping[str, tuple[str, ...]]] = {
    "services": ("name",),
    "wanted": ("prefix", "upstream"),
    "exported": ("prefix", "upstream"),
    "sessions": ("upstream", "neighbour"),
}
"""Section -> the fields that name an entry."""

_STATE: Final = "agent"
"""The section of all else, field by field."""

_NOT_TOLD: Final = frozenset({"at", "controller", *_LISTS})
"""Parts of the status that say nothing to a controller, and those that are sections of their own."""


class _Assignment(msgspec.Struct):
    digest: str


class _Agent(msgspec.Struct):
    region: str = ""
    capacity: float | None = None
    booted: bool = False
    observe_only: bool = False
    settled: bool = False
    problems: tuple[str, ...] = ()
    assignment: _Assignment | None = None


_SERVICE: Final = msgspec.json.Decoder(ServiceShape)
_SESSION: Final = msgspec.json.Decoder(SessionShape)
_ROUTE: Final = msgspec.json.Decoder(AnnouncementShape)


@dataclass(frozen=True, slots=True)
class PoPState:
    """What a controller makes of an agent's sections."""

    report: PoPReport
    assignment: str | None
    """The digest by which the PoP lives; None for its own files."""
    settled: bool
    """The router announces what the agent wants, as far as it was told and read."""
    indicators: Mapping[str, float]
    """What gates can ask of the PoP; NaN for what was measured on nothing."""


def sections_of(status: Mapping[str, Any]) -> dict[str, dict[str, bytes]]:
    """Give an agent's status in sections."""
    made = {
        section: {" ".join(str(entry[name]) for name in names): msgspec.json.encode(entry) for entry in status[section]}
        for section, names in _LISTS.items()
    }
    state = {name: msgspec.json.encode(value) for name, value in status.items() if name not in _NOT_TOLD}
    return {**made, _STATE: state}


class _Service(NamedTuple):
    """What counts of a service."""

    report: ServiceReport
    healthy: int
    checks: int


@lru_cache(32_768)  # PoPs of one fleet say much the same: it is read once, and is there once
def _service(octets: bytes) -> _Service:
    shape = _SERVICE.decode(octets)
    healthy = sum(check.verdict == "healthy" for check in shape.checks)
    return _Service(service_report(shape), healthy, len(shape.checks))


@lru_cache(65_536)
def _route(octets: bytes) -> Announcement:
    return announcement_of(_ROUTE.decode(octets))


class PoPBook:
    """One PoP's state as its agent tells it. What did not change is not read again: reports are many, changes small."""

    def __init__(self, pop: str) -> None:
        self.pop = pop
        self.sections: Sections = {}
        """All of it, as it was told."""
        self._services: dict[str, _Service] = {}
        self._away: set[str] = set()
        """Services that were drained on purpose, and have not been announced since."""
        self._sessions: dict[str, SessionShape] = {}
        self._routes: dict[str, dict[str, Announcement]] = {"wanted": {}, "exported": {}}

    def take(self, changes: SectionsChanged, sections: Sections) -> PoPState:
        """Give the state after a change. Raises `ParseError`, which names the PoP."""
        try:
            self._read(changes)
        except (msgspec.DecodeError, ParseError) as error:
            raise ParseError(f"{self.pop}: what its agent says cannot be read: {error}") from error
        self.sections = sections
        return self._state()

    def _read(self, changes: SectionsChanged) -> None:
        told: dict[str, dict[str, Any]] = {"services": self._services, "sessions": self._sessions, **self._routes}
        for section, names in changes.gone.items():
            for name in names:
                told.get(section, {}).pop(name, None)
                if section == "services":
                    self._away.discard(name)
        for section, entries in changes.changed.items():
            for name, octets in entries.items():
                match section:
                    case "services":
                        self._services[name] = service = _service(octets)
                        self._note_drain(name, service.report)
                    case "sessions":
                        self._sessions[name] = _SESSION.decode(octets)
                    case "wanted" | "exported":
                        self._routes[section][name] = _route(octets)

    def _note_drain(self, name: str, report: ServiceReport) -> None:
        if report.drain is not DrainStep.NORMAL:
            self._away.add(name)
        elif report.stance is Stance.ANNOUNCE:
            self._away.discard(name)

    def _state(self) -> PoPState:
        raw = {name: msgspec.Raw(octets) for name, octets in self.sections.get(_STATE, {}).items()}
        agent = msgspec.json.decode(msgspec.json.encode(raw), type=_Agent)
        report = PoPReport(
            pop=self.pop,
            exported=frozenset(self._routes["exported"].values()),
            wanted=frozenset(self._routes["wanted"].values()),
            services={name: service.report for name, service in self._services.items()},
            established=established_in(self._sessions.values()),
            region=agent.region,
            capacity=agent.capacity,
            booted=agent.booted,
            observe_only=agent.observe_only,
            problems=agent.problems,
        )
        digest = None if agent.assignment is None else agent.assignment.digest
        return PoPState(report, digest, agent.settled, self._indicators())

    def _indicators(self) -> dict[str, float]:
        """Give what `rollout.gates.INDICATORS` names. What is drained on purpose is not missed until it came back."""
        services = self._services.values()
        meant = [each.report for name, each in self._services.items() if name not in self._away]
        told = {
            "announced_share": (sum(each.stance is Stance.ANNOUNCE for each in meant), len(meant)),
            "healthy_checks_share": (sum(each.healthy for each in services), sum(each.checks for each in services)),
            "sessions_up_share": (
                sum(session.state == "established" for session in self._sessions.values()), len(self._sessions)
            ),
        }  # fmt: skip
        shares = {name: share / whole for name, (share, whole) in told.items() if whole}
        return {"announced_share": nan, **shares} if services and not meant else shares

    def plain(self) -> dict[str, Any]:
        """Give all of it as the agent's own status says it."""
        agent = {name: msgspec.json.decode(octets) for name, octets in self.sections.get(_STATE, {}).items()}
        lists = {
            section: [msgspec.json.decode(octets) for octets in self.sections.get(section, {}).values()]
            for section in _LISTS
        }
        return {**agent, **lists, "pop": self.pop}
