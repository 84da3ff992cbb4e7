"""Reads the kernel's own counts through `nft -j`: what a filter passed and dropped, and flows that are not ours."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from anycastle.base.errors import ParseError, WorldError
from anycastle.wire.nft import Counter, parse_counters, parse_flows

T = TypeVar("T")

TIMEOUT_S: Final = 5.0
ANSWER_OCTETS_MAX: Final = 16 << 20


@dataclass(frozen=True, slots=True)
class NftTable:
    """A table of nftables, by family and name."""

    family: str
    name: str
    program: str = "nft"

    async def counters(self) -> tuple[Counter, ...]:
        """Give the table's named counters. Raises `WorldError`."""
        return _parsed(parse_counters, await self._ask("counters", "table", self.family, self.name))

    async def flows(self, name: str) -> tuple[tuple[str, int], ...]:
        """Give the elements of a set of addresses with ports. Raises `WorldError`."""
        return _parsed(parse_flows, await self._ask("set", self.family, self.name, name))

    async def _ask(self, *words: str) -> bytes:
        try:
            process = await asyncio.create_subprocess_exec(
                self.program, "-j", "list", *words,
                stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            )  # fmt: skip
        except OSError as error:
            raise WorldError(f"{self.program} cannot be run: {error.strerror}") from error
        try:
            async with asyncio.timeout(TIMEOUT_S):
                out, said = await process.communicate()
        except TimeoutError as error:
            process.kill()
            await process.wait()
            raise WorldError(f"{self.program} says nothing for {TIMEOUT_S:g} s") from error
        if process.returncode != 0:
            words_said = said.decode("utf-8", "replace").strip().splitlines() or ["no word"]
            raise WorldError(f"{self.program} list {' '.join(words)}: {words_said[0]}")
        if len(out) > ANSWER_OCTETS_MAX:
            raise WorldError(f"{self.program}: an answer of {len(out)} octets")
        return out


def _parsed(parse: Callable[[bytes], T], answer: bytes) -> T:
    try:
        return parse(answer)
    except ParseError as error:
        raise WorldError(str(error)) from error
