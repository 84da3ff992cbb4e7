"""The shape of every path attribute's codec: what its file states, and the table lists."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from anycastle.wire.bgp.attributes import FLAG_OPTIONAL, FLAG_TRANSITIVE
from anycastle.wire.bgp.errors import Action, Malformed
from anycastle.wire.bgp.options import CodecOptions

WELL_KNOWN = FLAG_TRANSITIVE
OPTIONAL_TRANSITIVE = FLAG_OPTIONAL | FLAG_TRANSITIVE
OPTIONAL_NON_TRANSITIVE = FLAG_OPTIONAL

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class AttributeCodec(Generic[Value]):
    """How one attribute is read, written, and survived when malformed.

    `field` names its place in `PathAttributes`. `on_error` is what RFC 7606 does about a malformed one, where the
    `Malformed` that `decode` gives does not say otherwise.
    """

    code: int
    name: str
    field: str
    flags: int
    on_error: Action
    decode: Callable[[bytes, CodecOptions], Value | Malformed]
    encode: Callable[[Value, CodecOptions], bytes]
