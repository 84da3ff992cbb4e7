"""Faults of the response, carried: as signals to the one that begins anew, and past it to those whom pages wake."""

import asyncio

from anycastle.daemons.notifying import Notifying
from anycastle.daemons.signal_source import Take
from anycastle.io.clock import now
from anycastle.response.faults import Faults
from anycastle.response.message import Message
from anycastle.response.notification import NoticeKind
from anycastle.response.openings import RESPONSE_FAILED
from anycastle.response.signal import Urgency

LOOK_S = 1.0
SOURCE = "the response itself"


class FaultsSource:
    """What the response says of its own faults."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults

    async def run(self, take: Take) -> None:
        """See `SignalSource`."""
        while True:
            take(SOURCE, self._faults.signals(now().wall))
            await asyncio.sleep(LOOK_S)


async def tell_past(notifying: Notifying, faults: Faults, fleet: str) -> list[str]:
    """Page those whom every page wakes, once, without the response; give who was not told, and why."""
    at = now().wall
    told = Message(
        f"fault-{int(at * 1000)}", f"{fleet}/response", fleet, 0, NoticeKind.PAGE, Urgency.PAGE, at, at,
        f"{faults.words}; incidents may be missed", RESPONSE_FAILED,
    )  # fmt: skip
    names = notifying.plan.told(Urgency.PAGE.value, frozenset(), frozenset(), frozenset())
    answers = await asyncio.gather(*(notifying.send(name, told) for name in names), return_exceptions=True)
    return [f"{name}: {answer}" for name, answer in zip(names, answers, strict=True) if isinstance(answer, Exception)]
