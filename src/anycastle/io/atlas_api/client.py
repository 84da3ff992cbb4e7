"""The REST API of RIPE Atlas: what is asked, what comes, and how its refusals read.

What only reads is tried again where the server is busy (429), at fault (5xx) or away, after pauses that double, or as
long as it asks for. What orders is tried again only after 429, which is said before anything is done: a lost answer
may be that of an order that was taken, and a second one would be paid too.

Results come as lines (`format=txt`), a window of time a request, so that neither side holds more than a window. Within
a window lines are known by a digest: what a broken answer had brought already is not given twice.

The key is read from its file when it is needed, goes out in one header field, over TLS (or to this machine), and stands
in no message.
"""

import hashlib
import json
import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urlsplit

import httpx2

from anycastle.base.errors import MisuseError, WorldError
from anycastle.wire.atlas.parse import RESULT_BYTES_MAX

ADDRESS: Final = "https://atlas.ripe.net/api/v2"
TRIES: Final = 6
PAUSE_S: Final = 1.0
PAUSE_LONGEST_S: Final = 120.0
TIMEOUT_S: Final = 60.0
ANSWER_BYTES_MAX: Final = 4 * 1024 * 1024
"""Of an answer that is no list of results."""
WINDOW_RESULTS_MAX: Final = 500_000
"""Results of one window, whose digests we hold."""
KEY_BYTES_MAX: Final = 256
_WORDS_MAX: Final = 300
_BUSY: Final = 429

Told = Callable[[str], None]


class AtlasAPI:
    """A connection to the API; a context manager that closes it."""

    def __init__(
        self,
        address: str = ADDRESS,
        key_file: Path | None = None,
        told: Told = lambda _: None,
        pause_s: float = PAUSE_S,
    ) -> None:
        """`told` hears of what is tried again."""
        self.address = address.rstrip("/")
        self._key_file = key_file
        self._told = told
        self._pause_s = pause_s
        if key_file is not None and not _keeps_secrets(self.address):
            raise MisuseError(f"{self.address}: a key goes over https, and over http to this machine alone")
        self._client = httpx2.Client(
            timeout=TIMEOUT_S, trust_env=False, follow_redirects=False, headers={"User-Agent": "anycastle"}
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    # -- what is asked ------------------------------------------------------------------------------------------------

    def balance(self) -> int | None:
        """Give the credits that are left; None where the key may not see them. Raises `WorldError`."""
        try:
            value = self._read("/credits/").get("current_balance")
        except _RefusedError as error:
            if error.status in (401, 403):
                return None
            raise
        return value if isinstance(value, int) else None

    def measurement(self, number: int) -> dict[str, Any]:
        """Give what a measurement is. Raises `WorldError`."""
        return self._read(f"/measurements/{number}/")

    def create(self, body: Mapping[str, Any]) -> list[int]:
        """Order measurements, and give their numbers. Raises `WorldError`."""
        for pause_s in self._pauses():
            try:
                with self._sent("POST", "/measurements/", body=body) as response:
                    octets = self._body(response)
            except httpx2.HTTPError as error:
                raise WorldError(f"{self._lost(error)}{_MAY_BE}", retryable=False) from error
            words = self._words(response.status_code, octets)
            if response.status_code == _BUSY and pause_s is not None:
                self._wait(pause_s, words, response)
                continue
            if response.status_code >= 500:
                raise WorldError(f"{words}{_MAY_BE}", retryable=False)
            if not response.is_success:
                raise _RefusedError(words, response.status_code)
            numbers = (_json(octets) or {}).get("measurements")
            if not isinstance(numbers, list) or not all(isinstance(each, int) for each in numbers):
                raise WorldError(f"{self.address}: names no measurement in its answer{_MAY_BE}", retryable=False)
            return numbers
        raise AssertionError("the last try returns or raises")

    def results(self, number: int, start: int, stop: int, probes: tuple[int, ...] = ()) -> Iterator[bytes]:
        """Give each result from `start` to `stop` (seconds since 1970, both inclusive), a line of JSON each.

        Raises `WorldError`.
        """
        query = {"format": "txt", "start": str(start), "stop": str(stop)}
        query |= {"probe_ids": ",".join(map(str, probes))} if probes else {}
        known: set[bytes] = set()
        for pause_s in self._pauses():
            try:
                with self._opened(f"/measurements/{number}/results/", query, pause_s) as response:
                    if response is None:
                        continue
                    yield from self._lines(response, known)
                    return
            except httpx2.HTTPError as error:
                if pause_s is None:
                    raise WorldError(self._lost(error)) from error
                self._wait(pause_s, self._lost(error))

    # -- how ----------------------------------------------------------------------------------------------------------

    def _read(self, path: str) -> dict[str, Any]:
        for pause_s in self._pauses():
            try:
                with self._opened(path, {}, pause_s) as response:
                    if response is None:
                        continue
                    told = _json(self._body(response))
            except httpx2.HTTPError as error:
                if pause_s is None:
                    raise WorldError(self._lost(error)) from error
                self._wait(pause_s, self._lost(error))
                continue
            if told is None:
                raise WorldError(f"{self.address}: answers in another way than RIPE Atlas does", retryable=False)
            return told
        raise AssertionError("the last try returns or raises")

    @contextmanager
    def _opened(self, path: str, query: Mapping[str, str], pause_s: float | None) -> Iterator[httpx2.Response | None]:
        """Give an answer that is right, its body not yet read; None after a pause. Raises `WorldError`."""
        with self._sent("GET", path, query=query) as response:
            if response.is_success:
                yield response
                return
            words, status = self._words(response.status_code, self._body(response)), response.status_code
        if pause_s is None or not (status == _BUSY or status >= 500):
            raise _RefusedError(words, status)
        self._wait(pause_s, words, response)
        yield None

    @contextmanager
    def _sent(
        self, method: str, path: str, query: Mapping[str, str] | None = None, body: Mapping[str, Any] | None = None
    ) -> Iterator[httpx2.Response]:
        """Give an answer of which the body is still to be read."""
        headers = self._authorised(needed=body is not None)
        asked = None if body is None else dict(body)
        request = self._client.build_request(method, f"{self.address}{path}", params=query, json=asked, headers=headers)
        response = self._client.send(request, stream=True)
        try:
            yield response
        finally:
            response.close()

    def _pauses(self) -> Iterator[float | None]:
        """Give the pause after each try; None after the last."""
        for number in range(TRIES - 1):
            yield min(self._pause_s * 2**number, PAUSE_LONGEST_S) * random.uniform(0.5, 1.0)
        yield None

    def _wait(self, pause_s: float, why: str, response: httpx2.Response | None = None) -> None:
        text = "" if response is None else response.headers.get("retry-after", "")
        asked_s = float(text) if text.isdecimal() else 0.0
        pause_s = min(max(pause_s, asked_s), PAUSE_LONGEST_S)
        self._told(f"{why}; again in {pause_s:.1f} s")
        time.sleep(pause_s)

    def _lines(self, response: httpx2.Response, known: set[bytes]) -> Iterator[bytes]:
        rest = b""
        for octets in response.iter_bytes():
            *lines, rest = (rest + octets).split(b"\n")
            if len(rest) > RESULT_BYTES_MAX:
                raise WorldError(f"{self.address}: a result of more than {RESULT_BYTES_MAX} octets", retryable=False)
            yield from filter(None, (self._fresh(line, known) for line in lines))
        last = self._fresh(rest, known)
        if last:
            yield last

    def _fresh(self, line: bytes, known: set[bytes]) -> bytes:
        """Give a line that was not there yet; '' for one that was."""
        line = line.strip()
        digest = hashlib.blake2b(line, digest_size=12).digest()
        if not line or digest in known:
            return b""
        if len(known) >= WINDOW_RESULTS_MAX:
            raise MisuseError(f"more than {WINDOW_RESULTS_MAX:,} results in one window: ask for shorter ones")
        known.add(digest)
        return line

    def _authorised(self, *, needed: bool = False) -> dict[str, str]:
        if self._key_file is None:
            if needed:
                raise MisuseError("an order needs an API key: --key-file names its file")
            return {}
        return {"Authorization": f"Key {read_key(self._key_file)}"}

    def _body(self, response: httpx2.Response) -> bytes:
        """Give an answer's body, within bounds."""
        octets = b""
        for chunk in response.iter_bytes():
            octets += chunk
            if len(octets) > ANSWER_BYTES_MAX:
                raise WorldError(f"{self.address}: an answer of more than {ANSWER_BYTES_MAX} octets", retryable=False)
        return octets

    def _words(self, status: int, octets: bytes) -> str:
        """Give a refusal in words: title, detail, and what it says of each field."""
        error = (_json(octets) or {}).get("error")
        if not isinstance(error, dict):
            return f"{self.address}: status {status}"
        parts = [str(error[key]) for key in ("title", "detail") if error.get(key)]
        for each in error.get("errors") or ():
            if isinstance(each, dict):
                source = each.get("source")
                pointer = source.get("pointer", "") if isinstance(source, dict) else ""
                parts.append(f"{pointer}: {each.get('detail', '')}".strip(": "))
        return f"{self.address}: status {status}: {'; '.join(parts)[:_WORDS_MAX]}"

    def _lost(self, error: httpx2.HTTPError) -> str:
        return f"{self.address}: {str(error) or 'no answer in time'}"


_MAY_BE: Final = ". The order may have been taken all the same: look at your measurements before you order again"


class _RefusedError(WorldError):
    """The API says no."""

    def __init__(self, words: str, status: int) -> None:
        super().__init__(words, retryable=status == _BUSY or status >= 500)
        self.status = status


def read_key(path: Path) -> str:
    """Give the API key of a file. Raises `MisuseError`, without what the file holds."""
    try:
        with path.open("rb") as file:
            octets = file.read(KEY_BYTES_MAX + 1)
    except OSError as error:
        raise MisuseError(f"{path}: {error.strerror}") from error
    text = octets.decode("ascii", errors="replace").strip()
    if not text or len(octets) > KEY_BYTES_MAX or not all(c.isascii() and (c.isalnum() or c in "-_") for c in text):
        raise MisuseError(f"{path}: holds no API key, which is one line such as 01234567-89ab-cdef-0123-456789abcdef")
    return text


def _keeps_secrets(address: str) -> bool:
    parts = urlsplit(address)
    if parts.scheme == "https":
        return True
    try:
        return parts.scheme == "http" and ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return parts.scheme == "http" and parts.hostname == "localhost"


def _json(octets: bytes) -> dict[str, Any] | None:
    try:
        told = json.loads(octets)
    except (ValueError, RecursionError):
        return None
    return told if isinstance(told, dict) else None
