"""What watches on other machines told this controller, as signals; and that one of them fell silent.

The store is looked at, and not who took the telling: a controller that takes over reads the same. Silence is counted by
this controller's own clock, from when it saw a watch's last sign of life: a wall clock that jumps silences nobody, and
who has just taken over waits for all of them first.
"""

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final

from anycastle.base.errors import WorldError
from anycastle.base.ports import Instant
from anycastle.daemons.signal_source import Take
from anycastle.io.clock import now
from anycastle.io.findings_lines import HowFar
from anycastle.io.told_findings import SILENT_S, Telltale, ToldFindings
from anycastle.io.watched import Found
from anycastle.response.findings import OpenFindings, opened_again
from anycastle.response.openings import WATCH_SILENT, opens
from anycastle.response.signal import Signal, Subject

LOOK_S: Final = 1.0
SOURCE: Final = "watches"
"""Under which silence is said."""


class ToldSource:
    """Follows all watches that tell."""

    def __init__(self, told: ToldFindings, tell: Callable[[str], None], silent_s: float = SILENT_S) -> None:
        self._told = told
        self._tell = tell
        self._silent_s = silent_s

    async def run(self, take: Take) -> None:
        """See `SignalSource`."""
        trouble, known = "", dict[str, HowFar]()
        heard: dict[str, tuple[float, Instant]] = {}
        silent: list[Signal] = []
        while True:
            try:
                watches = await self._told.watches()
                await self._changes(watches, known, take)
                heard = _heard(watches, heard)
                told = self._silence(watches, heard)
                if told != silent:
                    take(SOURCE, told)
                    silent = told
                trouble = ""
            except WorldError as error:
                if trouble != str(error):
                    trouble = str(error)
                    self._tell(f"findings of other machines are not read: {error}")
            await asyncio.sleep(LOOK_S)

    async def _changes(self, watches: Mapping[str, Telltale], known: dict[str, HowFar], take: Take) -> None:
        for name, watch in watches.items():
            if known.get(name) != watch.far:
                take(f"watch {name}", _signals(await self._told.findings(name)))
                known[name] = watch.far
        for name in known.keys() - watches.keys():
            take(f"watch {name}", [])
            del known[name]

    def _silence(self, watches: Mapping[str, Telltale], heard: Mapping[str, tuple[float, Instant]]) -> list[Signal]:
        instant = now().monotonic
        names = sorted(name for name in watches if instant - heard[name][1] > self._silent_s)
        if not names:
            return []
        since = ", ".join(f"{name} silent since {_time(watches[name].heard)}" for name in names)
        return [opens(WATCH_SILENT, Subject(), f"watch {since}: what it would find is not known", part=True)]


def _heard(
    watches: Mapping[str, Telltale], before: Mapping[str, tuple[float, Instant]]
) -> dict[str, tuple[float, Instant]]:
    """Give what each watch's last sign of life says of its time, and when it was seen here."""
    instant = now().monotonic
    return {
        name: before[name] if name in before and before[name][0] == watch.heard else (watch.heard, instant)
        for name, watch in watches.items()
    }


def _signals(found: list[Found]) -> list[Signal]:
    is_open = OpenFindings()
    for each in reversed([each for each in found if each.cleared is None]):  # the oldest first
        is_open.take(opened_again(each.finding, each.kind, each.subject, each.prefix, each.told))
    return is_open.signals


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
