"""What `anycastle watch toggles` says, as a source (M10): from a file, or from a running watch.

Which upstreams do as they are told is not told by traffic: it takes toggles, and what the Internet did after them. A
running watch knows both, and is asked; where archives are read, somebody's timer writes a file, which is read anew
whenever it is another. Each verdict stands until a later one of the same instruction.
"""

import asyncio
from datetime import datetime
from typing import Final

import msgspec

from anycastle.base.errors import ParseError
from anycastle.base.ports import Now, Timestamp
from anycastle.io.local_socket import ask
from anycastle.io.telemetry.source import SourceCounts
from anycastle.io.telemetry.telemetry_file import ToggleResults
from anycastle.io.whole_file import read_whole
from anycastle.slo.indicators.m10_policy_compliance import Verdict
from anycastle.slo.telemetry.intake import Intake

EVERY_S: Final = 10.0
STANDS_S: Final = 300.0
"""How often what is known is counted again: a cell that is forgotten takes no verdict with it."""

FILE_BYTES_MAX: Final = 64 * 1024 * 1024


class _Verdict(msgspec.Struct):
    upstream: str
    told: str
    instruction: str
    compliance: Verdict


class _Toggle(msgspec.Struct):
    at: datetime
    upstream: str
    told: str
    instruction: str


class _File(msgspec.Struct):
    verdicts: list[_Verdict]
    toggles: list[_Toggle]


def toggles_source(settings: ToggleResults, intake: Intake) -> "TogglesSource":
    """Give the source that a telemetry file names."""
    return TogglesSource(settings, intake) if settings.prefix is None else RunningTogglesSource(settings, intake)


class TogglesSource:
    """Follows one file."""

    def __init__(self, settings: ToggleResults, intake: Intake) -> None:
        self.name = settings.name
        self.every_s = EVERY_S
        self.counts = SourceCounts()
        self._path = settings.path
        self._intake = intake
        self._seen = (0, 0)
        """Its time in ns and its octets, when it was counted last."""
        self._counted_at = float("-inf")

    async def poll(self, now: Now) -> bool:
        """Count what it says, where it is another or was not counted for long. Raises `WorldError`."""
        seen = await asyncio.to_thread(self._look)
        if seen == (0, 0) or (seen == self._seen and now.monotonic < self._counted_at + STANDS_S):
            return False
        try:
            told = msgspec.json.decode(await asyncio.to_thread(read_whole, self._path, FILE_BYTES_MAX), type=_File)
        except (msgspec.DecodeError, ParseError) as error:
            self._seen, self._counted_at = seen, now.monotonic
            self.counts.damage(str(self._path), f"not what `anycastle watch toggles -o json` prints: {error}")
            return False
        self._count(told, now)
        self._seen, self._counted_at = seen, now.monotonic
        return False

    def _count(self, told: _File, now: Now) -> None:
        last: dict[tuple[str, str, str], float] = {}
        for toggle in told.toggles:
            key = toggle.upstream, toggle.told, toggle.instruction
            last[key] = max(last.get(key, 0.0), toggle.at.timestamp())
        for each in told.verdicts:
            at = last.get((each.upstream, each.told, each.instruction), 0.0)
            words = f"{each.told} {each.instruction}".rstrip()
            self._intake.toggled(each.upstream, words, each.compliance, Timestamp(at), now.wall)
            self.counts.counted += 1

    def _look(self) -> tuple[int, int]:
        try:
            found = self._path.stat()
        except OSError:
            return 0, 0  # it was not written yet
        return found.st_mtime_ns, found.st_size

    def place(self) -> bytes:
        """Give nothing: what stands in the file counts once, however often it is read."""
        return b"null"

    def restore(self, place: bytes) -> None:
        """Begin anew: it is read at once."""

    def close(self) -> None:
        """There is nothing to let go of."""


class RunningTogglesSource(TogglesSource):
    """Asks a running watch for one prefix."""

    def __init__(self, settings: ToggleResults, intake: Intake) -> None:
        super().__init__(settings, intake)
        self._request = {"command": "toggles", "prefix": str(settings.prefix), "brief": True}
        self._told: _File | None = None
        """What was counted last."""

    async def poll(self, now: Now) -> bool:
        """Count what it says, where it is another or was not counted for long. Raises `WorldError`."""
        answer = await asyncio.to_thread(ask, self._path, self._request, of="`anycastle watch run`")
        try:
            told = msgspec.convert(answer, _File)
        except msgspec.ValidationError as error:
            self.counts.damage(str(self._path), f"not what a watch answers: {error}")
            return False
        if told != self._told or now.monotonic >= self._counted_at + STANDS_S:
            self._count(told, now)
            self._told, self._counted_at = told, now.monotonic
        return False
