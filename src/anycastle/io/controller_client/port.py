"""A controller as commands see it. None of them knows by which way it is reached.

What is told is told alike by each way, times in seconds since 1970. Every method raises `WorldError`, with the
controller's own words where it refuses.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Literal, Protocol

from anycastle.rollout.plan import Basis

Told = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """How a fleet folder is to be rolled out."""

    reason: str
    bake_s: float
    patience_s: float
    gates: Sequence[str] = ()
    canary_upstreams: Sequence[str] = ()
    retire: Sequence[str] = ()
    basis: Basis | None = None
    """What the plan rests on that was looked at; None where none was."""


@dataclass(frozen=True, slots=True)
class Started:
    """A rollout that was ordered."""

    number: int
    revision: str


@dataclass(frozen=True, slots=True)
class Mitigation:
    """A rollout that announces against a hijack, or ends that."""

    number: int
    prefixes: Sequence[str]
    share: float
    """The part of what is hijacked that they cover, from 0 to 1."""


@dataclass(frozen=True, slots=True)
class Drain:
    """Which PoPs are to drain what, and how."""

    pops: Sequence[str]
    services: Sequence[str]
    reason: str
    soak_s: float = 5.0
    wait_s: float = 5.0
    lasts_s: float | None = None
    """When it ends by itself; None for not."""


class RolloutOrder(Enum):
    """What can be ordered of a rollout."""

    PAUSE = "pause"
    RESUME = "resume"
    PROMOTE = "promote"
    ABORT = "abort"
    APPROVE = "approve"


class Controller(Protocol):
    """A controller."""

    def status(self) -> Told:
        """Give all of how it stands: as `anycastle controller status -o json` prints it."""
        ...

    def rollouts(self) -> Sequence[Told]:
        """Give the rollouts that are kept, the oldest first (`io.controller_json.rollout_plain`)."""
        ...

    def orders(self) -> Sequence[Told]:
        """Give the orders to PoPs that are kept, the oldest first."""
        ...

    def agents(self) -> Mapping[str, Told] | None:
        """Give PoP -> what is known of its agent; None where another controller leads."""
        ...

    def report(self, pop: str) -> dict[str, Any]:
        """Give what a PoP's agent said last, as its own status says it."""
        ...

    def adopt(self, folder: Path, reason: str) -> str:
        """Have what agents live by already be desired; give the folder's revision."""
        ...

    def roll_out(self, folder: Path, asked: Asked) -> Started:
        """Roll a fleet folder out."""
        ...

    def order(self, order: RolloutOrder, rollout: int, reason: str = "") -> None:
        """Order something of a rollout; only an abort has a reason."""
        ...

    def freeze(self, reason: str) -> None:
        """Let it change nothing by itself."""
        ...

    def thaw(self, reason: str) -> None:
        """End the freeze."""
        ...

    def ask_for_glass(self, reason: str, lasts_s: float) -> None:
        """Ask for the glass to be broken."""
        ...

    def break_glass(self) -> None:
        """Agree, as a second person, that it be broken."""
        ...

    def drain(self, asked: Drain) -> int:
        """Have PoPs drain services; give the number of the last order: there is one for each PoP."""
        ...

    def undrain(self, pops: Sequence[str], services: Sequence[str], reason: str) -> int:
        """End drains; give the number of the last order: there is one for each PoP."""
        ...

    def mitigate(self, prefix: str, reason: str, *, end: bool = False) -> Mitigation:
        """Announce what is approved against a hijack of a prefix, or end that."""
        ...

    def incidents(self) -> Sequence[Told]:
        """Give the incidents that are kept, the oldest first (`io.response_json.plain_row`)."""
        ...

    def incident(self, number: int) -> dict[str, Any]:
        """Give an incident whole (`io.stored_incidents`)."""
        ...

    def postmortem(self, number: int, form: Literal["markdown", "html"]) -> str:
        """Give the postmortem of an incident, as far as the controller knows."""
        ...

    def acknowledge(self, number: int) -> None:
        """Say that somebody looks at an incident."""
        ...

    def annotate(self, number: int, text: str) -> None:
        """Add words to an incident's timeline."""
        ...

    def deliveries(self) -> Sequence[Told]:
        """Give the messages that no notifier took, the dead letters first (`io.response_json.plain_delivery`)."""
        ...

    def send_again(self, keys: Sequence[str] | None) -> Sequence[str]:
        """Have dead letters sent again, all where keys are None; give which."""
        ...
