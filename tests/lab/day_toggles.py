"""The scripted day's own count of who follows what it is told: by the collector's routing table alone.

The table of `ear`'s BIRD is read one settling time before each toggle, at it, and one after it. An upstream honours
what all whose route goes through it follow each time, and ignores what none does; while nobody moves by himself. It
shares no code with this project.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

ORIGIN = 64500
Table = dict[str, tuple[int, ...]]
"""Session of the collector -> path that it has of the prefix."""


def table_of(told: str) -> Table:
    """Read what `birdc show route for PREFIX all` prints."""
    found: Table = {}
    for part in told.split("unicast [")[1:]:
        session = part.split(" ", 1)[0]
        path = re.search(r"BGP\.as_path: ([0-9 ]*)", part)
        assert path is not None, told
        found[session] = tuple(int(word) for word in path[1].split())
    return found


def through(table: Table, upstream: int) -> set[str]:
    """Give the sessions whose route has the upstream next to the origin."""
    found = set()
    for session, path in table.items():
        hops = [hop for hop in path if hop != ORIGIN]
        if hops and hops[-1] == upstream and path[-1] == ORIGIN:
            found.add(session)
    return found


@dataclass
class Moments:
    """What the collector held around one toggle."""

    upstream: int
    control: Table = field(default_factory=dict)
    before: Table = field(default_factory=dict)
    after: Table = field(default_factory=dict)

    def concerned(self) -> set[str]:
        return through(self.before, self.upstream) | through(self.after, self.upstream)

    def moved(self) -> set[str]:
        return {each for each in self.concerned() if self.before.get(each) != self.after.get(each)}

    def restless(self) -> set[str]:
        return {each for each in {*self.control, *self.before} if self.control.get(each) != self.before.get(each)}


class Toggles:
    """The toggles of a day, and the steps of its script that make and watch them."""

    def __init__(self, look: Callable[[], str], settle_s: float) -> None:
        self.moments: list[Moments] = []
        self._look = look
        self._settle_s = settle_s

    def steps(
        self, at: float, upstream: int, what: str, act: Callable[[], None]
    ) -> list[tuple[float, str, Callable[[], None]]]:
        """Give the steps of one toggle."""
        these = Moments(upstream)
        self.moments.append(these)

        def note(moment: str) -> Callable[[], None]:
            return lambda: setattr(these, moment, table_of(self._look()))

        def toggle() -> None:
            note("before")()
            act()

        return [
            (at - self._settle_s, f"before {what}", note("control")),
            (at, what, toggle),
            (at + self._settle_s, f"after {what}", note("after")),
        ]

    def verdicts(self) -> dict[int, str]:
        """Give what each upstream does with what it is told."""
        found = {}
        for upstream in {each.upstream for each in self.moments}:
            mine = [each for each in self.moments if each.upstream == upstream]
            assert all(each.concerned() for each in mine), mine
            assert not any(each.restless() for each in mine), mine
            if all(each.moved() == each.concerned() for each in mine):
                found[upstream] = "honoured"
            else:
                found[upstream] = "inconclusive" if any(each.moved() for each in mine) else "ignored"
        return found

    def counts(self, upstream: int) -> tuple[int, int, int]:
        """Give toggles, routes that went through the upstream before or after one, and those of them that moved."""
        mine = [each for each in self.moments if each.upstream == upstream]
        return len(mine), sum(len(each.concerned()) for each in mine), sum(len(each.moved()) for each in mine)

    def complying(self) -> float:
        """Give the share of upstreams that do as they are told, of those of which it is known."""
        known = [verdict for verdict in self.verdicts().values() if verdict != "inconclusive"]
        return known.count("honoured") / len(known)
