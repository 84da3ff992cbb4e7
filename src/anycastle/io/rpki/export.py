"""The JSON exports of RPKI validators (rpki-client, Routinator, StayRTR's and Fort's are alike) -> a table.

An export holds some 700,000 flat objects in 75 MB. It is decoded twice, and never held as objects: once for its syntax,
its metadata and its ASPAs, passing over the ROAs; then the ROAs in chunks of some megabytes, each into columns.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from socket import AF_INET, AF_INET6, inet_pton
from typing import Final

import msgspec
import numpy as np

from anycastle.base.errors import ParseError, WorldError
from anycastle.base.ports import Timestamp
from anycastle.io.feeds.byte_source import ByteSource
from anycastle.kernels.vrp_table import NO_EXPIRY, VRPColumns, VRPTable
from anycastle.model.asn import ASN, parse_asn
from anycastle.model.prefix import Family
from anycastle.model.rpki import ASPA

EXPORT_OCTETS_MAX: Final = 1 << 30
"""Octets of an export after unpacking: ten times that of 2025."""

CHUNK_OCTETS: Final = 4 << 20

ASN_MAX: Final = 0xFFFFFFFF
EXPIRY_MAX: Final = 0xFFFFFFFF
"""What a uint32 holds: the year 2106."""

_Values = tuple[int, int, int, int]
"""Length, maximum length, ASN, expiry."""

_ROAS: Final = re.compile(rb'"roas"\s*:\s*\[')


@dataclass(frozen=True, slots=True)
class RPKIData:
    """What a validator said at one moment. `built` is when, in seconds since 1970; None where it does not say."""

    vrps: VRPTable
    aspas: dict[ASN, ASPA]
    built: Timestamp | None


class _ROA(msgspec.Struct, gc=False):
    asn: int | str
    prefix: str
    max_length: int | None = msgspec.field(name="maxLength", default=None)
    expires: int = NO_EXPIRY


class _ASPA(msgspec.Struct):
    providers: list[int | str]
    customer_asid: int | str | None = None
    customer: int | str | None = None


class _Metadata(msgspec.Struct):
    buildtime: str | None = None
    generated: int | None = None
    generated_time: str | None = msgspec.field(name="generatedTime", default=None)


class _Export(msgspec.Struct):
    metadata: _Metadata = msgspec.field(default_factory=_Metadata)
    aspas: list[_ASPA] = []


_ROAS_DECODER: Final = msgspec.json.Decoder(list[_ROA])


def read_export(name: str) -> RPKIData:
    """Read an export from a path, `-` or a URL, plain or packed. Raises `WorldError` or `ParseError`, with the place.

    Costs 1.5 s and 30 MB for 723,000 VRPs, besides the text itself.
    """
    octets = _whole(name)
    try:
        export = msgspec.json.decode(octets, type=_Export)
    except msgspec.DecodeError as error:
        raise ParseError(f"{name} is not the JSON export of a validator: {error}") from error
    start = _ROAS.search(octets)
    if start is None:
        raise ParseError(f'{name} is not the JSON export of a validator: it has no list "roas"')
    columns: dict[Family, list[VRPColumns]] = {Family.IPV4: [], Family.IPV6: []}
    read = 0
    for chunk in _chunks(octets, start.end()):
        try:
            roas = _ROAS_DECODER.decode(chunk)
        except msgspec.DecodeError as error:
            raise ParseError(f"{name}: after {read} ROAs: {error}") from error
        for family, rows in _columns(name, roas, read):
            columns[family].append(rows)
        read += len(roas)
    tables = [_joined(family, parts) for family, parts in columns.items()]
    return RPKIData(VRPTable(*tables), dict(_aspas(name, export.aspas)), _built(export.metadata))


def _whole(name: str) -> bytearray:
    octets = bytearray()
    with ByteSource(name) as source:
        for piece in source.pieces():
            octets += piece
            if len(octets) > EXPORT_OCTETS_MAX:
                raise WorldError(f"{name} is larger than {EXPORT_OCTETS_MAX >> 20} MiB", retryable=False)
        if source.cut is not None:
            raise WorldError(f"{name}: {source.cut}")
    return octets


def _chunks(octets: bytearray, start: int) -> Iterator[bytes]:
    """Give the list of flat objects that begins at `start` as lists of some megabytes each."""
    end = octets.index(b"]", start)  # no ROA holds a list
    while start < end:
        to = octets.find(b"}", min(start + CHUNK_OCTETS, end), end) + 1 or end
        yield b"[" + bytes(memoryview(octets)[start:to]).lstrip(b", \t\r\n") + b"]"
        start = to


def _columns(name: str, roas: list[_ROA], before: int) -> Iterator[tuple[Family, VRPColumns]]:
    hosts: dict[Family, list[bytes]] = {Family.IPV4: [], Family.IPV6: []}
    values: dict[Family, list[_Values]] = {Family.IPV4: [], Family.IPV6: []}
    for number, roa in enumerate(roas, before + 1):
        try:
            family, octets, rest = _values(roa)
        except (ValueError, OSError, ParseError) as error:
            raise ParseError(f"{name}: ROA {number}, {roa.prefix} of {roa.asn}: {error}") from error
        hosts[family].append(octets)
        values[family].append(rest)
    for family, networks in hosts.items():
        if networks:
            yield family, _rows(family, b"".join(networks), values[family])


def _values(roa: _ROA) -> tuple[Family, bytes, _Values]:
    host, _, text = roa.prefix.partition("/")
    family = Family.IPV6 if ":" in host else Family.IPV4
    octets, length = inet_pton(AF_INET if family is Family.IPV4 else AF_INET6, host), int(text)
    asn = roa.asn if isinstance(roa.asn, int) else parse_asn(roa.asn)
    longest = length if roa.max_length is None else roa.max_length
    if not 0 <= length <= longest <= 8 * len(octets):
        raise ValueError(f"the lengths {length} and {longest} are out of range")
    if not 0 <= asn <= ASN_MAX:
        raise ValueError("the ASN is out of range")
    return family, octets, (length, longest, asn, min(max(roa.expires, NO_EXPIRY), EXPIRY_MAX))


def _rows(family: Family, networks: bytes, values: list[_Values]) -> VRPColumns:
    numbers = np.array(values, np.int64).reshape(-1, 4)
    four = family is Family.IPV4
    return VRPColumns(
        np.frombuffer(networks, ">u4").astype(np.uint32) if four else np.frombuffer(networks, "S16"),
        numbers[:, 0].astype(np.uint8),
        numbers[:, 1].astype(np.uint8),
        numbers[:, 2].astype(np.uint32),
        numbers[:, 3].astype(np.uint32),
    )


def _joined(family: Family, parts: list[VRPColumns]) -> VRPColumns:
    rows = _rows(family, b"", []) if not parts else parts[0]
    for part in parts[1:]:
        rows = rows.joined(part)
    return rows


def _aspas(name: str, aspas: list[_ASPA]) -> Iterator[tuple[ASN, ASPA]]:
    for number, each in enumerate(aspas, 1):
        customer = each.customer if each.customer_asid is None else each.customer_asid
        if customer is None:
            raise ParseError(f"{name}: ASPA {number}: it names no customer")
        try:
            asn = parse_asn(customer)
            yield asn, ASPA(asn, frozenset(parse_asn(provider) for provider in each.providers))
        except ParseError as error:
            raise ParseError(f"{name}: ASPA {number}: {error}") from error


def _built(metadata: _Metadata) -> Timestamp | None:
    from datetime import datetime

    if metadata.generated is not None:
        return Timestamp(float(metadata.generated))
    text = metadata.buildtime or metadata.generated_time
    try:
        return None if text is None else Timestamp(datetime.fromisoformat(text).timestamp())
    except ValueError:
        return None
