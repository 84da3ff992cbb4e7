"""What can be wrong with what a peer sends: a fault that the session survives, or the error that ends it."""

from dataclasses import dataclass
from enum import IntEnum

from anycastle.base.errors import AnycastleError
from anycastle.wire.bgp.family import AFISAFI


class NotificationError(AnycastleError):
    """The peer sent what ends the session; answer with this code, subcode and data (RFC 4271 §6)."""

    def __init__(self, code: int, subcode: int, data: bytes, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.subcode = subcode
        self.data = data
        self.text = text


class Action(IntEnum):
    """What a malformed attribute leads to, mildest first (RFC 7606 §2). The most severe of a message wins."""

    DISCARD_ATTRIBUTE = 1
    TREAT_AS_WITHDRAW = 2
    DISABLE_FAMILY = 3
    SESSION_RESET = 4


@dataclass(frozen=True, slots=True)
class AttributeFault:
    """What was wrong with one attribute and what RFC 7606 does about it.

    `subcode` and `data` are those of the UPDATE Message Error that a reset would send; `family` is set where the
    fault is of one family's routes (DISABLE_FAMILY).
    """

    code: int
    action: Action
    what: str
    subcode: int = 0
    data: bytes = b""
    family: AFISAFI | None = None

    def __str__(self) -> str:
        return f"attribute {self.code}: {self.what} ({self.action.name.lower().replace('_', '-')})"


@dataclass(frozen=True, slots=True)
class Malformed:
    """What a decoder gives in place of a value; `action` and `family` where they are not the attribute's usual ones."""

    what: str
    subcode: int
    action: Action | None = None
    family: AFISAFI | None = None
