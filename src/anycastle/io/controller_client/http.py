"""Requests to a controller's API: who asks, what is said where it refuses, and orders that are carried out once.

An order is sent with an Idempotency-Key of its own. Where its answer is lost, or the API asks to come again in a
moment, it is sent again with the same key, so it is carried out once however often that happens.
"""

import secrets
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

import httpx2

from anycastle.base.errors import MisuseError, WorldError

TRIES: Final = 5
"""How often an order is sent; with the pauses between them some eight seconds: a takeover is over by then."""

PAUSE_S: Final = 0.5
"""Before it is sent again; then twice as long each time."""

PAUSE_LONGEST_S: Final = 10.0
"""Of what Retry-After may ask for."""

CONNECT_S: Final = 10.0
ANSWER_S: Final = 120.0
"""A large fleet folder is checked within it."""

PAGE: Final = 500
PAGES_MAX: Final = 1_000

_LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")
_SOON: Final = frozenset({"being-answered", "too-many-requests", "not-leading", "unavailable"})
"""Problems that a moment can mend."""
_BETWEEN: Final = frozenset({502, 504})
"""What a server in between says where the API did not answer it."""


def require_private(url: str) -> None:
    """Raise `MisuseError` where a secret would go over a network in the clear, or the URL names no server."""
    parts = _require_server(url)
    if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
        raise MisuseError(f"{url}: tokens go by https only")


def _require_server(url: str) -> SplitResult:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise MisuseError(f"{url}: this is not the URL of an API, such as https://ctl1.example.net:8443")
    return parts


def client_of(url: str, ca_file: Path | None, token: str = "") -> httpx2.Client:
    """Give a client of the API at a URL; without a token it sees what is public.

    Raises `MisuseError` where the URL names no server, or the certificates cannot be read.
    """
    _require_server(url)
    return httpx2.Client(
        base_url=url.rstrip("/"),
        headers={"Authorization": f"Bearer {token}"} if token else {},
        verify=_context(ca_file),
        timeout=httpx2.Timeout(ANSWER_S, connect=CONNECT_S),
        trust_env=False,
    )


class Api:
    """Asks the API at a URL by a token. `tell` takes what somebody who waits may know."""

    def __init__(self, url: str, token: str, ca_file: Path | None, tell: Callable[[str], None]) -> None:
        require_private(url)
        self.url = url.rstrip("/")
        self._tell = tell
        self._client = client_of(url, ca_file, token)

    def close(self) -> None:
        """End its connections."""
        self._client.close()

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        """Read something. Raises `WorldError`."""
        return self.get_tagged(path, **query)[0]

    def get_tagged(self, path: str, **query: Any) -> tuple[dict[str, Any], str]:
        """Read something that changes, and the ETag of its state. Raises `WorldError`."""
        answer = self._got(path, query)
        return self._told(answer), answer.headers.get("etag", "")

    def get_text(self, path: str, **query: Any) -> str:
        """Read a text. Raises `WorldError`."""
        answer = self._got(path, query)
        if not answer.is_success:
            raise WorldError("\n".join(self._words(answer)), retryable=self._soon(answer))
        return answer.text

    def _got(self, path: str, query: dict[str, Any]) -> httpx2.Response:
        try:
            return self._client.get(path, params=query)
        except httpx2.HTTPError as error:
            raise self._lost(error) from error

    def items(self, path: str) -> Iterator[dict[str, Any]]:
        """Read all pages of a list. Raises `WorldError`."""
        query: dict[str, Any] = {"limit": PAGE}
        for _ in range(PAGES_MAX):
            page = self.get(path, **query)
            yield from page["items"]
            if page["next"] is None:
                return
            query["cursor"] = page["next"]
        raise WorldError(f"{self.url}{path}: more than {PAGES_MAX} pages", retryable=False)

    def post(self, path: str, body: Mapping[str, Any], seen: str | None = None) -> dict[str, Any]:
        """Have an order carried out, once. `seen` is the ETag of the state that it was decided on.

        Raises `WorldError`.
        """
        headers = {"Idempotency-Key": secrets.token_hex(16), **({} if seen is None else {"If-Match": seen})}
        pause_s = PAUSE_S
        for left in range(TRIES - 1, -1, -1):
            try:
                answer = self._client.post(path, json=dict(body), headers=headers)
            except httpx2.TransportError as error:
                if not left or _is_untrusted(error):
                    raise self._lost(error) from error
                why, wanted_s = "the connection was lost", 0.0
            else:
                if not left or not self._soon(answer):
                    return self._told(answer)
                why, wanted_s = self._words(answer)[0], _retry_after_s(answer)
            pause = min(max(pause_s, wanted_s), PAUSE_LONGEST_S)
            self._tell(f"{why}: sent again in {pause:g} s, to be carried out once")
            time.sleep(pause)
            pause_s *= 2
        raise AssertionError("the last try returns or raises")

    def _soon(self, answer: httpx2.Response) -> bool:
        return answer.status_code in _BETWEEN or _kind(_object(answer)) in _SOON

    def _told(self, answer: httpx2.Response) -> dict[str, Any]:
        told = _object(answer)
        if answer.is_success and told is not None:
            return told
        words = self._words(answer)
        raise WorldError("\n".join(words), retryable=self._soon(answer))

    def _words(self, answer: httpx2.Response) -> list[str]:
        """Give a problem as lines: what is wrong, in detail, and what to do next."""
        told = _object(answer)
        if told is None or "detail" not in told:
            return [f"{self.url}: answers {answer.status_code}, and not as a controller's API does"]
        lines = [str(told["detail"]), *map(str, told.get("findings", ()))]
        lines += [f"{each.get('pointer')}: {each.get('detail')}" for each in told.get("errors", ())]
        if told.get("leader"):
            lines.append(f"leader: {told['leader']}")
        return [*lines, *([f"next: {told['next']}"] if told.get("next") else [])]

    def _lost(self, error: httpx2.HTTPError) -> WorldError:
        if _is_untrusted(error):
            return WorldError(
                f"{self.url}: {error}; --ca-file names the certificates that the API's is signed by", retryable=False
            )
        if isinstance(error, httpx2.ConnectError | httpx2.ConnectTimeout):
            return WorldError(f"{self.url}: {error}; does the controller serve its API there? --server says where")
        return WorldError(f"{self.url}: {str(error) or 'no answer in time'}")


def _context(ca_file: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        raise MisuseError(f"{ca_file}: no certificates are there: {error}") from error


def _object(answer: httpx2.Response) -> dict[str, Any] | None:
    try:
        told = answer.json()
    except ValueError:
        return None
    return told if isinstance(told, dict) else None


def _kind(told: dict[str, Any] | None) -> str:
    return str((told or {}).get("type", "")).rpartition("/")[2]


def _retry_after_s(answer: httpx2.Response) -> float:
    text = answer.headers.get("retry-after", "")
    return float(text) if text.isdigit() else 0.0


def _is_untrusted(error: Exception) -> bool:
    return "CERTIFICATE_VERIFY_FAILED" in str(error)
