"""Messages of the link to octets and back.

A kind that this release does not know comes back as `Unknown`: a later one may say more, and what is not understood is
not acted on. Everything else that does not fit its shape raises `LinkError`, which ends the session.
"""

from dataclasses import dataclass
from typing import Final, TypeVar

import msgspec

from anycastle.base.errors import AnycastleError, MisuseError
from anycastle.wire.link.limits import MESSAGE_OCTETS_MAX
from anycastle.wire.link.message import AgentMessage, ControllerMessage, Message

T = TypeVar("T")


class LinkError(AnycastleError):
    """The other side said what it may not; the session ends, and the message is told to it."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """A message of a kind that is not known."""

    kind: str


class _Head(msgspec.Struct):
    kind: str


_AGENT: Final = msgspec.json.Decoder(AgentMessage)
_CONTROLLER: Final = msgspec.json.Decoder(ControllerMessage)
_HEAD: Final = msgspec.json.Decoder(_Head)
_ENCODER: Final = msgspec.json.Encoder()
_AGENT_KINDS: Final = frozenset(shape.__struct_config__.tag for shape in AgentMessage.__args__)
_CONTROLLER_KINDS: Final = frozenset(shape.__struct_config__.tag for shape in ControllerMessage.__args__)

KIND_CHARACTERS_MAX: Final = 64
WORDS_MAX: Final = 300
"""Characters of what is wrong with a message, as it is told."""


def encode_message(message: Message) -> bytes:
    """Give a message as JSON. Raises `MisuseError` for one that is longer than a message may be."""
    octets = _ENCODER.encode(message)
    if len(octets) > MESSAGE_OCTETS_MAX:
        raise MisuseError(f"a {type(message).__name__} of {len(octets)} octets; at most {MESSAGE_OCTETS_MAX} are sent")
    return octets


def decode_agent(octets: bytes) -> AgentMessage | Unknown:
    """Give what an agent said. Raises `LinkError`."""
    return _decode(octets, _AGENT, _AGENT_KINDS)


def decode_controller(octets: bytes) -> ControllerMessage | Unknown:
    """Give what a controller said. Raises `LinkError`."""
    return _decode(octets, _CONTROLLER, _CONTROLLER_KINDS)


def _decode(octets: bytes, decoder: "msgspec.json.Decoder[T]", kinds: frozenset[object]) -> T | Unknown:
    if len(octets) > MESSAGE_OCTETS_MAX:
        raise LinkError(f"a message of {len(octets)} octets; at most {MESSAGE_OCTETS_MAX} are read")
    try:
        return decoder.decode(octets)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        kind = _kind(octets)
        if kind is not None and kind not in kinds:
            return Unknown(kind[:KIND_CHARACTERS_MAX])
        raise LinkError(f"a message that cannot be read: {_short(str(error))}") from error


def _short(words: str) -> str:
    """Give the words without their middle: what is wrong stands at the beginning, and where at the end."""
    return words if len(words) <= WORDS_MAX else f"{words[: WORDS_MAX // 2]} … {words[-WORDS_MAX // 2 :]}"


def _kind(octets: bytes) -> str | None:
    try:
        return _HEAD.decode(octets).kind
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
