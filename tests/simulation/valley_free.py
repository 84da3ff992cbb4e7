"""Random networks with business relationships, and where routes must settle in them: the slow and plain reference.

It knows nothing of sessions, messages or attributes: it goes round and asks every network what it would choose of
what its neighbours chose, until nobody changes their mind. Without a cycle of customers there is one such state
(Gao and Rexford 2001), and so whatever order messages came in, the real engines must have arrived there too.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field

ANYCAST = 64500
CUSTOMER, PEER, PROVIDER = "customer", "peer", "provider"
MIRROR = {CUSTOMER: PROVIDER, PEER: PEER, PROVIDER: CUSTOMER}
PREFERENCE = {CUSTOMER: 200, PEER: 100, PROVIDER: 50}


@dataclass
class Side:
    """What one speaker knows of a neighbour."""

    far: str
    is_a: str
    """What the neighbour is to it."""
    prepend: int = 0


@dataclass
class Speaker:
    """One speaker: a network's only one, or a PoP of the anycast network."""

    name: str
    asn: int
    number: int
    """Its identifier and address are made of it."""
    pop: bool
    sides: dict[str, Side] = field(default_factory=dict)
    prefixes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Asked:
    """What a PoP says with an announcement to one upstream."""

    prepend: int = 0
    med: int | None = None
    shutdown: bool = False
    """With GRACEFUL_SHUTDOWN."""
    prepend_to: tuple[str, int] | None = None
    """Have the upstream prepend once towards this neighbour's AS."""
    silent_to: tuple[str, int] | None = None
    """Have the upstream not announce to this neighbour's AS."""


@dataclass(frozen=True)
class Choice:
    """The route that a network chose."""

    path: tuple[int, ...]
    via: str | None
    learnt: str | None
    """What the sender is to the network; None for its own route."""
    med: int = 0
    shutdown: bool = False
    prepend_to: tuple[str, int] | None = None
    silent_to: tuple[str, int] | None = None


Wanted = dict[tuple[str, str, str], Asked]
"""(PoP, upstream, prefix) -> how it is announced."""


def draw_world(draw: random.Random) -> dict[str, Speaker]:
    """Draw networks: a full mesh of peers on top, each other one below some of the earlier, and PoPs below them all."""
    count = draw.randint(3, 9)
    speakers = {
        f"as{n}": Speaker(f"as{n}", 64600 + n, n + 1, pop=False, prefixes=_own_prefixes(draw, n)) for n in range(count)
    }
    top = draw.randint(1, min(3, count))
    for n in range(count):
        above = list(range(n)) if n >= top else []
        providers = draw.sample(above, min(len(above), draw.randint(1, 2)))
        for m in range(n):
            if m in providers:
                _join(draw, speakers[f"as{n}"], speakers[f"as{m}"], PROVIDER)
            elif (n < top and m < top) or draw.random() < 0.15:
                _join(draw, speakers[f"as{n}"], speakers[f"as{m}"], PEER)
    networks = list(speakers.values())
    for n in range(draw.randint(1, 4)):
        made = speakers[f"pop{n}"] = Speaker(f"pop{n}", ANYCAST, 100 + n, pop=True)
        for upstream in draw.sample(networks, min(len(networks), draw.randint(1, 2))):
            _join(draw, made, upstream, PROVIDER)
    return speakers


def _own_prefixes(draw: random.Random, n: int) -> tuple[str, ...]:
    known = (f"10.{n}.0.0/16", f"2001:db8:f{n:x}::/48")
    return tuple(prefix for prefix in known if draw.random() < 0.4)


def _join(draw: random.Random, one: Speaker, other: Speaker, is_a: str) -> None:
    one.sides[other.name] = Side(other.name, is_a, draw.choice((0, 0, 0, 1)))
    other.sides[one.name] = Side(one.name, MIRROR[is_a], draw.choice((0, 0, 0, 1)))


def settle(world: dict[str, Speaker], wanted: Wanted) -> dict[str, dict[str, Choice]]:
    """Give what every network chooses for every prefix in the end."""
    prefixes = {prefix for speaker in world.values() for prefix in speaker.prefixes} | {key[2] for key in wanted}
    chosen: dict[str, dict[str, Choice]] = {name: {} for name, speaker in world.items() if not speaker.pop}
    for prefix in sorted(prefixes):
        while _go_round(world, wanted, prefix, chosen):
            pass
    return chosen


def _go_round(world: dict[str, Speaker], wanted: Wanted, prefix: str, chosen: dict[str, dict[str, Choice]]) -> bool:
    changed = False
    for name, mine in chosen.items():
        options = list(_options(world, wanted, prefix, world[name], chosen))
        best = _best(world, world[name], options) if options else None
        if best != mine.get(prefix):
            changed = True
            mine.pop(prefix, None)
            if best is not None:
                mine[prefix] = best
    return changed


def _options(
    world: dict[str, Speaker], wanted: Wanted, prefix: str, speaker: Speaker, chosen: dict[str, dict[str, Choice]]
) -> Iterator[Choice]:
    if prefix in speaker.prefixes:
        yield Choice((), None, None)
    for far, side in speaker.sides.items():
        if world[far].pop:
            asked = wanted.get((far, speaker.name, prefix))
            if asked is not None:
                path = (ANYCAST,) * (1 + asked.prepend)
                to = asked.prepend_to, asked.silent_to
                yield Choice(path, far, side.is_a, asked.med or 0, asked.shutdown, *to)
        elif prefix in chosen[far]:
            told = _told(world[far], chosen[far][prefix], speaker)
            if told is not None and speaker.asn not in told.path:
                yield Choice(told.path, far, side.is_a, 0, told.shutdown)


def _told(sender: Speaker, choice: Choice, to: Speaker) -> Choice | None:
    side = sender.sides[to.name]
    if choice.via == to.name or (choice.learnt in (PEER, PROVIDER) and side.is_a != CUSTOMER):
        return None
    if choice.silent_to is not None and choice.silent_to[1] == to.asn:
        return None
    extra = 1 if choice.prepend_to is not None and choice.prepend_to[1] == to.asn else 0
    return Choice((sender.asn,) * (1 + side.prepend + extra) + choice.path, None, None, shutdown=choice.shutdown)


def _best(world: dict[str, Speaker], speaker: Speaker, options: list[Choice]) -> Choice:
    def preference(choice: Choice) -> int:
        if choice.via is None:
            return 100  # of a route without LOCAL_PREF
        return 0 if choice.shutdown else PREFERENCE[speaker.sides[choice.via].is_a]

    highest = max(map(preference, options))
    options = [choice for choice in options if preference(choice) == highest]
    if any(choice.via is None for choice in options):
        options = [choice for choice in options if choice.via is None]
    shortest = min(len(choice.path) for choice in options)
    options = [choice for choice in options if len(choice.path) == shortest]
    least = {choice.path[:1]: min(c.med for c in options if c.path[:1] == choice.path[:1]) for choice in options}
    options = [choice for choice in options if choice.med == least[choice.path[:1]]]
    return min(options, key=lambda choice: 0 if choice.via is None else world[choice.via].number)
