"""What is made of agents' reports for who looks, made anew only where an agent said more.

Of a thousand PoPs with fifty services, a report of each holds 250 parts. To read all of them takes a second; between
two looks few of them changed. So what was made of a report is kept until the agent says something else.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Generic, TypeVar

from anycastle.web.controller import AgentView

Made = TypeVar("Made")

AT_ONCE: Final = 20
"""Reports that are read before others have their turn: a hundred take some 50 ms, and agents are on this loop too."""


class OfReports(Generic[Made]):
    """PoP -> what was made of its report."""

    def __init__(self, make: Callable[[str, Mapping[str, Any]], Made]) -> None:
        """`make` is given a PoP and its report."""
        self._make = make
        self._kept: dict[str, tuple[object, Made]] = {}

    async def read(self, agents: Mapping[str, AgentView], pops: Iterable[str]) -> dict[str, Made]:
        """Give PoP -> what was made, of those whose agents have a session and said anything; forget PoPs that left."""
        for gone in self._kept.keys() - agents.keys():
            del self._kept[gone]
        found, read = {}, 0
        for pop in pops:
            agent = agents.get(pop)  # another controller may lead by now
            if agent is None:
                continue
            if not self._is_fresh(pop, agent):
                read += 1
                if read % AT_ONCE == 0:
                    await asyncio.sleep(0)
            made = self._of(pop, agent)
            if made is not None:
                found[pop] = made
        return found

    def _is_fresh(self, pop: str, agent: AgentView) -> bool:
        known = self._kept.get(pop)
        return known is not None and known[0] is agent.told

    def _of(self, pop: str, agent: AgentView) -> Made | None:
        told = agent.told
        known = self._kept.get(pop)
        if known is not None and known[0] is told:
            return known[1]
        said = None if told is None else agent.report()
        if said is None:
            self._kept.pop(pop, None)
            return None
        made = self._make(pop, said)
        self._kept[pop] = (told, made)
        return made
