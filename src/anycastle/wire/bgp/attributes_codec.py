"""The path attributes of one UPDATE: octets to values with their faults, and back.

A malformed attribute does not end the session by itself. Each becomes an `AttributeFault` with the action of RFC 7606;
the caller learns of the most severe one from the UPDATE. Only where the routes themselves cannot be told any more
does decoding raise `NotificationError`.
"""

from dataclasses import replace
from typing import Any, Final

from anycastle.base.errors import MisuseError
from anycastle.wire.bgp.as4 import as4_aggregator_of, as4_path_of, merge
from anycastle.wire.bgp.attribute_codec import AttributeCodec
from anycastle.wire.bgp.attributes import (
    FLAG_EXTENDED_LENGTH,
    FLAG_OPTIONAL,
    FLAG_PARTIAL,
    FLAG_TRANSITIVE,
    NO_ATTRIBUTES,
    PathAttributes,
    UnknownAttribute,
)
from anycastle.wire.bgp.error_codes import ErrorCode, UpdateSubcode
from anycastle.wire.bgp.errors import Action, AttributeFault, Malformed, NotificationError
from anycastle.wire.bgp.options import CodecOptions
from anycastle.wire.bgp.table import ATTRIBUTES, BY_CODE

_KIND_FLAGS: Final = FLAG_OPTIONAL | FLAG_TRANSITIVE
_KEPT_FLAGS: Final = _KIND_FLAGS | FLAG_PARTIAL
_MP_REACH: Final = 14
_MP_UNREACH: Final = 15
_MANDATORY: Final = (("origin", 1), ("as_path", 2))
_NEXT_HOP: Final = ("next_hop", 3)
_WRITTEN_FIRST: Final = (BY_CODE[_MP_REACH], BY_CODE[_MP_UNREACH])
_WRITTEN_AFTER: Final = tuple(codec for codec in ATTRIBUTES if codec not in _WRITTEN_FIRST)


class _Reading:
    """What has been read of one message's attributes."""

    __slots__ = ("faults", "partial", "seen", "unknown", "values")

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.faults: list[AttributeFault] = []
        self.seen: set[int] = set()
        self.partial: list[int] = []
        self.unknown: list[UnknownAttribute] = []

    def fault(self, code: int, action: Action, what: str, subcode: int, data: bytes) -> None:
        self.faults.append(AttributeFault(code, action, what, subcode, data))


def decode_attributes(
    octets: bytes, options: CodecOptions, *, has_nlri: bool
) -> tuple[PathAttributes, tuple[AttributeFault, ...]]:
    """Decode the Path Attributes field; `has_nlri` tells that the message's NLRI field holds routes.

    Raises `NotificationError` (3/x) for what RFC 7606 §3, §5.2 and §7 answer with a session reset.
    """
    if not octets and not has_nlri:
        return NO_ATTRIBUTES, ()
    reading = _Reading()
    position, end = 0, len(octets)
    while position < end:
        flags = octets[position]
        extended = flags & FLAG_EXTENDED_LENGTH
        start = position + (4 if extended else 3)
        if start <= end:
            length = octets[start - 2] << 8 | octets[start - 1] if extended else octets[start - 1]
        if start > end or start + length > end:  # RFC 7606 §4
            code = octets[position + 1] if position + 1 < end else 0
            what, data = "the attribute runs over the end of the field", octets[position:]
            subcode = UpdateSubcode.ATTRIBUTE_LENGTH_ERROR
            reading.fault(code, Action.TREAT_AS_WITHDRAW, what, subcode, data)
            break
        _read(reading, octets[position : start + length], octets[start : start + length], options)
        position = start + length
    return _finish(reading, options, has_nlri=has_nlri)


def _read(reading: _Reading, octets: bytes, value: bytes, options: CodecOptions) -> None:
    flags, code = octets[0], octets[1]
    if code in reading.seen:
        _repeated(reading, code, octets)
        return
    reading.seen.add(code)
    codec = BY_CODE.get(code)
    if codec is None:
        if not flags & FLAG_OPTIONAL:
            subcode = UpdateSubcode.UNRECOGNIZED_WELL_KNOWN_ATTRIBUTE
            raise _reset(subcode, octets, f"well-known attribute {code} is not known")
        reading.unknown.append(UnknownAttribute(code, flags & _KEPT_FLAGS, value))
        return
    decoded = codec.decode(value, options)
    if isinstance(decoded, Malformed):
        _malformed(reading, codec, decoded, octets)
    else:
        reading.values[codec.field] = decoded
        if flags & FLAG_PARTIAL and codec.flags == _KIND_FLAGS:
            reading.partial.append(code)
    if (flags ^ codec.flags) & _KIND_FLAGS:  # RFC 7606 §3 c; the value is kept, for the routes in MP_REACH_NLRI
        what = f"{codec.name} with flags {flags:#04x}"
        reading.fault(code, Action.TREAT_AS_WITHDRAW, what, UpdateSubcode.ATTRIBUTE_FLAGS_ERROR, octets)


def _repeated(reading: _Reading, code: int, octets: bytes) -> None:
    if code in (_MP_REACH, _MP_UNREACH):  # RFC 7606 §3 g
        raise _reset(UpdateSubcode.MALFORMED_ATTRIBUTE_LIST, b"", f"{BY_CODE[code].name} twice")
    what, subcode = "the attribute is repeated; the first one counts", UpdateSubcode.MALFORMED_ATTRIBUTE_LIST
    reading.fault(code, Action.DISCARD_ATTRIBUTE, what, subcode, octets)


def _malformed(reading: _Reading, codec: AttributeCodec[Any], malformed: Malformed, octets: bytes) -> None:
    action = codec.on_error if malformed.action is None else malformed.action
    if action is Action.SESSION_RESET:
        raise _reset(malformed.subcode, octets, malformed.what)
    reading.faults.append(
        AttributeFault(codec.code, action, malformed.what, malformed.subcode, octets, malformed.family)
    )


def _finish(
    reading: _Reading, options: CodecOptions, *, has_nlri: bool
) -> tuple[PathAttributes, tuple[AttributeFault, ...]]:
    values = reading.values
    if not options.four_octet_asn:
        values["as_path"], values["aggregator"] = merge(
            values.get("as_path"),
            values.get("aggregator"),
            values.pop("as4_path", None),
            values.pop("as4_aggregator", None),
        )
    reach = values.get("mp_reach")
    reachable = has_nlri or (reach is not None and bool(reach.nlri or reach.opaque))
    if reachable:
        _check_presence(reading, has_nlri=has_nlri)
    if reading.faults and reach is not None and not has_nlri:
        _forgive_next_hop(reading)
    _check_first_asn(reading, options)
    if reading.faults and not reachable:
        _refuse_without_routes(reading)
    if reading.unknown:
        values["unknown"] = tuple(sorted(reading.unknown, key=lambda attribute: attribute.code))
    if reading.partial:
        values["partial"] = frozenset(reading.partial)
    return PathAttributes(**values), tuple(reading.faults)


def _check_presence(reading: _Reading, *, has_nlri: bool) -> None:
    for _, code in (*_MANDATORY, _NEXT_HOP) if has_nlri else _MANDATORY:
        if code not in reading.seen:  # RFC 7606 §3 d
            what, subcode = f"{BY_CODE[code].name} is missing", UpdateSubcode.MISSING_WELL_KNOWN_ATTRIBUTE
            reading.fault(code, Action.TREAT_AS_WITHDRAW, what, subcode, bytes((code,)))


def _forgive_next_hop(reading: _Reading) -> None:
    """Discard a malformed NEXT_HOP beside multiprotocol routes alone, which do not use it (RFC 4760 §3)."""
    reading.faults = [
        replace(fault, action=Action.DISCARD_ATTRIBUTE) if fault.code == _NEXT_HOP[1] else fault
        for fault in reading.faults
    ]


def _check_first_asn(reading: _Reading, options: CodecOptions) -> None:
    path = reading.values.get("as_path")
    if options.first_asn is None or path is None or path.first == options.first_asn:
        return
    what = f"AS_PATH starts with {path.first}, not with the neighbour's {options.first_asn}"
    reading.fault(2, Action.TREAT_AS_WITHDRAW, what, UpdateSubcode.MALFORMED_AS_PATH, b"")


def _refuse_without_routes(reading: _Reading) -> None:
    """Reset where an error is more than discarded and no route was read: the routes may be in what is malformed."""
    worst = max(reading.faults, key=lambda fault: fault.action)
    if worst.action is Action.TREAT_AS_WITHDRAW:  # RFC 7606 §5.2
        raise _reset(worst.subcode, worst.data, f"{worst}, in a message without readable routes")


def _reset(subcode: int, data: bytes, text: str) -> NotificationError:
    return NotificationError(ErrorCode.UPDATE_MESSAGE_ERROR, subcode, data, text)


def encode_attributes(attributes: PathAttributes, options: CodecOptions) -> bytes:
    """Encode the Path Attributes field: multiprotocol routes first (RFC 7606 §5.1), then by type code."""
    parts: list[bytes] = []
    for codec in _WRITTEN_FIRST:
        value = getattr(attributes, codec.field)
        if value is not None:
            parts.append(_encode(codec, value, attributes, options))
    derived = (
        {}
        if options.four_octet_asn
        else {
            "as4_path": as4_path_of(attributes.as_path),
            "as4_aggregator": as4_aggregator_of(attributes.aggregator),
        }
    )
    others: list[tuple[int, bytes]] = []
    for codec in _WRITTEN_AFTER:
        value = derived.get(codec.field) if codec.field.startswith("as4_") else getattr(attributes, codec.field)
        if value is not None and value is not False and value != ():
            others.append((codec.code, _encode(codec, value, attributes, options)))
    if attributes.unknown:
        others.extend((each.code, _frame(each.flags, each.code, each.value)) for each in attributes.unknown)
        others.sort(key=lambda other: other[0])
    parts.extend([octets for _, octets in others])
    return b"".join(parts)


def _encode(codec: AttributeCodec[Any], value: object, attributes: PathAttributes, options: CodecOptions) -> bytes:
    flags = codec.flags | FLAG_PARTIAL if codec.code in attributes.partial else codec.flags
    return _frame(flags, codec.code, codec.encode(value, options))


def _frame(flags: int, code: int, value: bytes) -> bytes:
    length = len(value)
    if length <= 0xFF:
        return bytes((flags, code, length)) + value
    if length > 0xFFFF:
        raise MisuseError(f"attribute {code} of {length} octets does not fit its two-octet length")
    return bytes((flags | FLAG_EXTENDED_LENGTH, code)) + length.to_bytes(2) + value
