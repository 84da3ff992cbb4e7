"""Where another PoP pays: candidates added to the present PoPs, one after another or in every combination.

Theory of operation. A set of candidates is judged by what its users get (`twin/users.py`) and what it costs. *Greedy*
takes, again and again, the candidate that gains most; *exact* tries every set. Since BGP and not distance decides who
lands where, another PoP can make things worse, and two can do what neither does alone: so greedy stops where nothing
gains, it is no guarantee, and its gap to the best set is shown where both ran. (For gains that only diminish, greedy is
within 1 - 1/e: Nemhauser, Wolsey and Fisher 1978. Anycast's need not.) With a budget, greedy runs twice, by gain and by
gain for the money, and the better result stands (Khuller, Moss and Naor 1999).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from itertools import combinations, pairwise
from math import comb, inf, isnan
from typing import Final

import numpy as np
from numpy.typing import NDArray

from anycastle.base.errors import MisuseError
from anycastle.model.asn import ASN
from anycastle.model.pop import Location
from anycastle.twin.deployment import Deployment, Session, SessionGroup
from anycastle.twin.users import UNDER_MS, Served, Users

EXACT_SETS_MAX: Final = 20_000
"""Sets that the exact search tries; some ten seconds on the graph of 2025."""
NOBODY_MS: Final = 10_000.0
"""Stands for the mean round trip where nobody has a route: any route is better."""
GAIN_MIN: Final = 1e-9
"""A smaller gain is none: the last digits of sums."""


@dataclass(frozen=True, slots=True)
class Site:
    """A place to announce from, with its neighbours and prices; one that is there already, or a candidate."""

    name: str
    city: str
    location: Location
    sessions: tuple[Session, ...] = ()
    cost_per_month: float = 0.0
    cost_per_mbps: float = 0.0
    """Per month, of the traffic that is billed."""
    setup_cost: float = 0.0


class Aim(Enum):
    """What the best set has most, or least, of."""

    MEAN = "mean"
    P95 = "p95"
    UNDER_30 = "under-30"
    UNDER_50 = "under-50"
    UNDER_100 = "under-100"


@dataclass(frozen=True, slots=True)
class Terms:
    """What is asked for, and what the money is worth."""

    aim: Aim = Aim.MEAN
    most: int = 3
    """Candidates in a set."""
    budget: float = inf
    """Per month."""
    traffic_mbps: float = 0.0
    """Of all users together, as it is billed."""
    value_per_ms: float | None = None
    """What a millisecond less for the mean user is worth in a month."""
    months: int = 36
    """Over which setting up is spread."""


@dataclass(frozen=True, slots=True)
class Economics:
    """What a set costs beyond today, and what that buys. Money is in the unit of the prices."""

    cost_per_month: float
    setup_cost: float
    saved_ms: float | None
    """Of the mean user's round trip; below 0 where it gets longer; None where nobody has a route, today or then."""
    cost_per_ms: float | None
    """Per month, without setting up; None where nothing is saved."""
    break_even_per_ms: float | None
    """What a millisecond must be worth in a month so that the set pays within `Terms.months`."""
    payback_months: float | None
    """Until setting up is earned, at `Terms.value_per_ms`; None where never, or where no value was told."""


@dataclass(frozen=True, slots=True)
class Option:
    """A set of candidates, what it gives, and what it costs."""

    added: tuple[str, ...]
    served: Served
    economics: Economics
    ties_ms: tuple[float, float]
    """The mean round trip at the 5th and 95th of a hundred ways in which ties among routes may fall."""


@dataclass(frozen=True, slots=True)
class Placement:
    """The answer."""

    today: Option
    greedy: tuple[Option, ...]
    """Step by step, each with one candidate more."""
    exact: Option | None
    """The best set of all; None where there were too many to try."""
    tried: int
    """Sets that were tried."""
    gap: float | None
    """By how much the exact set is better than greedy's last, as a part of the exact gain; 0 where they are as good."""
    single: tuple[Option, ...]
    """Each candidate alone, best first."""


def joined_deployment(present: Deployment, candidates: Iterable[Site], asn: ASN) -> Deployment:
    """Give the deployment with the candidates as PoPs of their own, after those that are there.

    Raises `MisuseError` for a candidate without a neighbour or of the name of a PoP.
    """
    groups = list(present.groups)
    for site in candidates:
        if not site.sessions or site.name in present.pops:
            raise MisuseError(f"candidate {site.name}: it needs a neighbour, and a name that no PoP has")
        groups += [SessionGroup(f"{site.name}/AS{s.neighbour}", site.name, asn, (s,)) for s in site.sessions]
    return Deployment(tuple(groups))


@dataclass(slots=True)
class Search:
    """One question of placement: users, the PoPs of today, candidates and their prices."""

    users: Users
    present: frozenset[str]
    candidates: tuple[Site, ...]
    terms: Terms
    prices: Mapping[str, Site]
    """By PoP: candidates, and those of today whose prices are known."""
    seed: int = 1
    """Of the ways in which ties fall, the same ones for every set."""
    _found: dict[frozenset[str], "_Judged"] = field(default_factory=dict)
    _today: "_Judged" = field(init=False)

    def __post_init__(self) -> None:
        self._judge([frozenset()])
        self._today = self._found[frozenset()]

    @staticmethod
    def of(
        users: Users,
        present: Iterable[str],
        candidates: Sequence[Site],
        terms: Terms,
        known: Iterable[Site] = (),
        seed: int = 1,
    ) -> "Search":
        """Make ready; `known` are PoPs of today with their prices. Raises `MisuseError` without a PoP or candidate."""
        here = frozenset(present)
        if not here or not candidates:
            raise MisuseError("placement asks for at least one PoP that is there, and one candidate")
        prices = {site.name: site for site in (*known, *candidates)}
        return Search(users, here, tuple(candidates), terms, prices, seed)

    def run(self, told: Callable[[int], None] = lambda _: None, exact: bool = True) -> Placement:
        """Search. `told` hears how many sets were tried since it last did."""
        singles = [frozenset({site.name}) for site in self.candidates]
        self._judge(singles, told)
        greedy = max((self._greedy(by_cost, told) for by_cost in self._ways()), key=lambda g: self._gain(g[-1]))
        best = self._exact(told) if exact and self.sets <= EXACT_SETS_MAX else None
        gap = None
        if best is not None:
            most, mine = self._gain(best), self._gain(greedy[-1])
            gap = 0.0 if most - mine <= GAIN_MIN else (most - mine) / most
        ranked = sorted(singles, key=self._gain, reverse=True)
        return Placement(
            self.option(()),
            tuple(self.option(self._in_order(greedy[: step + 2])) for step in range(len(greedy) - 1)),
            None if best is None else self.option(site.name for site in self.candidates if site.name in best),
            len(self._found),
            gap,
            tuple(self.option(each) for each in ranked),
        )

    @property
    def sets(self) -> int:
        """How many sets the exact search would try."""
        return sum(comb(len(self.candidates), size) for size in range(1, self.terms.most + 1))

    def option(self, added: Iterable[str]) -> Option:
        """Give all that is known of a set of candidates, which are named in this order."""
        order = tuple(added)
        chosen = frozenset(order)
        self._judge([chosen])
        (landed,) = self.users.landed([self.present | chosen])
        served = self.users.served(self.present | chosen, landed)
        ties = self.users.tie_means_ms(self.present | chosen, np.random.default_rng(self.seed))
        low, high = np.percentile(ties, [5, 95]).tolist()
        return Option(order, served, self._economics(chosen, self._found[chosen]), (low, high))

    @staticmethod
    def _in_order(taken: Sequence[frozenset[str]]) -> list[str]:
        """Give the candidates in the order in which they were taken."""
        return [name for before, after in pairwise(taken) for name in after - before]

    def _ways(self) -> tuple[bool, ...]:
        return (False,) if self.terms.budget == inf else (False, True)

    def _greedy(self, by_cost: bool, told: Callable[[int], None]) -> list[frozenset[str]]:
        taken = [frozenset[str]()]
        while len(taken) <= self.terms.most:
            last = taken[-1]
            further = [last | {site.name} for site in self.candidates if site.name not in last]
            self._judge(further, told)
            affordable = [each for each in further if self._found[each].cost <= self.terms.budget]
            best = max(affordable, key=lambda each: self._worth(each, last, by_cost), default=None)
            if best is None or self._gain(best) - self._gain(last) <= GAIN_MIN:
                break
            taken.append(best)
        return taken

    def _worth(self, further: frozenset[str], last: frozenset[str], by_cost: bool) -> float:
        gain = self._gain(further) - self._gain(last)
        cost = self._found[further].cost - self._found[last].cost
        return gain / max(cost, 1e-9) if by_cost and gain > 0 else gain

    def _exact(self, told: Callable[[int], None]) -> frozenset[str]:
        best = frozenset[str]()
        for batch in _batches(self._all_sets(), 64):
            self._judge(batch, told)
            for each in batch:
                if self._found[each].cost <= self.terms.budget and self._gain(each) > self._gain(best) + GAIN_MIN:
                    best = each
        return best

    def _all_sets(self) -> Iterator[frozenset[str]]:
        names = [site.name for site in self.candidates]
        for size in range(1, self.terms.most + 1):
            yield from map(frozenset, combinations(names, size))

    def _gain(self, added: frozenset[str]) -> float:
        return self._found[added].score - self._today.score

    def _judge(self, sets: Iterable[frozenset[str]], told: Callable[[int], None] = lambda _: None) -> None:
        new = [each for each in dict.fromkeys(sets) if each not in self._found]
        for added, landed in zip(new, self.users.landed([self.present | each for each in new]), strict=True):
            shares, mean_ms = landed.sum(axis=0)[:-1], self.users.mean_ms(landed)
            self._found[added] = _Judged(shares, self._score(landed, mean_ms), mean_ms, self._cost(added, shares))
        told(len(new))

    def _score(self, landed: NDArray[np.float64], mean_ms: float) -> float:
        """Give the aim as a figure of which more is better."""
        if isnan(mean_ms) and self.terms.aim in (Aim.MEAN, Aim.P95):
            return -NOBODY_MS
        match self.terms.aim:
            case Aim.MEAN:
                return -mean_ms
            case Aim.P95:
                return -self.users.fare(landed).p95_ms.value
            case Aim.UNDER_30 | Aim.UNDER_50 | Aim.UNDER_100:
                limit = int(self.terms.aim.value.partition("-")[2])
                return self.users.fare(landed).under[UNDER_MS.index(limit)].value

    def _cost(self, added: frozenset[str], shares: NDArray[np.float64]) -> float:
        """Give what the set costs in a month beyond today; traffic that leaves a PoP is no longer billed there."""
        moved = shares - (self._today.shares if self._found else shares)
        names = self.users.compiled.wiring.deployment.pops
        traffic = sum(
            self.prices[name].cost_per_mbps * self.terms.traffic_mbps * moved[at]
            for at, name in enumerate(names)
            if name in self.prices
        )
        return float(traffic) + sum(self.prices[name].cost_per_month for name in added)

    def _economics(self, added: frozenset[str], judged: "_Judged") -> Economics:
        terms, setup = self.terms, sum(self.prices[name].setup_cost for name in added)
        saved = self._today.mean_ms - judged.mean_ms
        gains = saved > GAIN_MIN  # and is a number
        payback = None
        if terms.value_per_ms is not None and terms.value_per_ms * saved > judged.cost and gains:
            payback = setup / (terms.value_per_ms * saved - judged.cost)
        return Economics(
            judged.cost,
            setup,
            None if isnan(saved) else saved,
            judged.cost / saved if gains else None,
            (judged.cost + setup / terms.months) / saved if gains else None,
            payback,
        )


@dataclass(frozen=True, slots=True)
class _Judged:
    """A set's figures."""

    shares: NDArray[np.float64]
    """float64[pop]."""
    score: float
    mean_ms: float
    cost: float


def _batches(sets: Iterator[frozenset[str]], size: int) -> Iterator[list[frozenset[str]]]:
    batch: list[frozenset[str]] = []
    for each in sets:
        batch.append(each)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
