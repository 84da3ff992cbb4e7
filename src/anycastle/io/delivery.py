"""Hands lines to a collector: batches of them, by POST, at least once, with growing waits while it is away.

A collector answers with a status of 200 to 299 once it has the lines for good. Any other answer is told, and what waits
then is tried again: nothing is let go here. By what a line is known that was given before, is between who makes the
lines and the collector.
"""

import asyncio
import json
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from anycastle.base.errors import WorldError
from anycastle.base.ports import Randomness

BATCH_OCTETS: Final = 1024 * 1024
IDLE_S: Final = 1.0
BACK_OFF_S: Final = (1.0, 60.0)
TIMEOUT_S: Final = 30.0
MEDIA_TYPE: Final = "application/x-ndjson"

ANSWER_OCTETS_MAX: Final = 64 * 1024
"""Of a collector's answer; a longer one is none that is known here."""

REASON_MAX: Final = 300
"""Characters of why a collector refuses."""


class Batch(NamedTuple):
    """Lines to hand over, whole ones."""

    first: int
    """Number of the first of them."""
    octets: bytes
    after: int
    """Number of the line that follows."""


class Answer(NamedTuple):
    """What became of a batch."""

    trouble: str
    """'' once the collector has it, else what went wrong."""
    octets: bytes = b""
    """What the collector answered."""


class Waiting(Protocol):
    """What waits to be handed over, on a disk. Both methods are called in a thread, one at a time."""

    def batch(self, octets_max: int) -> Batch | None:
        """Give the next lines; None where there are none. Raises `WorldError`."""
        ...

    def take(self, batch: Batch, answer: bytes) -> None:
        """Take that the collector has a batch, and what it answered. Raises `WorldError`."""
        ...


Post = Callable[[bytes], Awaitable[Answer]]
"""Lines in."""


class Delivery:
    """Delivers until cancelled."""

    def __init__(self, waiting: Waiting, post: Post, randomness: Randomness) -> None:
        self.trouble = ""
        """Why the last attempt failed; empty while it goes well."""
        self.delivered = 0
        self._waiting = waiting
        self._post = post
        self._randomness = randomness

    async def run(self) -> None:
        """Hand over what there is, and what comes."""
        wait_s = BACK_OFF_S[0]
        while True:
            try:
                batch = await asyncio.to_thread(self._waiting.batch, BATCH_OCTETS)
                if batch is None:
                    await asyncio.sleep(IDLE_S)
                    continue
                answer = await self._post(batch.octets)
                self.trouble = answer.trouble
                if not self.trouble:
                    await asyncio.to_thread(self._waiting.take, batch, answer.octets)
                    self.delivered += batch.after - batch.first
                    wait_s = BACK_OFF_S[0]
                    continue
            except WorldError as error:
                self.trouble = str(error)
            await asyncio.sleep(wait_s * self._randomness.uniform(0.5, 1.0))
            wait_s = min(2 * wait_s, BACK_OFF_S[1])


class HTTPPost:
    """POSTs lines to the first of some URLs, and after it refused, to the next: of several controllers one takes them.

    A token, where one is needed, is read from its file for each batch: it may be renewed.
    """

    def __init__(self, urls: Sequence[str], token_file: Path | None = None, ca_file: Path | None = None) -> None:
        import ssl

        import httpx2

        verify: ssl.SSLContext | bool = True
        if ca_file is not None:
            try:
                verify = ssl.create_default_context(cafile=str(ca_file))
            except OSError as error:
                raise WorldError(f"{ca_file} cannot be used: {error}", retryable=False) from error
        self._urls = deque(urls)
        self._token_file = token_file
        self._client = httpx2.AsyncClient(timeout=TIMEOUT_S, verify=verify, follow_redirects=False)
        self._errors = (httpx2.HTTPError, httpx2.InvalidURL)

    async def __call__(self, lines: bytes) -> Answer:
        """Give what became of them."""
        headers = {"Content-Type": MEDIA_TYPE}
        if self._token_file is not None:
            try:
                headers["Authorization"] = f"Bearer {self._token_file.read_text().strip()}"
            except (OSError, UnicodeDecodeError) as error:
                return Answer(
                    f"{self._token_file} cannot be read: {getattr(error, 'strerror', None) or 'it is no text'}"
                )
        url = self._urls[0]
        try:
            response = await self._client.post(url, content=lines, headers=headers)
        except self._errors as error:
            self._urls.rotate(-1)
            return Answer(f"{url}: {str(error) or type(error).__name__}")
        octets = response.content if len(response.content) <= ANSWER_OCTETS_MAX else b""
        if response.is_success:
            return Answer("", octets)
        self._urls.rotate(-1)
        return Answer(f"{url}: status {response.status_code}{_reason(octets)}")

    async def close(self) -> None:
        """Close its connections."""
        await self._client.aclose()


def _reason(octets: bytes) -> str:
    """Give why a collector refuses, where it says so as a problem (RFC 9457 §3.1.4)."""
    try:
        detail = json.loads(octets)["detail"]
    except (ValueError, TypeError, KeyError, IndexError):
        return ""
    text = "".join(each for each in str(detail)[:REASON_MAX] if each.isprintable())
    return f": {text}"
