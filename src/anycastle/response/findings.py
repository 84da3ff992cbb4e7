"""The watch's findings as signals: folded from its events to those that are open. A finding is one signal, however many
prefixes it has.
"""

from collections.abc import Mapping
from typing import Any, Final

from anycastle.model.event import FindingCleared, FindingOpened, FindingUpdated
from anycastle.response.openings import KIND_OF_FINDING, opens
from anycastle.response.signal import Signal, Subject

OPEN_MAX: Final = 5_000

INFORMATION: Final = "info"
"""The severity that nobody is told of."""

CRITICAL: Final = "critical"


class OpenFindings:
    """The findings that are open."""

    def __init__(self) -> None:
        self._open: dict[str, Signal] = {}

    def take(self, body: object) -> bool:
        """Take an event; tell whether it changed anything."""
        match body:
            case FindingOpened() | FindingUpdated():
                return self._hold(body)
            case FindingCleared():
                return self._open.pop(body.finding, None) is not None
        return False

    def _hold(self, body: FindingOpened | FindingUpdated) -> bool:
        known = self._open.get(body.finding)
        if body.severity == INFORMATION or (known is None and len(self._open) >= OPEN_MAX):
            return self._open.pop(body.finding, None) is not None
        # The prefix stays that of the first event: it is what tells the alert from others.
        prefix = known.subject.prefix if known is not None else next(iter(body.prefixes), "")
        more = f" and {len(body.prefixes) - 1} more" if len(body.prefixes) > 1 else ""
        text = f"{body.finding_kind.replace('_', ' ')} by {body.subject}: {prefix}{more}; seen by {body.peers} peers"
        kind = KIND_OF_FINDING.get(body.finding_kind, body.finding_kind)
        self._open[body.finding] = opens(kind, Subject(prefix=prefix), text, part=body.severity != CRITICAL)
        return True

    @property
    def signals(self) -> list[Signal]:
        """Give what fires."""
        return list(self._open.values())


def opened_again(finding: str, kind: str, subject: str, first: str, told: Mapping[str, Any]) -> FindingOpened:
    """Give an open finding as one event, of what its events came to; `first` is the prefix that names its alert."""
    prefixes = [str(each) for each in told.get("prefixes", ())]
    others = [each for each in prefixes if each != first][: max(0, len(prefixes) - 1)]
    return FindingOpened(
        finding, kind, str(told.get("severity", "")), subject, (first, *others), int(told.get("score", 0)),
        tuple(told.get("reasons", ())), int(told.get("peers", 0)), int(told.get("asns", 0)),
        int(told.get("collectors", 0)), str(told.get("validity", "")), False, (),
    )  # fmt: skip
