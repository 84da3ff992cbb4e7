"""A PoP's assignment as octets: the fleet that it is to live by, whole, and always the same octets for the same fleet.

There is no secret in it: keys are in files of the PoP, and an assignment names at most these.
"""

from hashlib import sha256
from typing import Any, Final

import msgspec

from anycastle.base.errors import ParseError
from anycastle.io.model_values import from_plain, to_plain
from anycastle.model.fleet import Fleet

VERSION: Final = 1
"""Raised when what is written means something else; what is not known is refused, never guessed."""

DIGEST_DIGITS: Final = 32
"""Hexadecimal digits of SHA-256 that are kept: 128 bits tell assignments apart."""


def encode(fleet: Fleet) -> bytes:
    """Give the assignment of a PoP as octets."""
    plain = to_plain(fleet)
    del plain["notify"]  # who is told is none of a PoP's business; an agent of an earlier release knows no such part
    return msgspec.json.encode({"version": VERSION, "fleet": plain})


def decode(octets: bytes) -> Fleet:
    """Give the fleet of an assignment. Raises `ParseError`, with the place of what is wrong."""
    try:
        told: Any = msgspec.json.decode(octets)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise ParseError(f"an assignment is JSON: {error}") from error
    version = told.get("version") if isinstance(told, dict) else None
    if version != VERSION:
        raise ParseError(f"an assignment of version {version!r}, and this release reads version {VERSION}")
    fleet: Fleet = from_plain(Fleet, told.get("fleet"), "fleet")
    if len(fleet.pops) != 1:
        raise ParseError(f"fleet.pops: an assignment is for one PoP, and not for {len(fleet.pops)}")
    return fleet


def digest(octets: bytes) -> str:
    """Give what tells an assignment from others."""
    return sha256(octets).hexdigest()[:DIGEST_DIGITS]
