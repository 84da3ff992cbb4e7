"""The demo on a terminal: the map, who is answered by whom, and what happened last."""

from collections import deque
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.table import Table
from rich.text import Text

from anycastle.io.clock import now
from anycastle.lab.client import TIMEOUT_S, Query
from anycastle.lab.demo import Demo, Happening, Phase
from anycastle.lab.topology import Node, NodeKind
from anycastle.lab.world_map import Mark, draw

HAPPENINGS_SHOWN = 9
RECENT_S = 1.0
"""Span of the loss and the round trip that are shown."""

COLOURS: Final = ("#56b4e9", "#e69f00", "#009e73", "#cc79a7", "#f0e442", "#0072b2", "#d55e00")
"""Okabe and Ito's palette, told apart by every eye; one colour a PoP."""

LAND, QUIET, BAD = "grey30", "grey62", "bold #d55e00"
SYMBOLS: Final = {"announce": "●", "steer": "◐", "withdraw": "✖"}
KIND_STYLES: Final = {"fault": BAD, "phase": "bold", "agent": "", "route": QUIET, "client": "#56b4e9"}


@dataclass(frozen=True, slots=True)
class Recent:
    """What a client saw in the last second."""

    answered: int
    lost: int
    rtt_ms: float | None


class DemoView:
    """A renderable that shows the demo as it stands whenever it is drawn."""

    def __init__(self, demo: Demo) -> None:
        self._demo = demo
        self._happenings: deque[Happening] = deque(maxlen=HAPPENINGS_SHOWN)
        pops = demo.topology.of_kind(NodeKind.POP)
        self._colours = {pop.name: COLOURS[place % len(COLOURS)] for place, pop in enumerate(pops)}

    def happened(self, happening: Happening) -> None:
        """Take something to tell."""
        self._happenings.append(happening)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw everything for the console's width."""
        width = min(options.max_width, 140)
        height = max(12, min(26, (options.height or console.height) - HAPPENINGS_SHOWN - 5, width // 4))
        below = Table.grid(padding=(0, 3))
        below.add_row(self._clients(), self._log())
        yield Group(self._title(), self._map(width, height), below)

    def _title(self) -> Text:
        phase = self._demo.phase
        style = {Phase.FAILING: BAD, Phase.DONE: "bold #009e73"}.get(phase, "bold")
        return Text.assemble(("anycastle demo  ", "bold"), (phase.value, style), ("   ● announced  ", QUIET)) + Text(
            "◐ steered  ✖ withdrawn  ◆ client, in the colour of the PoP that answers", style=QUIET
        )

    def _map(self, width: int, height: int) -> Text:
        demo = self._demo
        marks = [self._pop_mark(node) for node in demo.topology.of_kind(NodeKind.POP)]
        marks += [self._client_mark(node) for node in demo.topology.of_kind(NodeKind.CLIENT)]
        text = Text(no_wrap=True)
        for row in draw(marks, width, height):
            for style, cells in groupby(row, key=lambda cell: cell.style):
                text.append("".join(cell.character for cell in cells), LAND if style == "land" else style)
            text.append("\n")
        return text

    def _pop_mark(self, node: Node) -> Mark:
        stance = self._demo.stances.get(node.name, "withdraw")
        style = f"bold {self._colours[node.name]}"
        # Once the demo is over the lab is taken down, which is no part of the picture.
        serving = self._demo.phase is Phase.DONE or self._serves(node.name)
        return Mark(node.location, SYMBOLS[stance], node.city, style if serving else BAD)

    def _serves(self, pop: str) -> bool:
        lab = self._demo.lab
        return lab is not None and pop in lab.servers and lab.servers[pop].serving

    def _client_mark(self, node: Node) -> Mark:
        client = self._demo.clients.get(node.name)
        recent = _recent(client.tally.queries) if client else None
        if client is None or recent is None:
            return Mark(node.location, "◇", "", QUIET)
        served_by = client.tally.served_by()
        if recent.lost or served_by is None:
            return Mark(node.location, "◇", "", BAD)
        return Mark(node.location, "◆", "", self._colours[served_by])

    def _clients(self) -> Table:
        table = Table(box=None, padding=(0, 1), show_edge=False)
        for column in ("client", "answered by", "rtt", "lost"):
            table.add_column(column, header_style=QUIET, justify="right" if column in ("rtt", "lost") else "left")
        for name, client in self._demo.clients.items():
            served_by, recent = client.tally.served_by(), _recent(client.tally.queries)
            pop = Text(self._demo.topology.node(served_by).city, self._colours[served_by]) if served_by else Text("-")
            lost = client.tally.lost(until=now().monotonic - TIMEOUT_S)
            waiting = recent is not None and recent.lost > 0
            rtt = f"{recent.rtt_ms:.0f} ms" if recent is not None and recent.rtt_ms is not None else "-"
            city = self._demo.topology.node(name).city
            table.add_row(city, pop, rtt, Text(str(lost), BAD if waiting else ""))
        return table

    def _log(self) -> Text:
        text = Text(no_wrap=True, overflow="ellipsis")
        for happening in self._happenings:
            text.append(f"{happening.at:6.2f} s  ", QUIET)
            text.append(happening.text + "\n", KIND_STYLES[happening.kind])
        return text


def _recent(queries: list[Query]) -> Recent | None:
    """Give what the last second brought; a query that may still be answered counts neither way."""
    if not queries:
        return None
    end = queries[-1].sent_at
    answered, lost, rtts = 0, 0, []
    for query in reversed(queries):
        age_s = end - query.sent_at
        if age_s > RECENT_S:
            break
        if query.answered_at is not None:
            answered += 1
            rtts.append(query.answered_at - query.sent_at)
        elif age_s > RECENT_S / 2:
            lost += 1
    return Recent(answered, lost, 1000 * sorted(rtts)[len(rtts) // 2] if rtts else None)
