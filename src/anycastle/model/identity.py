"""Who a certificate speaks for: a PoP's agent, or a controller, of one fleet."""

import re
from dataclasses import dataclass
from enum import Enum
from typing import Final

from anycastle.base.errors import ParseError


class Role(Enum):
    """What a process is; the value stands in the identity's text."""

    POP = "pop"
    CONTROLLER = "controller"


@dataclass(frozen=True, slots=True)
class Identity:
    """An identity, written `anycastle://FLEET/pop/NAME` or `anycastle://FLEET/controller/NAME`."""

    fleet: str
    role: Role
    name: str

    def __str__(self) -> str:
        return f"{SCHEME}{self.fleet}/{self.role.value}/{self.name}"


SCHEME: Final = "anycastle://"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")  # as the fleet's files have it


def parse_identity(text: str) -> Identity:
    """Parse an identity. Raises `ParseError`."""
    parts = text.removeprefix(SCHEME).split("/") if text.startswith(SCHEME) else []
    if len(parts) != 3 or parts[1] not in [role.value for role in Role]:
        raise ParseError(f"{text!r} is no identity such as anycastle://FLEET/pop/NAME")
    return Identity(require_name(parts[0]), Role(parts[1]), require_name(parts[2]))


def require_name(text: str) -> str:
    """Give a name that can stand in an identity. Raises `ParseError`."""
    if not _NAME.fullmatch(text):
        raise ParseError(f"{text!r} can not stand in a certificate: letters, digits, '.', '_' and '-', at most 63")
    return text
