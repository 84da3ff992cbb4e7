"""One POST, as all notifiers by HTTP need it: bounded, without redirects, and with errors that hold no secret."""

import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urlsplit

import httpx2

from anycastle.io.notifiers.port import DeliveryError

TIMEOUT_S: Final = 10.0
WORDS_MAX: Final = 200
"""Characters of a server's answer that go into an error."""

REFUSED: Final = frozenset({400, 413, 415, 422})
"""It is the message itself that is not taken. All else may be mended at the other side, or in our files."""


class Poster:
    """A connection pool of one notifier; `close` it."""

    def __init__(self, ca_file: str | None = None) -> None:
        self._ca_file = ca_file
        self._client: httpx2.AsyncClient | None = None

    async def close(self) -> None:
        """Let go of its connections."""
        if self._client is not None:
            await self._client.aclose()

    async def post(
        self, url: str, octets: bytes, headers: Mapping[str, str], secrets: tuple[str, ...] = ()
    ) -> tuple[int, str]:
        """Give status and beginning of the answer to a POST that was taken. Raises `DeliveryError`.

        `secrets` are taken out of whatever is told; so is all of the URL but its server.
        """
        place = server_of(url)
        try:
            client = self._opened()
            answer = await client.post(url, content=octets, headers={"Content-Type": "application/json", **headers})
            words = answer.text[:WORDS_MAX].strip()
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError, ssl.SSLError, ValueError) as error:
            told = _without(f"{error}", (*secrets, url)) or type(error).__name__
            raise DeliveryError(f"{place}: {told}") from None
        if 200 <= answer.status_code < 300:
            return answer.status_code, words
        told = " ".join(_without(words, (*secrets, url)).split())
        raise DeliveryError(
            f"{place}: status {answer.status_code}{f': {told}' if told else ''}",
            retryable=answer.status_code not in REFUSED,
            again_s=_again_s(answer.headers.get("Retry-After")),
        )

    def _opened(self) -> httpx2.AsyncClient:
        if self._client is None:
            context = ssl.create_default_context(cafile=self._ca_file)
            self._client = httpx2.AsyncClient(
                verify=context, timeout=TIMEOUT_S, trust_env=False, follow_redirects=False
            )
        return self._client


def server_of(url: str) -> str:
    """Give the part of a URL that may be shown."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "?", f":{parts.port}" if parts.port else ""
    except ValueError:
        return "its server"
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{port}"


def _without(text: str, secrets: tuple[str, ...]) -> str:
    for secret in secrets:
        text = text.replace(secret, "(hidden)")
    return text


def _again_s(value: str | None) -> float | None:
    """Give the seconds of a Retry-After, which is a number or a date (RFC 9110 §10.2.3)."""
    if value is None:
        return None
    if value.strip().isdecimal():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
