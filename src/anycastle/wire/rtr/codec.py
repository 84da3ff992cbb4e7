"""RTR octets <-> PDUs, with the framing (RFC 8210 §5)."""

import struct
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Final

from anycastle.base.errors import MisuseError
from anycastle.model.asn import ASN
from anycastle.model.prefix import Family, Prefix
from anycastle.model.rpki import ASPA, VRP
from anycastle.wire.rtr.pdu import (
    ASPAPDU,
    PDU,
    CacheReset,
    CacheResponse,
    EndOfData,
    ErrorCode,
    ErrorReport,
    Intervals,
    PDUType,
    PrefixPDU,
    ResetQuery,
    RouterKey,
    SerialNotify,
    SerialQuery,
)

VERSION_MAX: Final = 2
HEADER_OCTETS: Final = 8
PDU_OCTETS_MAX: Final = 1 << 16
"""Octets of a PDU: an ASPA of 16,000 providers; RFC 8210 names no bound, and an error report holds another PDU."""

_HEADER: Final = struct.Struct("!BBHI")
_SERIAL: Final = struct.Struct("!I")
_INTERVALS: Final = struct.Struct("!IIII")
_PREFIX: Final = struct.Struct("!BBBB")
_ANNOUNCE: Final = 1
_LEAST_VERSION: Final = {PDUType.ROUTER_KEY: 1, PDUType.ASPA: 2}


class RTRError(Exception):
    """The other side broke the protocol: the session ends with an Error Report of this code (§12)."""

    def __init__(self, code: ErrorCode, text: str, pdu: bytes = b"") -> None:
        super().__init__(f"{code}: {text}")
        self.code = code
        self.text = text
        self.pdu = pdu


class Framer:
    """Cuts a stream into PDUs. Holds at most one that is not whole."""

    def __init__(self) -> None:
        self._octets = bytearray()

    def feed(self, octets: bytes) -> None:
        """Take octets, cut anywhere."""
        self._octets += octets

    def __iter__(self) -> Iterator[bytes]:
        """Give the PDUs that are whole. Raises `RTRError` for a length that cannot be."""
        octets, at = self._octets, 0
        try:
            while len(octets) - at >= HEADER_OCTETS:
                length = int.from_bytes(octets[at + 4 : at + 8], "big")
                if not HEADER_OCTETS <= length <= PDU_OCTETS_MAX:
                    header = bytes(octets[at : at + HEADER_OCTETS])
                    raise RTRError(ErrorCode.CORRUPT_DATA, f"a PDU of {length} octets", header)
                if len(octets) - at < length:
                    return
                at += length
                yield bytes(octets[at - length : at])
        finally:
            del octets[:at]


def decode_pdu(octets: bytes) -> tuple[int, PDU]:
    """Give the version and the PDU of octets that hold one whole. Raises `RTRError`."""
    version, kind, field, length = _HEADER.unpack_from(octets)
    assert length == len(octets)
    if version > VERSION_MAX:
        raise RTRError(ErrorCode.UNSUPPORTED_VERSION, f"version {version}; the highest known is {VERSION_MAX}", octets)
    decode = _DECODERS.get(kind)
    if decode is None or version < _LEAST_VERSION.get(PDUType(kind), 0):
        raise RTRError(ErrorCode.UNSUPPORTED_PDU_TYPE, f"type {kind} in version {version}", octets)
    try:
        return version, decode(version, field, octets[HEADER_OCTETS:])
    except (struct.error, ValueError, MisuseError) as error:
        text = f"{PDUType(kind).name} of {length} octets: {error}"
        raise RTRError(ErrorCode.CORRUPT_DATA, text, octets) from error


def encode_pdu(pdu: PDU, version: int) -> bytes:
    """Give the octets of a PDU. Raises `MisuseError` for one that the version does not have."""
    kind, field, body = _encoded(pdu, version)
    if version < _LEAST_VERSION.get(kind, 0):
        raise MisuseError(f"version {version} of RTR has no {kind.name}")
    return _HEADER.pack(version, kind, field, HEADER_OCTETS + len(body)) + body


def _exactly(octets: bytes, length: int) -> None:
    if len(octets) != length:
        raise ValueError(f"{length + HEADER_OCTETS} octets were expected")


def _serial(octets: bytes) -> int:
    _exactly(octets, 4)
    return int.from_bytes(octets, "big")


def _end_of_data(version: int, session_id: int, octets: bytes) -> EndOfData:
    if version == 0:
        return EndOfData(session_id, _serial(octets))
    _exactly(octets, 16)
    serial, refresh_s, retry_s, expire_s = _INTERVALS.unpack(octets)
    return EndOfData(session_id, serial, Intervals(refresh_s, retry_s, expire_s))


def _bare(pdu: PDU) -> Callable[[int, int, bytes], PDU]:
    def decode(_version: int, _field: int, octets: bytes) -> PDU:
        _exactly(octets, 0)
        return pdu

    return decode


def _cache_response(_version: int, session_id: int, octets: bytes) -> CacheResponse:
    _exactly(octets, 0)
    return CacheResponse(session_id)


def _prefix(family: Family) -> Callable[[int, int, bytes], PrefixPDU]:
    address = family.bits // 8

    def decode(_version: int, _field: int, octets: bytes) -> PrefixPDU:
        _exactly(octets, 8 + address)
        flags, length, max_length, _ = _PREFIX.unpack_from(octets)
        prefix = Prefix(family, int.from_bytes(octets[4 : 4 + address], "big"), length)
        if not length <= max_length <= family.bits:
            raise ValueError(f"{prefix} with a maximum length of {max_length}")
        asn = ASN(int.from_bytes(octets[4 + address :], "big"))
        return PrefixPDU(bool(flags & _ANNOUNCE), VRP(prefix, max_length, asn))

    return decode


def _router_key(_version: int, field: int, octets: bytes) -> RouterKey:
    asn = ASN(int.from_bytes(octets[20:24], "big"))
    if len(octets) < 24:
        raise ValueError("it is too short")
    return RouterKey(bool(field >> 8 & _ANNOUNCE), octets[:20], asn, octets[24:])


def _aspa(_version: int, field: int, octets: bytes) -> ASPAPDU:
    flags = field >> 8
    if field == 0 and len(octets) >= 8 and len(octets) == 8 + 4 * int.from_bytes(octets[2:4], "big"):
        flags, octets = octets[0], octets[4:]  # up to 8210bis-13: flags, families and a count before the customer
    if len(octets) < 4 or len(octets) % 4:
        raise ValueError("it holds no whole list of ASNs")
    customer, *providers = (ASN(int.from_bytes(octets[at : at + 4], "big")) for at in range(0, len(octets), 4))
    announced = bool(flags & _ANNOUNCE)
    if announced is not bool(providers):
        raise ValueError("an announcement has providers, a withdrawal has none")
    return ASPAPDU(announced, ASPA(customer, frozenset(providers)))


def _error_report(_version: int, code: int, octets: bytes) -> ErrorReport:
    held = _SERIAL.unpack_from(octets)[0]
    said = _SERIAL.unpack_from(octets, 4 + held)[0]
    _exactly(octets, 8 + held + said)
    return ErrorReport(code, octets[4 : 4 + held], octets[8 + held :].decode("utf-8", "replace"))


_DECODERS: Final[Mapping[int, Callable[[int, int, bytes], PDU]]] = MappingProxyType(
    {
        PDUType.SERIAL_NOTIFY: lambda _, session_id, octets: SerialNotify(session_id, _serial(octets)),
        PDUType.SERIAL_QUERY: lambda _, session_id, octets: SerialQuery(session_id, _serial(octets)),
        PDUType.RESET_QUERY: _bare(ResetQuery()),
        PDUType.CACHE_RESPONSE: _cache_response,
        PDUType.IPV4_PREFIX: _prefix(Family.IPV4),
        PDUType.IPV6_PREFIX: _prefix(Family.IPV6),
        PDUType.END_OF_DATA: _end_of_data,
        PDUType.CACHE_RESET: _bare(CacheReset()),
        PDUType.ROUTER_KEY: _router_key,
        PDUType.ERROR_REPORT: _error_report,
        PDUType.ASPA: _aspa,
    }
)


def _encoded(pdu: PDU, version: int) -> tuple[PDUType, int, bytes]:
    """Give type, the header's third field, and the octets after the header."""
    match pdu:
        case SerialNotify(session_id, serial):
            return PDUType.SERIAL_NOTIFY, session_id, _SERIAL.pack(serial)
        case SerialQuery(session_id, serial):
            return PDUType.SERIAL_QUERY, session_id, _SERIAL.pack(serial)
        case ResetQuery():
            return PDUType.RESET_QUERY, 0, b""
        case CacheResponse(session_id):
            return PDUType.CACHE_RESPONSE, session_id, b""
        case PrefixPDU(announced, vrp):
            return _encoded_prefix(announced, vrp)
        case EndOfData(session_id, serial, intervals):
            some = intervals or Intervals()
            timing = (some.refresh_s, some.retry_s, some.expire_s)
            body = _SERIAL.pack(serial) if version == 0 else _INTERVALS.pack(serial, *timing)
            return PDUType.END_OF_DATA, session_id, body
        case CacheReset():
            return PDUType.CACHE_RESET, 0, b""
        case RouterKey(announced, identifier, asn, key):
            return PDUType.ROUTER_KEY, announced << 8, identifier + _SERIAL.pack(asn) + key
        case ErrorReport(code, held, text):
            said = text.encode()
            return PDUType.ERROR_REPORT, code, _SERIAL.pack(len(held)) + held + _SERIAL.pack(len(said)) + said
        case ASPAPDU(announced, aspa):
            providers = sorted(aspa.providers) if announced else []
            return PDUType.ASPA, announced << 8, b"".join(map(_SERIAL.pack, (aspa.customer, *providers)))


def _encoded_prefix(announced: bool, vrp: VRP) -> tuple[PDUType, int, bytes]:
    family = vrp.prefix.family
    kind = PDUType.IPV4_PREFIX if family is Family.IPV4 else PDUType.IPV6_PREFIX
    start = _PREFIX.pack(announced, vrp.prefix.length, vrp.max_length, 0)
    return kind, 0, start + vrp.prefix.network.to_bytes(family.bits // 8, "big") + _SERIAL.pack(vrp.asn)
