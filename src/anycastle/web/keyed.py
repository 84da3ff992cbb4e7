"""Requests that are carried out once, however often they are asked: the header Idempotency-Key."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

import msgspec
from fastapi import Request
from starlette.responses import Response

from anycastle.base.ports import Timestamp
from anycastle.io.clock import now
from anycastle.io.store.port import Once
from anycastle.web.identity import Person
from anycastle.web.problems import Problem, ProblemKind

KEY_MAX: Final = 200
KEPT_S: Final = 24 * 3600.0
"""How long an answer is kept for those who ask again."""

_REPLAYED: Final = {"Idempotency-Replayed": "true"}


@dataclass(frozen=True, slots=True)
class Keyed:
    """A request and its key, as digests."""

    key: str
    request: bytes

    def once(self, status: int, body: Any, location: str | None = None) -> Once:
        """Give what is kept of an answer."""
        answer = msgspec.json.encode({"status": status, "body": body, "location": location})
        return Once(self.key, self.request, answer, Timestamp(now().wall + KEPT_S))

    def replay(self, once: Once) -> Response:
        """Give the answer that was given before. Raises `Problem` where something else was asked then."""
        if once.request != self.request:
            raise Problem(ProblemKind.OTHER_REQUEST, "this key came with another method, path, If-Match or body before")
        return answer_of(once, _REPLAYED)


def answer_of(once: Once, headers: dict[str, str] | None = None) -> Response:
    """Give a kept answer as a response."""
    kept = msgspec.json.decode(once.answer)
    more = {"Location": kept["location"]} if kept["location"] else {}
    octets = msgspec.json.encode(kept["body"])
    return Response(octets, kept["status"], {**more, **(headers or {})}, media_type="application/json")


def keyed_of(request: Request, person: Person, body: bytes) -> Keyed:
    """Give a request's key. Raises `Problem` without one."""
    key = request.headers.get("idempotency-key", "")
    if not 0 < len(key) <= KEY_MAX or not key.isprintable():
        raise Problem(ProblemKind.KEY_MISSING, f"a key has 1 to {KEY_MAX} printable characters")
    asked = (request.method, request.url.path, request.headers.get("if-match", ""))
    return Keyed(_digest(person.name.encode(), key.encode()).hex(), _digest(*(part.encode() for part in asked), body))


def _digest(*parts: bytes) -> bytes:
    digest = sha256()
    for part in parts:
        digest.update(b"%d:" % len(part))
        digest.update(part)
    return digest.digest()
