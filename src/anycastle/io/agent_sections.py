"""An agent's state in sections, as the link carries it: made of its status by the agent, read by the controller.

Each entry is told when it changes, so nothing stands in them that changes by itself, such as a time.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from anycastle.base.errors import ParseError
from anycastle.io.agent_report import report_of
from anycastle.rollout.live import PoPReport
from anycastle.session.link_report import Sections

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


@dataclass(frozen=True, slots=True)
class PoPState:
    """What a controller makes of an agent's sections."""

    report: PoPReport
    assignment: str | None
    """The digest by which the PoP lives; None for its own files."""
    settled: bool
    """The router announces what the agent wants, as far as it was told and read."""
    indicators: Mapping[str, float]
    """What gates can ask of the PoP."""
    plain: Mapping[str, Any]
    """All of it, for who looks."""


def sections_of(status: Mapping[str, Any]) -> dict[str, dict[str, bytes]]:
    """Give an agent's status in sections."""
    made = {
        section: {" ".join(str(entry[name]) for name in names): msgspec.json.encode(entry) for entry in status[section]}
        for section, names in _LISTS.items()
    }
    state = {name: msgspec.json.encode(value) for name, value in status.items() if name not in _NOT_TOLD}
    return {**made, _STATE: state}


def state_of(pop: str, sections: Sections) -> PoPState:
    """Give what sections say of a PoP. Raises `ParseError`."""
    try:
        plain: dict[str, Any] = {name: msgspec.json.decode(octets) for name, octets in sections.get(_STATE, {}).items()}
        for section in _LISTS:
            plain[section] = [msgspec.json.decode(octets) for octets in sections.get(section, {}).values()]
    except msgspec.DecodeError as error:
        raise ParseError(f"{pop}: what its agent says cannot be read: {error}") from error
    plain["pop"] = pop
    report = report_of({"ready": False, **plain}, pop)
    assignment = plain.get("assignment")
    digest = assignment.get("digest") if isinstance(assignment, dict) else None
    return PoPState(report, digest, bool(plain.get("settled")), _indicators(plain), plain)


def _indicators(plain: Mapping[str, Any]) -> dict[str, float]:
    """Give the shares of services that are announced, of checks that pass, and of sessions that are up."""
    services, sessions = plain["services"], plain["sessions"]
    checks = [check for service in services for check in service.get("checks", ())]
    told = {
        "announced_share": [service.get("stance") == "announce" for service in services],
        "healthy_checks_share": [check.get("verdict") == "healthy" for check in checks],
        "sessions_up_share": [session.get("state") == "established" for session in sessions],
    }
    return {name: sum(each) / len(each) for name, each in told.items() if each}
