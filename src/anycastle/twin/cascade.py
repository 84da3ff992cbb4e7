"""A PoP gets more than it can serve and withdraws; its load lands elsewhere; and so on, until rest.

Theory of operation. In each step, of all PoPs whose load is above their capacity the one that is fullest withdraws, if
the service's floor lets it; those that the floor keeps go on announcing, and lose what is beyond their capacity. One
PoP at a time: permits to withdraw are dealt one after another, and a PoP that looks again after the first has gone may
find itself relieved. Each step has one PoP less, so a cascade ends; and it ends at the latest where the floor stands.

In every step the offered load is what PoPs serve, and what they lose, and what has no route: nothing is made or lost.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from anycastle.model.service import Floor
from anycastle.twin.load import beyond

LoadOf = Callable[[frozenset[str]], NDArray[np.float64]]
"""PoPs that announce -> the load at each PoP, and last what has no route: float64[pop + 1]."""


class Act(Enum):
    """What a step does."""

    WITHDRAWS = "withdraws"
    RESTS = "rests"
    """Nothing is overloaded."""
    HELD = "held by the floor"
    """Some are overloaded, and none of them may withdraw."""


@dataclass(frozen=True, slots=True)
class Step:
    """The loads at one moment, and what is done upon them."""

    announcing: tuple[str, ...]
    load: tuple[float, ...]
    """Of each PoP, in the cascade's order."""
    lost: tuple[float, ...]
    """Beyond each PoP's capacity."""
    no_route: float
    act: Act
    pop: str
    """The PoP that withdraws; empty in the last step."""
    reason: str

    @property
    def served(self) -> float:
        """Give the load that PoPs can serve."""
        return sum(self.load) - sum(self.lost)


@dataclass(frozen=True, slots=True)
class Cascade:
    """All steps, the last of which is rest."""

    pops: tuple[str, ...]
    steps: tuple[Step, ...]

    @property
    def withdrawn(self) -> tuple[str, ...]:
        """Give the PoPs that withdrew, in their order."""
        return tuple(step.pop for step in self.steps if step.act is Act.WITHDRAWS)

    @property
    def rest(self) -> Step:
        """Give how it ends."""
        return self.steps[-1]


@dataclass(frozen=True, slots=True)
class Rules:
    """What a cascade is held to."""

    pops: tuple[str, ...]
    capacity: tuple[float | None, ...]
    floor: Floor
    floor_capacity: Mapping[str, float]
    """What each PoP counts for a floor by capacity."""


def cascade(load_of: LoadOf, announcing: Sequence[str], rules: Rules) -> Cascade:
    """Let overloaded PoPs withdraw, one after another, until rest."""
    left, steps = tuple(announcing), list[Step]()
    while not steps or steps[-1].act is Act.WITHDRAWS:
        loads = load_of(frozenset(left))
        steps.append(_step(left, loads, rules))
        left = tuple(pop for pop in left if pop != steps[-1].pop)
    return Cascade(rules.pops, tuple(steps))


def _step(left: tuple[str, ...], loads: NDArray[np.float64], rules: Rules) -> Step:
    load, lost = loads[:-1], beyond(loads[:-1], rules.capacity)
    full = [(load[at] / rules.capacity[at], -at) for at in np.flatnonzero(lost > 0) if rules.capacity[at]]
    over = [-place for _, place in sorted(full, reverse=True)]
    act, pop, reason = Act.RESTS, "", "no PoP has more than it can serve"
    held: list[str] = []
    for at in over:
        name = rules.pops[at]
        why_not = _kept_by_floor(name, left, rules)
        if why_not is None:
            act, pop = Act.WITHDRAWS, name
            reason = f"{name} has {100 * load[at] / float(rules.capacity[at] or 1):.0f} % of its capacity"
            break
        held.append(f"{name} ({why_not})")
    if over and not pop:
        act, reason = Act.HELD, f"overloaded, and kept: {', '.join(held)}"
    elif held:
        reason += f"; kept: {', '.join(held)}"
    return Step(left, tuple(load.tolist()), tuple(lost.tolist()), float(loads[-1]), act, pop, reason)


def _kept_by_floor(pop: str, left: tuple[str, ...], rules: Rules) -> str | None:
    """Tell why a PoP may not withdraw; None where it may. The last PoP never may, whatever the floor."""
    rest = [name for name in left if name != pop]
    if not rest:
        return "it is the last"
    if len(rest) < rules.floor.pops:
        return f"the floor is {rules.floor.pops} PoPs"
    remaining = sum(rules.floor_capacity[name] for name in rest)
    if remaining < rules.floor.capacity:
        return "the floor counts on its capacity"
    return None
