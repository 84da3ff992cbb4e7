"""Replies of the `!` protocol: octets <-> values, with the framing.

`A<length>`, as many octets, `C`: data. `C` alone: done, and nothing to tell. `D`: there is no such key. `E`: more than
one object has the key. `F <words>`: refused. Source: the IRRd manual, "Query responses".
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from anycastle.wire.irr.printable import printable

REPLY_OCTETS_MAX: Final = 64 << 20
"""Octets of one reply: three times the longest that IRRd's manual speaks of."""

LINE_OCTETS_MAX: Final = 4096
"""Octets of a line with a reply's code: words of a refusal."""

_DIGITS_MAX: Final = 10


class IRRError(Exception):
    """The server does not speak the protocol; nothing on this connection can be trusted any more."""


@dataclass(frozen=True, slots=True)
class Data:
    """`A`: what was asked for."""

    text: str

    @property
    def items(self) -> tuple[str, ...]:
        """The words of it: ASNs, names, prefixes."""
        return tuple(self.text.split())


@dataclass(frozen=True, slots=True)
class Nothing:
    """`C`: done, without data."""


@dataclass(frozen=True, slots=True)
class NoSuchKey:
    """`D`: there is no such object, or it holds nothing of what was asked for."""


@dataclass(frozen=True, slots=True)
class ManyKeys:
    """`E`: there is more than one."""


@dataclass(frozen=True, slots=True)
class Refused:
    """`F`: the server does not understand, or does not want to."""

    why: str


Reply = Data | Nothing | NoSuchKey | ManyKeys | Refused

_BARE: Final[dict[bytes, Reply]] = {b"C": Nothing(), b"D": NoSuchKey(), b"E": ManyKeys()}


def encode_reply(reply: Reply) -> bytes:
    """Give the octets of a reply."""
    match reply:
        case Data(text):
            octets = text.encode() + b"\n"
            return b"A%d\n%bC\n" % (len(octets), octets)
        case Refused(why):
            return b"F %b\n" % " ".join(why.split()).encode()[: LINE_OCTETS_MAX - 8]
    return next(code for code, each in _BARE.items() if each == reply) + b"\n"


class ReplyFramer:
    """Cuts a stream into replies. Holds at most one that is not whole."""

    def __init__(self, longest: int = REPLY_OCTETS_MAX) -> None:
        self._octets = bytearray()
        self._longest = longest
        self._wanted: int | None = None
        """Octets of the data that are coming, without the code after them."""

    @property
    def midway(self) -> bool:
        """Whether a reply has begun and is not whole."""
        return bool(self._octets) or self._wanted is not None

    def feed(self, octets: bytes) -> None:
        """Take octets, cut anywhere."""
        self._octets += octets

    def __iter__(self) -> Iterator[Reply]:
        """Give the replies that are whole. Raises `IRRError` for what is none."""
        while (reply := self._next()) is not None:
            yield reply

    def _next(self) -> Reply | None:
        if self._wanted is None:
            line = self._line(0)
            if line is None:
                return None
            if not line.startswith(b"A"):
                self._drop(line)
                return _coded(line.rstrip(b"\r"))
            self._wanted = _length(line.rstrip(b"\r"), self._longest)
            self._drop(line)
        if len(self._octets) <= self._wanted:
            return None
        end = self._line(self._wanted)
        if end is None:
            return None
        if end.rstrip(b"\r") != b"C":
            raise IRRError(f"{end[:20]!r} after {self._wanted} octets of data, where a C ends them")
        text = self._octets[: self._wanted].decode("utf-8", "replace").rstrip("\r\n")
        del self._octets[: self._wanted + len(end) + 1]
        self._wanted = None
        return Data(text)

    def _line(self, start: int) -> bytes | None:
        end = self._octets.find(b"\n", start, start + LINE_OCTETS_MAX)
        if end < 0:
            if len(self._octets) - start >= LINE_OCTETS_MAX:
                raise IRRError(f"a line of more than {LINE_OCTETS_MAX} octets")
            return None
        return bytes(self._octets[start:end])

    def _drop(self, line: bytes) -> None:
        del self._octets[: len(line) + 1]


def _coded(line: bytes) -> Reply:
    if line in _BARE:
        return _BARE[line]
    if line[:1] == b"F":
        return Refused(printable(line[1:].strip().decode("utf-8", "replace")))
    raise IRRError(f"{line[:40]!r} is no reply")


def _length(line: bytes, longest: int) -> int:
    digits = line[1:]
    if not digits.isdigit() or len(digits) > _DIGITS_MAX:
        raise IRRError(f"{line[:40]!r} gives no length")
    if int(digits) > longest:
        raise IRRError(f"a reply of {int(digits)} octets; {longest} are the most that are taken")
    return int(digits)
