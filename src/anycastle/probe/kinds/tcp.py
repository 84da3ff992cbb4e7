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
    """A connection that was open; `reply` is what came, cut at `REPLY_OCTETS_MAX`."""

    reply: bytes = b""

    def identities(self) -> tuple[tuple[str, str], ...]:
        """Give the greeting, in which many servers name themselves."""
        text = self.reply.partition(b"\n")[0].strip().decode("ascii", "backslashreplace")
        return (("greeting", text),) if text else ()


def judge(ask: TCPAsk, seen: TCPSeen) -> Failure | None:
    """Give what is wrong with the reply."""
    if ask.expect is None or ask.expect in seen.reply:
        return None
    words = f"{shown(seen.reply)} came, expected {shown(ask.expect)}"
    return Failure(FailureKind.CONTENT, "answer", words)


def shown(octets: bytes) -> str:
    """Give the first octets, readable."""
    return repr(octets[:SHOWN_OCTETS])[1:] if octets else "nothing"
