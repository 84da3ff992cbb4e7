"""What of a controller outlives its process, and how it is taken apart to be stored."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from anycastle.base.ports import Timestamp
from anycastle.rollout.desired import Desired
from anycastle.rollout.mitigation import base_of
from anycastle.rollout.orders import AgentOrderKind
from anycastle.rollout.rollout import Rollout


@dataclass(frozen=True, slots=True)
class Frozen:
    """Nothing is changed by the controller's own motion."""

    who: str
    reason: str
    since: Timestamp


@dataclass(frozen=True, slots=True)
class Glass:
    """Someone wants to go on in spite of freezes and gates, and a second person may agree."""

    who: str
    reason: str
    lasts_s: float
    asked: Timestamp
    approved_by: str | None = None
    until: Timestamp = Timestamp(0.0)

    def broken(self, now: Timestamp) -> bool:
        """Tell whether it is broken at a moment."""
        return self.approved_by is not None and now < self.until


@dataclass(frozen=True, slots=True)
class AgentOrder:
    """What one PoP is told to do. Once it has answered it is kept for a while, to be looked at."""

    number: int
    pop: str
    kind: AgentOrderKind
    services: tuple[str, ...]
    who: str
    reason: str
    soak_s: float
    wait_s: float
    expires: Timestamp | None
    answer: str | None = None
    """What the PoP said: empty where it obeyed, else why it did not; None until it has answered."""


@dataclass(frozen=True, slots=True)
class Kept:
    """All that outlives the controller's process."""

    desired: Desired
    rollouts: Mapping[int, Rollout] = field(default_factory=dict)
    orders: Mapping[int, AgentOrder] = field(default_factory=dict)
    frozen: Frozen | None = None
    glass: Glass | None = None
    number: int = 0
    """Of the last rollout or order."""
    waits_for: Mapping[int, str] = field(default_factory=dict)
    """Open rollout -> what it waits for. It follows from the rest and from what agents say: it is never stored."""

    @property
    def revisions(self) -> frozenset[str]:
        """The revisions that are desired, that open rollouts lead to, and that they may go back to."""
        opened = [rollout for rollout in self.rollouts.values() if not rollout.ended]
        back = (revision for rollout in opened for revision in rollout.before.values())
        return self.desired.revisions.union(back, (rollout.revision for rollout in opened))

    @property
    def folders(self) -> frozenset[str]:
        """The revisions of the files that all of these are made from."""
        return frozenset(map(base_of, self.revisions))

    def documents(self) -> dict[str, "Document"]:
        """Give the parts by their keys."""
        rollouts = {f"rollout/{number}": rollout for number, rollout in self.rollouts.items()}
        orders = {f"order/{number}": order for number, order in self.orders.items()}
        single = {"desired": self.desired, "freeze": self.frozen, "break-glass": self.glass, "number": self.number}
        return {**rollouts, **orders, **{key: part for key, part in single.items() if part is not None}}


Document = Rollout | AgentOrder | Desired | Frozen | Glass | int


def changed(before: Kept, after: Kept) -> dict[str, Document | None]:
    """Give the parts that are not what they were; None for one that is gone."""
    old, new = before.documents(), after.documents()
    gone: dict[str, Document | None] = dict.fromkeys(old.keys() - new.keys())
    return {**gone, **{key: part for key, part in new.items() if old.get(key) is not part and old.get(key) != part}}
