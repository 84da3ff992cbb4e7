"""The MRT kernels on generated archives: equal to the object path, and safe on any octets."""

import ctypes
from dataclasses import replace
from functools import cache
from ipaddress import IPv4Address

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anycastle.io.kernel_cache import load_kernel
from anycastle.kernels.mrt import DECODE_ROUTES, FORMAT_KEPT, FORMAT_ROWS
from anycastle.kernels.route_decoder import RouteDecoder
from anycastle.kernels.row_formatter import RowFormatter
from anycastle.model.prefix import Family
from anycastle.wire.bgp.codec import CodecOptions
from anycastle.wire.bgp.message import Update
from anycastle.wire.bgp.nlri import NLRI, MPReach
from anycastle.wire.mrt.bgp4mp import BGPMessage, SessionEnds, StateChange
from anycastle.wire.mrt.codec import decode_records, encode_content
from anycastle.wire.mrt.table_dump import TableDumpRoute
from anycastle.wire.mrt.table_dump_v2 import RIB, PeerEntry, PeerIndexTable, RIBEntry
from tests.property.wire import bgp_values as bgp
from tests.unit.kernels import checked
from tests.unit.kernels.mrt_reference import Kernels, Reference, assert_equal
from tests.unit.wire.mrt.mrt_values import CONTENTS

addresses = bgp.addresses | bgp.addresses_v6
sessions = st.one_of(
    st.builds(SessionEnds, address, bgp.asns, address, bgp.asns, bgp.short)
    for address in (bgp.addresses, bgp.addresses_v6)
)
narrow_sessions = st.builds(
    SessionEnds, bgp.addresses, st.integers(1, 0xFFFF), bgp.addresses, st.integers(1, 0xFFFF), bgp.short
)
peer_tables = st.builds(
    PeerIndexTable,
    bgp.addresses,
    st.text(max_size=5),
    st.lists(st.builds(PeerEntry, bgp.addresses, addresses, bgp.asns), min_size=1, max_size=4).map(tuple),
)


@st.composite
def messages(draw: st.DrawFn) -> BGPMessage:
    update, options = draw(bgp.updates())
    session = draw(sessions if options.four_octet_asn else narrow_sessions)
    return BGPMessage(session, update, options.four_octet_asn, bool(options.add_path_send), draw(st.booleans()))


@st.composite
def rib_attributes(draw: st.DrawFn, prefix: object, four: bool) -> object:
    found = draw(bgp.attributes(ibgp=True, add_path=False, four=four))
    found = replace(found, mp_unreach=None, mp_reach=None)
    if prefix.family is Family.IPV4:  # type: ignore[attr-defined]
        return found
    reach = MPReach(2, 1, (draw(bgp.addresses_v6),), (NLRI(prefix),))  # type: ignore[arg-type]
    return replace(found, mp_reach=reach, next_hop=draw(st.none() | bgp.hosts))


@st.composite
def ribs(draw: st.DrawFn) -> RIB:
    family, add_path = draw(st.sampled_from(Family)), draw(st.booleans())
    prefix = draw(bgp.prefixes(family))
    entries = st.builds(
        RIBEntry,
        st.integers(0, 4),
        bgp.long,
        rib_attributes(prefix, True),
        st.just(()),
        bgp.long if add_path else st.none(),
    )
    return RIB(draw(bgp.long), family.value, 1, prefix, draw(bgp.lists(entries, 3)), b"", add_path)


@st.composite
def table_dumps(draw: st.DrawFn) -> TableDumpRoute:
    family, four = draw(st.sampled_from(Family)), draw(st.booleans())
    prefix = draw(bgp.prefixes(family))
    asn = draw(bgp.asns if four else st.integers(1, 0xFFFF))
    peer = draw(bgp.addresses if family is Family.IPV4 else bgp.addresses_v6)
    found = draw(rib_attributes(prefix, four))
    return TableDumpRoute(prefix, peer, asn, draw(bgp.long), found, four_octet_asn=four)  # type: ignore[arg-type]


states = st.builds(StateChange, sessions, bgp.short, bgp.short, st.just(True))
contents = st.one_of(messages(), ribs(), table_dumps(), states, peer_tables, st.sampled_from(list(CONTENTS.values())))
streams = st.lists(st.tuples(bgp.long, st.booleans(), contents), max_size=5).map(
    lambda records: b"".join(
        encode_content(seconds * 1_000_000 + 7, content, microseconds=extended)
        for seconds, extended, content in records
    )
)
linked = cache(load_kernel)


@pytest.mark.mission("C6")
@given(streams)
def test_the_kernels_equal_the_object_path(stream: bytes) -> None:
    kernels, reference = Kernels(linked(DECODE_ROUTES)), Reference()
    assert_equal(kernels.rows(stream), reference.rows(decode_records([stream])))
    assert kernels.damaged == reference.damaged


@st.composite
def damaged_streams(draw: st.DrawFn) -> bytes:
    stream = bytearray(draw(streams))
    for _ in range(draw(st.integers(0, 6))):
        if stream:
            at = draw(st.integers(0, len(stream) - 1))
            stream[at] = draw(bgp.octet)
    return bytes(stream[: draw(st.integers(0, checked.LONGEST))])


def compiled(stream: bytes) -> checked.Decoded:
    """Decode as `checked.decode` does, by the compiled kernels."""
    kernels = Kernels(linked(DECODE_ROUTES))
    memory = ctypes.create_string_buffer(stream, len(stream) or 1)
    address = ctypes.addressof(memory)
    kernels.decoder.decode(address, 0, len(stream))
    columns = kernels.decoder.columns
    decoded = kernels.attributes.decode(address, columns)
    rows = np.arange(len(columns.kind), dtype=np.uint32)
    formatter = RowFormatter(linked(FORMAT_ROWS), linked(FORMAT_KEPT))
    pieces = formatter.lines(kernels.decoder, kernels.attributes, columns, decoded, rows)
    text = b"".join([bytes(piece) for piece in pieces])
    blocks = [getattr(decoded, name)[decoded.blocks] for name in decoded.__dataclass_fields__ if name != "blocks"]
    return checked.Decoded(
        [getattr(columns, name) for name in columns.__dataclass_fields__], kernels.decoder.damage, blocks, text
    )


@given(damaged_streams() | st.binary(max_size=200))
def test_any_octets_keep_the_kernels_within_their_memory(stream: bytes) -> None:
    plain, fast = checked.decode(stream), compiled(stream)
    assert plain.damage == fast.damage[:64]
    for ours, theirs in zip(plain.columns, fast.columns, strict=True):
        assert np.array_equal(ours, theirs.view(ours.dtype))
    for ours, theirs in zip(plain.blocks, fast.blocks, strict=True):
        assert np.array_equal(ours, theirs.view(ours.dtype))
    assert plain.text == fast.text
    assert plain.text.count(b"\n") == len(plain.columns[0])


@given(damaged_streams() | st.binary(max_size=200))
def test_any_octets_are_records_values_or_damage(stream: bytes) -> None:
    records = list(decode_records([stream]))
    assert repr(records) == repr(list(decode_records([stream[:40], stream[40:]])))  # NaN differs from itself
    assert sorted(record.offset for record in records) == [record.offset for record in records]


def test_peers_and_rows_without_end_are_taken_in_parts() -> None:
    update = Update(nlri=tuple(NLRI(prefix) for prefix in (CONTENTS["rib_v4"].prefix,) * 60))  # type: ignore[union-attr]
    stream = b"".join(
        encode_content(
            number * 1_000_000,
            BGPMessage(SessionEnds(IPv4Address(number), 64500, IPv4Address(1), 1), update),  # type: ignore[arg-type]
        )
        for number in range(3000)
    )
    kernels = Kernels(linked(DECODE_ROUTES), rows_max=65536)
    kernels.decoder._make_peers(65536)  # the fewest that may be asked for
    assert_equal(kernels.rows(stream), Reference().rows(decode_records([stream])))
    assert kernels.decoder.counts.peers == 3000
    assert isinstance(kernels.decoder, RouteDecoder)
    assert CodecOptions().message_max == 4096
