"""RIS Live: messages of RIPE's collectors as JSON over a WebSocket (https://ris-live.ripe.net/manual/).

Two readings of one message. `decode_head` reads only what tells whether it concerns anybody: its kind, time, peer and
prefixes; a few in a thousand then need `decode_update`, which reads all. What a message should not be is returned as
`Garbage`, never raised: the stream goes on.
"""

import re
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from anycastle.base.errors import ParseError
from anycastle.base.limits import MESSAGE_MAX_EXTENDED
from anycastle.model.asn import ASN, parse_asn
from anycastle.model.community import LargeCommunity, StandardCommunity
from anycastle.wire.bgp.as_path import SEGMENT_MAX, ASPath, Segment, SegmentKind
from anycastle.wire.bgp.codec import CodecOptions, decode_message
from anycastle.wire.bgp.errors import NotificationError
from anycastle.wire.bgp.message import Update

FRAME_BYTES_MAX: Final = 4 * MESSAGE_MAX_EXTENDED
"""Octets of one JSON message: a BGP message of the largest size as hexadecimal digits, and as much again for words."""

_TIMESTAMP_MAX: Final = 1e11  # the year 5138; what is beyond is not a time in seconds


@dataclass(frozen=True, slots=True)
class Garbage:
    """What came is not a message of RIS Live, and why."""

    reason: str


class _Announcement(msgspec.Struct, gc=False):
    next_hop: str = ""
    prefixes: list[str] = []


class _Data(msgspec.Struct, gc=False):  # without cycles, and made by the hundred thousand a second
    timestamp: float = 0.0
    peer: str = ""
    peer_asn: str | int = ""
    host: str = ""
    type: str = ""
    state: str = ""
    message: str = ""
    announcements: list[_Announcement] = []
    withdrawals: list[str] = []


class Head(msgspec.Struct, gc=False):
    """What every message is read for."""

    type: str
    data: _Data = msgspec.field(default_factory=_Data)


class _UpdateData(msgspec.Struct):
    path: list[int | list[int]] = []
    community: list[list[int]] = []
    raw: str = ""


class _UpdateFrame(msgspec.Struct):
    data: _UpdateData


@dataclass(frozen=True, slots=True)
class UpdateDetail:
    """What of an UPDATE is read only for routes that concern somebody."""

    path: ASPath
    communities: frozenset[StandardCommunity | LargeCommunity]
    only_to_customer: ASN | None
    """From the raw message, where the feed sends it."""


_HEAD: Final = msgspec.json.Decoder(Head)
_UPDATE: Final = msgspec.json.Decoder(_UpdateFrame)
_OCTETS: Final = re.compile(r"(?:[0-9A-Fa-f]{2})+")


def decode_head(octets: bytes | str) -> Head | Garbage:
    """Read a message's kind, peer and prefixes."""
    if len(octets) > FRAME_BYTES_MAX:
        return Garbage(f"{len(octets)} octets; a message has at most {FRAME_BYTES_MAX}")
    try:
        return _HEAD.decode(octets)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        return Garbage(str(error))


def is_time(seconds: float) -> bool:
    """Tell whether a number can be a message's time."""
    return 0.0 <= seconds < _TIMESTAMP_MAX


def decode_update(octets: bytes | str) -> UpdateDetail | Garbage:
    """Read an UPDATE's path, communities and, where the raw message is there, what JSON does not carry."""
    try:
        data = _UPDATE.decode(octets).data
        path = parse_path(data.path)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ParseError) as error:
        return Garbage(str(error))
    communities: set[StandardCommunity | LargeCommunity] = set()
    for parts in data.community:
        community = _community(parts)
        if community is None:
            return Garbage(f"{parts} is no community")
        communities.add(community)
    only_to_customer = None
    raw = _decode_raw(data.raw)
    if raw is not None:
        only_to_customer = raw.attributes.only_to_customer
        communities.update(raw.attributes.large_communities)
    return UpdateDetail(path, frozenset(communities), only_to_customer)


def parse_path(members: list[Any]) -> ASPath:
    """Give the path of a list of ASNs in which a list stands for a set. Raises `ParseError`."""
    segments: list[Segment] = []
    run: list[ASN] = []
    for member in members:
        if isinstance(member, list):
            if run:
                segments.append(Segment(SegmentKind.SEQUENCE, tuple(run)))
                run = []
            if member:
                segments.append(Segment(SegmentKind.SET, tuple(parse_asn(asn) for asn in member[:SEGMENT_MAX])))
        else:
            run.append(parse_asn(member))
    if run:
        segments.append(Segment(SegmentKind.SEQUENCE, tuple(run)))
    return ASPath(tuple(segments))


def _community(parts: list[int]) -> StandardCommunity | LargeCommunity | None:
    if len(parts) == 2 and all(0 <= part <= 0xFFFF for part in parts):
        return StandardCommunity(*parts)
    if len(parts) == 3 and all(0 <= part <= 0xFFFFFFFF for part in parts):
        return LargeCommunity(*parts)
    return None


def _decode_raw(digits: str) -> Update | None:
    """Give the message that the feed sent along; None where it sent none, or one that cannot be read."""
    if len(digits) > 2 * MESSAGE_MAX_EXTENDED or not _OCTETS.fullmatch(digits):
        return None
    try:
        message = decode_message(bytes.fromhex(digits), CodecOptions(four_octet_asn=True))
    except NotificationError:
        return None
    return message if isinstance(message, Update) else None


PING: Final = '{"type":"ping"}'
"""Asks for a `pong`, so that a calm feed can be told from a dead one."""


def subscription(prefix: str, *, raw: bool = True) -> bytes:
    """Give the request for a prefix, its more-specifics and the routes that cover it."""
    return msgspec.json.encode(
        {
            "type": "ris_subscribe",
            "data": {
                "prefix": prefix,
                "moreSpecific": True,
                "lessSpecific": True,
                "socketOptions": {"includeRaw": raw, "acknowledge": True},
            },
        }
    )
