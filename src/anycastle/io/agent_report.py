"""What an agent says of itself (`anycastle agent status -o json`, or its local socket) -> a report for plans."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import msgspec

from anycastle.base.errors import ParseError
from anycastle.base.ports import Timestamp
from anycastle.io.announcement_json import AnnouncementShape, announcements_of
from anycastle.io.whole_file import read_whole
from anycastle.model.permit import PermitState
from anycastle.model.prefix import Family, parse_prefix
from anycastle.model.service import Floor
from anycastle.model.stance import DrainStep, Stance
from anycastle.rollout.live import PoPReport, ServiceReport

FILE_BYTES_MAX: Final = 64 * 1024 * 1024
"""Octets of one report: eight times what a socket carries, for it may be written with room."""


class _Drain(msgspec.Struct):
    step: DrainStep
    owner: str = ""


class _Floor(msgspec.Struct):
    pops: int
    capacity: float = 0.0


class _Check(msgspec.Struct):
    verdict: str = ""


class ServiceShape(msgspec.Struct):
    """One service of an agent's status."""

    name: str
    stance: Stance
    permit: PermitState
    reason: str = ""
    drain: _Drain | None = None
    prefixes: tuple[str, ...] = ()
    floor: _Floor | None = None
    definitions: dict[str, str] | None = None
    checks: tuple[_Check, ...] = ()


class SessionShape(msgspec.Struct):
    """One session of an agent's status."""

    upstream: str
    state: str
    families: tuple[str, ...] = ()


class _Status(msgspec.Struct):
    pop: str
    services: list[ServiceShape]
    wanted: list[AnnouncementShape]
    exported: list[AnnouncementShape]
    sessions: list[SessionShape]
    ready: bool
    at: float | None = None
    region: str = ""
    capacity: float | None = None
    booted: bool | None = None
    observe_only: bool = False
    problems: tuple[str, ...] = ()


def read_report(path: Path) -> PoPReport:
    """Read the report in a file. Raises `WorldError` where it cannot be read, `ParseError` where it is none."""
    octets = read_whole(path, FILE_BYTES_MAX)
    try:
        return _report(msgspec.json.decode(octets, type=_Status))
    except (msgspec.DecodeError, ParseError) as error:
        raise ParseError(f"{path}: not what `anycastle agent status -o json` prints: {error}") from error


def report_of(told: dict[str, Any], source: str) -> PoPReport:
    """Give the report of an agent's answer. Raises `ParseError`, which names the source."""
    try:
        return _report(msgspec.convert(told, _Status))
    except (msgspec.ValidationError, ParseError) as error:
        raise ParseError(f"{source}: not an agent's status: {error}") from error


def _report(told: _Status) -> PoPReport:
    services = {each.name: service_report(each) for each in told.services}
    return PoPReport(
        pop=told.pop,
        exported=announcements_of(told.exported),
        wanted=announcements_of(told.wanted),
        services=services,
        established=established_in(told.sessions),
        at=None if told.at is None else Timestamp(told.at),
        region=told.region,
        capacity=told.capacity,
        # An agent of a version that does not say is believed where it says that nothing is amiss.
        booted=told.ready if told.booted is None else told.booted,
        observe_only=told.observe_only,
        problems=told.problems,
    )


def established_in(sessions: Iterable[SessionShape]) -> frozenset[tuple[str, Family]]:
    """Give the upstreams and families whose sessions are up."""
    return frozenset(
        (session.upstream, _FAMILIES[family])
        for session in sessions
        if session.state == "established"
        for family in session.families
        if family in _FAMILIES
    )


_FAMILIES: Final = {str(family): family for family in Family}


def service_report(told: ServiceShape) -> ServiceReport:
    """Give what an agent says of a service. Raises `ParseError`."""
    drain = told.drain or _Drain(DrainStep.NORMAL)
    prefixes = tuple(parse_prefix(text) for text in told.prefixes)
    floor = None if told.floor is None else Floor(told.floor.pops, told.floor.capacity)
    return ServiceReport(
        told.name,
        told.stance,
        told.reason,
        told.permit,
        drain.step,
        drain.owner,
        prefixes,
        floor,
        told.definitions,
    )
