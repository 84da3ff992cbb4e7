"""What people and pipelines order of the controller. Who ordered it goes beside it.

An order is taken as a whole or refused with a reason. None of them crosses a floor: what ends an announcement needs the
PoP's permit, whoever ordered it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from anycastle.model.prefix import Prefix
from anycastle.rollout.desired import Unit
from anycastle.rollout.gates import Gate
from anycastle.rollout.plan import Basis


@dataclass(frozen=True, slots=True)
class RolloutPolicy:
    """How careful a rollout is."""

    bake_s: float = 60.0
    """How long a step that is reached is looked at before the next begins."""
    patience_s: float = 600.0
    """How long a PoP may take to get there, and a gate may be without data, before the rollout goes back."""
    gates: tuple[Gate, ...] = ()


@dataclass(frozen=True, slots=True)
class StartRollout:
    """Roll a revision of the fleet folder out: the units of a plan, in its steps."""

    revision: str
    steps: Sequence[frozenset[Unit]]
    prefixes: frozenset[Prefix]
    """All that the units concern: rollouts that share one wait for each other."""
    reason: str
    policy: RolloutPolicy = RolloutPolicy()
    marks: tuple[str, ...] = ()
    """Why a second person must approve, each as a sentence; none where nobody must."""


@dataclass(frozen=True, slots=True)
class RollOut:
    """Roll a revision of the fleet folder out. The controller finds the steps (`staged`), and says who must approve."""

    revision: str
    reason: str
    policy: RolloutPolicy = RolloutPolicy()
    canary_upstreams: tuple[str, ...] = ()
    retiring: frozenset[str] = frozenset()
    """Services whose end is meant; without its name here none ends."""
    basis: Basis | None = None
    """What the plan rests on that was looked at; None where none was. What has moved since refuses the order."""


@dataclass(frozen=True, slots=True)
class Mitigate:
    """Announce what the files approve of against a hijack (`mitigation`), or end that.

    It goes to all PoPs in one step, as each second counts, and a second person must approve of what is announced.
    """

    prefix: Prefix
    """What is hijacked: a prefix of the fleet, or one within it."""
    reason: str
    end: bool = False


Wish = RollOut | Mitigate
"""What the controller first has to find the order of."""


@dataclass(frozen=True, slots=True)
class Adopt:
    """Desire a revision where nothing was desired before: the one that the agents' files say already."""

    revision: str
    reason: str


@dataclass(frozen=True, slots=True)
class Approve:
    """Agree, as a second person, to a rollout or to a glass to be broken."""

    subject: str
    """`rollout/7` or `break-glass`."""


@dataclass(frozen=True, slots=True)
class Pause:
    """Hold a rollout where it is."""

    rollout: int


@dataclass(frozen=True, slots=True)
class Resume:
    """Let a rollout go on; its step bakes anew."""

    rollout: int


@dataclass(frozen=True, slots=True)
class Promote:
    """End the bake of a step by hand: neither the rest of it nor gates without data are waited for."""

    rollout: int


@dataclass(frozen=True, slots=True)
class Abort:
    """End a rollout: what it changed goes back, step by step."""

    rollout: int
    reason: str


@dataclass(frozen=True, slots=True)
class Freeze:
    """Let the controller change nothing by itself. PoPs go on withdrawing what does not serve."""

    reason: str


@dataclass(frozen=True, slots=True)
class Thaw:
    """End the freeze."""

    reason: str


@dataclass(frozen=True, slots=True)
class BreakGlass:
    """Let rollouts go on in spite of a freeze, and without gates, for a while. A second person must approve."""

    reason: str
    lasts_s: float


class AgentOrderKind(Enum):
    """What a PoP can be told to do beside its assignment."""

    DRAIN = "drain"
    UNDRAIN = "undrain"


@dataclass(frozen=True, slots=True)
class OrderAgents:
    """Tell PoPs to drain services, or to end that. An empty list never means all."""

    kind: AgentOrderKind
    pops: Sequence[str]
    services: Sequence[str]
    reason: str
    soak_s: float = 5.0
    wait_s: float = 5.0
    lasts_s: float | None = None
    """When the drain ends by itself; None for not."""


Order = StartRollout | Adopt | Approve | Pause | Resume | Promote | Abort | Freeze | Thaw | BreakGlass | OrderAgents
