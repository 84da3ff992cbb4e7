"""TCP: connect, and on request exchange a few octets."""

from dataclasses import dataclass, field
from typing import Final

from anycastle.probe.result import Failure, FailureKind, Observation

REPLY_OCTETS_MAX: Final = 65_536
SHOWN_OCTETS: Final = 60


@dataclass(frozen=True, slots=True)
class TCPAsk:
    """A connection. With `send` or `expect`, also what is said on it."""

    send: bytes | None = None
    expect: bytes | None = None
    kind: str = field(default="tcp", init=False)


@dataclass(frozen=True, slots=True)
class TCPSeen(Observation):
    """A connection that was open; `reply` is what came, up to `REPLY_OCTETS_MAX`, an octet a character (ISO 8859-1)."""

    reply: str = ""

    def identities(self) -> tuple[tuple[str, str], ...]:
        """Give the greeting, in which many servers name themselves."""
        text = self.reply.partition("\n")[0].strip()
        return (("greeting", text),) if text else ()


def judge(ask: TCPAsk, seen: TCPSeen) -> Failure | None:
    """Give what is wrong with the reply."""
    reply = seen.reply.encode("latin-1")
    if ask.expect is None or ask.expect in reply:
        return None
    words = f"{shown(reply)} came, expected {shown(ask.expect)}"
    return Failure(FailureKind.CONTENT, "answer", words)


def shown(octets: bytes) -> str:
    """Give the first octets, readable."""
    return repr(octets[:SHOWN_OCTETS])[1:] if octets else "nothing"
