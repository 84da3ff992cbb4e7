"""Hands spooled results to a collector: batches of lines, by POST, at least once, with growing waits while it is away.

A collector answers with a status of 200 to 299 once it has the lines for good. Any other answer is told, and the batch
is tried again: results are never let go but by the spool's bound. Each line has an `id`, by which a collector knows a
line that it was given before.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from anycastle.base.errors import WorldError
from anycastle.base.ports import Randomness
from anycastle.io.probe.results import Results

BATCH_OCTETS: Final = 1024 * 1024
IDLE_S: Final = 1.0
BACK_OFF_S: Final = (1.0, 60.0)
TIMEOUT_S: Final = 30.0
MEDIA_TYPE: Final = "application/x-ndjson"

Post = Callable[[bytes], Awaitable[str]]
"""Lines in; '' once the collector has them, else what went wrong."""


class Delivery:
    """Delivers until cancelled."""

    def __init__(self, results: Results, post: Post, randomness: Randomness) -> None:
        self.trouble = ""
        """Why the last attempt failed; empty while it goes well."""
        self.delivered = 0
        self._results = results
        self._post = post
        self._randomness = randomness

    async def run(self) -> None:
        """Hand over what there is, and what comes."""
        wait_s = BACK_OFF_S[0]
        while True:
            try:
                batch = await asyncio.to_thread(self._results.batch, BATCH_OCTETS)
                if batch is None:
                    await asyncio.sleep(IDLE_S)
                    continue
                self.trouble = await self._post(batch.octets)
                if not self.trouble:
                    await asyncio.to_thread(self._results.take, batch)
                    self.delivered += batch.after - batch.first
                    wait_s = BACK_OFF_S[0]
                    continue
            except WorldError as error:
                self.trouble = str(error)
            await asyncio.sleep(wait_s * self._randomness.uniform(0.5, 1.0))
            wait_s = min(2 * wait_s, BACK_OFF_S[1])


class HTTPPost:
    """POSTs lines to an URL. A token, where one is needed, is read from its file for each batch: it may be renewed."""

    def __init__(self, url: str, token_file: Path | None = None, ca_file: Path | None = None) -> None:
        import ssl

        import httpx2

        verify: ssl.SSLContext | bool = True
        if ca_file is not None:
            try:
                verify = ssl.create_default_context(cafile=str(ca_file))
            except OSError as error:
                raise WorldError(f"{ca_file} cannot be used: {error}", retryable=False) from error
        self._url = url
        self._token_file = token_file
        self._client = httpx2.AsyncClient(timeout=TIMEOUT_S, verify=verify, follow_redirects=False)
        self._errors = (httpx2.HTTPError, httpx2.InvalidURL)

    async def __call__(self, lines: bytes) -> str:
        """Give '' once they are taken."""
        headers = {"Content-Type": MEDIA_TYPE}
        if self._token_file is not None:
            try:
                headers["Authorization"] = f"Bearer {self._token_file.read_text().strip()}"
            except OSError as error:
                return f"{self._token_file} cannot be read: {error.strerror}"
        try:
            response = await self._client.post(self._url, content=lines, headers=headers)
        except self._errors as error:
            return f"{self._url}: {str(error) or type(error).__name__}"
        return "" if response.is_success else f"{self._url}: status {response.status_code}"

    async def close(self) -> None:
        """Close its connections."""
        await self._client.aclose()
