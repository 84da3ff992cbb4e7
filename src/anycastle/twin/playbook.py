"""What can be announced against an attack, worked out beforehand and ranked by the users that it keeps.

Theory of operation. Each option is a configuration of the fleet's sessions. For each, the users and the attack land at
PoPs; a PoP that gets more than its capacity drops the same part of both. What is kept is the share of users that is
served. Options are ranked by the mean of that over the ensemble's members, then by how few users they move.

Links of upstreams are not counted: the fleet may state them in another unit than its PoPs.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from anycastle.twin.deployment import Configuration, Deployment, Treatment
from anycastle.twin.ensemble import Ensemble
from anycastle.twin.load import Spread, room_of, shares_by_pop, spread

PREPENDS: Final = (1, 2, 3)
"""Prepends tried at each PoP. Beyond three little moves on the Internet of today."""
SAME: Final = 5e-4
"""Options whose users kept differ by less are alike; the one that moves fewer users is then better."""


@dataclass(frozen=True, slots=True)
class Option:
    """Something that could be announced."""

    name: str
    configuration: Configuration


@dataclass(frozen=True, slots=True)
class Attack:
    """Users and attack, as they are offered."""

    mix: str
    users: NDArray[np.float64]
    """float64[node]; they add up to 1."""
    user_load: float
    sources: NDArray[np.float64]
    """float64[node]; they add up to 1."""
    attack_load: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one option does. Shares and loads are expected values by PoP, in the playbook's order of PoPs."""

    option: Option
    users: tuple[float, ...]
    attack: tuple[float, ...]
    load: tuple[float, ...]
    """Of both together."""
    overload_chance: tuple[float, ...]
    """Part of the members in which the PoP gets more than its capacity."""
    kept: Spread
    """Share of users that is served."""
    moved: float
    """Share of users that land elsewhere than under the present announcement, expected."""
    no_route: float
    """Share of users that nobody serves for want of a route, expected."""

    def overloaded(self, pops: Sequence[str]) -> tuple[str, ...]:
        """Give the PoPs that are overloaded in most members."""
        return tuple(pop for pop, chance in zip(pops, self.overload_chance, strict=True) if chance > 0.5)


@dataclass(frozen=True, slots=True)
class Playbook:
    """All options under one attack, the best first."""

    mix: str
    pops: tuple[str, ...]
    capacity: tuple[float | None, ...]
    user_load: float
    attack_load: float
    outcomes: tuple[Outcome, ...]
    present: Outcome
    """The option that is announced now; it stands among the others, too."""


def make_options(deployment: Deployment, present: Configuration) -> tuple[Option, ...]:
    """Give what there is to choose: as now, each PoP withdrawn, prepended, or alone, and each upstream left out."""
    announced = present.announced
    speaking = {group.name: group.pop for group in deployment.groups if group.name in announced}
    pops = tuple(dict.fromkeys(speaking.values()))
    options = [Option("as now", present)]
    for pop in pops:
        mine = [name for name, of in speaking.items() if of == pop]
        if len(pops) > 1:
            options.append(Option(f"withdraw {pop}", _less(present, mine)))
        for times in PREPENDS:
            more = {name: _prepended(announced[name], times) for name in mine}
            options.append(Option(f"prepend {pop} {times}", Configuration({**announced, **more})))
        if len(mine) > 1:
            options += [Option(f"leave out {name}", _less(present, [name])) for name in mine]
        if len(pops) > 2:
            others = [name for name, of in speaking.items() if of != pop]
            options.append(Option(f"only {pop}", _less(present, others)))
    return tuple(options)


def _less(configuration: Configuration, names: Sequence[str]) -> Configuration:
    return Configuration({name: how for name, how in configuration.announced.items() if name not in names})


def _prepended(how: Treatment, times: int) -> Treatment:
    return replace(how, prepend=how.prepend + times)


def play(
    ensemble: Ensemble,
    options: Sequence[Option],
    attack: Attack,
    capacity: Sequence[float | None],
    alike: NDArray[np.intp] | None = None,
) -> Playbook:
    """Work every option out. The first option is the present one. `capacity` is by the deployment's PoPs.

    `alike` are the members that count, all unless given (`twin.attack.Estimate`). About 90 ms an option on the graph
    of 2025, with 128 members.
    """
    scene = _Scene(ensemble, attack, room_of(capacity), np.arange(ensemble.members) if alike is None else alike)
    before = ensemble.run(options[0].configuration).pops()[:, scene.alike]
    outcomes = [_outcome(scene, option, before) for option in options]
    ranked = sorted(outcomes, key=lambda each: (-round(each.kept.mean / SAME), each.moved))
    pops = ensemble.compiled.wiring.deployment.pops
    return Playbook(
        attack.mix, pops, tuple(capacity), attack.user_load, attack.attack_load, tuple(ranked), outcomes[0]
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Scene:
    ensemble: Ensemble
    attack: Attack
    room: NDArray[np.float64]
    """float64[pop], infinite where no capacity is stated."""
    alike: NDArray[np.intp]


def _outcome(scene: _Scene, option: Option, before: NDArray[np.uint16]) -> Outcome:
    attack, members = scene.attack, scene.ensemble.run(option.configuration).only(scene.alike)
    users, sources = shares_by_pop(members, attack.users), shares_by_pop(members, attack.sources)
    load = attack.user_load * users[:, :-1] + attack.attack_load * sources[:, :-1]
    served = np.minimum(1.0, scene.room / np.maximum(load, 1e-30))
    moved = members.weights_of_rows(attack.users) @ (members.pops() != before)
    return Outcome(
        option=option,
        users=tuple(users[:, :-1].mean(axis=0).tolist()),
        attack=tuple(sources[:, :-1].mean(axis=0).tolist()),
        load=tuple(load.mean(axis=0).tolist()),
        overload_chance=tuple((load > scene.room).mean(axis=0).tolist()),
        kept=spread((users[:, :-1] * served).sum(axis=1)),
        moved=float(moved.mean()),
        no_route=float(users[:, -1].mean()),
    )
