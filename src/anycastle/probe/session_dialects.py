"""What is said on a held session, and where an answer ends: lines of text, HTTP/1.1 that keeps its connection, DNS."""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, NamedTuple, Protocol

from anycastle.base.errors import ParseError
from anycastle.wire.dns import NoReply, decode_reply
from anycastle.wire.dns_query import CHAOS, answers, encode_query, encode_question

ANSWER_OCTETS_MAX: Final = 65_537
"""Of one answer: a DNS message and its length (RFC 1035 §4.2.2)."""

_TXT: Final = 16
_END_OF_HEAD: Final = b"\r\n\r\n"


class Answer(NamedTuple):
    """One answer, at the head of what came."""

    identity: str
    """What the server says of itself; '' where it says nothing."""


class Dialect(Protocol):
    """A way to ask again and again."""

    def request(self, number: int) -> bytes:
        """Give the octets that ask for the `number`th time, from 0."""

    def answer(self, octets: bytes, number: int) -> Answer | None:
        """Give the answer that has come whole; None where more must come. Raises `ParseError` for what is none."""


@dataclass(frozen=True, slots=True)
class Text:
    """Octets that are sent, and octets that end an answer. The answer's text is what the server says of itself."""

    send: bytes
    until: bytes

    def request(self, _number: int) -> bytes:
        """Give the same octets each time."""
        return self.send

    def answer(self, octets: bytes, _number: int) -> Answer | None:
        """Give what came up to the end."""
        text, end, _ = octets.partition(self.until)
        return Answer(text.decode("latin-1").strip()) if end else None


@dataclass(frozen=True, slots=True)
class HTTP:
    """HEAD, on a connection that is kept (RFC 9112 §9.3)."""

    authority: str
    path: str
    site_header: str

    def request(self, _number: int) -> bytes:
        """Give a request."""
        return f"HEAD {self.path} HTTP/1.1\r\nHost: {self.authority}\r\nUser-Agent: anycastle\r\n\r\n".encode()

    def answer(self, octets: bytes, _number: int) -> Answer | None:
        """Give the head of a response: an answer to HEAD has no body (RFC 9110 §9.3.2)."""
        head, end, _ = octets.partition(_END_OF_HEAD)
        if not b"HTTP/1.".startswith(octets[:7]) and not octets.startswith(b"HTTP/1."):
            raise ParseError("the answer is not HTTP/1.1")
        if not end:
            return None
        fields = (line.partition(":") for line in head.decode("latin-1").split("\r\n")[1:])
        named = [value.strip() for name, _, value in fields if name.strip().lower() == self.site_header.lower()]
        return Answer(", ".join(named))


@dataclass(frozen=True, slots=True)
class DNS:
    """The question of class CHAOS for the server's name (RFC 4892), each message behind its length (RFC 7766 §8)."""

    name: str
    salt: int
    """By which the IDs of one session differ from those of another."""

    def request(self, number: int) -> bytes:
        """Give a query with an ID of its own."""
        message = self._identity(number) + encode_query(self._question(), nsid=False)
        return len(message).to_bytes(2, "big") + message

    def answer(self, octets: bytes, number: int) -> Answer | None:
        """Give the server's name."""
        size = 2 + int.from_bytes(octets[:2], "big")
        if len(octets) < max(3, size):
            return None
        message = octets[2:size]
        if not answers(message, self._identity(number), self._question()):
            raise ParseError("the answer is not to our question")
        reply = decode_reply(message)
        if isinstance(reply, NoReply):
            raise ParseError(f"the answer cannot be decoded: {reply.reason}")
        return Answer(reply.server)

    def _identity(self, number: int) -> bytes:
        return ((self.salt + number) % 65_536).to_bytes(2, "big")

    def _question(self) -> bytes:
        return encode_question(self.name, _TXT, CHAOS)


PORTS: Final = MappingProxyType({("dns", False): 53, ("dns", True): 853, ("http", False): 80, ("http", True): 443})
"""What is spoken, and whether over TLS -> the port that it has by default; text has none."""
