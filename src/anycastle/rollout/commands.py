"""What the controller's engine commands. The shell carries commands out in their order, and nothing before a commit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from anycastle.model.event import Body
from anycastle.rollout.kept import AgentOrder, Document
from anycastle.rollout.permits import Grant, Revoke


@dataclass(frozen=True, slots=True)
class Commit:
    """Make these parts durable, with the events that led to them; None for one that is gone."""

    documents: Mapping[str, Document | None]
    events: Sequence[Body]


@dataclass(frozen=True, slots=True)
class Assign:
    """Send a PoP what is desired of it."""

    pop: str


@dataclass(frozen=True, slots=True)
class Tell:
    """Send a PoP an order."""

    order: AgentOrder


Command = Commit | Assign | Tell | Grant | Revoke
