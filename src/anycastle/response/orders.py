"""What people do to incidents and to what reached nobody."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """Somebody looks at it: no more reminders."""

    incident: int


@dataclass(frozen=True, slots=True)
class Annotate:
    """Words for its timeline."""

    incident: int
    text: str


@dataclass(frozen=True, slots=True)
class SendAgain:
    """Send dead letters once more."""

    keys: tuple[str, ...] | None
    """None for all that there are."""


ResponseOrder = Acknowledge | Annotate | SendAgain
