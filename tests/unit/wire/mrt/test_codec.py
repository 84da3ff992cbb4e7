"""Each kind of record: written, read, cut at every octet, and damaged."""

from dataclasses import replace
from ipaddress import IPv4Address

import pytest

from anycastle.base.errors import MisuseError
from anycastle.model.asn import ASN
from anycastle.wire.bgp.errors import Action
from anycastle.wire.bgp.message import Keepalive, Update
from anycastle.wire.bgp.nlri import NLRI
from anycastle.wire.mrt.bgp4mp import BGPMessage, SessionEnds, StateChange
from anycastle.wire.mrt.codec import Record, decode_record, decode_records, encode_content
from anycastle.wire.mrt.record import (
    HEADER,
    HEADER_LENGTH,
    RECORD_MAX,
    Damaged,
    RawRecord,
    RecordFramer,
    Unknown,
    encode_record,
)
from anycastle.wire.mrt.table_dump_v2 import RIB
from tests.unit.wire.mrt.mrt_values import AT_US, CONTENTS, P4, V4, v4_attributes


def read(octets: bytes) -> list[Record]:
    return list(decode_records([octets]))


@pytest.mark.rfc("6396", "2", "4.2", "4.3.1", "4.3.2", "4.3.3", "4.3.4", "4.4.1", "4.4.2", "4.4.3", "4.4.4", "4.4.5")
@pytest.mark.rfc("6396", "4.4.6")
@pytest.mark.rfc("8050", "3", "4.1", "4.2")
@pytest.mark.parametrize("name", CONTENTS)
def test_what_is_written_is_read(name: str) -> None:
    content = CONTENTS[name]
    octets = encode_content(AT_US, content)
    assert read(octets) == [Record(0, AT_US // 1_000_000 * 1_000_000, content)]


@pytest.mark.rfc("6396", "3", "4.5")
def test_an_extended_header_keeps_microseconds() -> None:
    content = CONTENTS["message_as4"]
    assert read(encode_content(AT_US, content, microseconds=True)) == [Record(0, AT_US, content)]


@pytest.mark.parametrize("name", CONTENTS)
def test_cut_at_every_octet(name: str) -> None:
    octets = encode_content(AT_US, CONTENTS[name])
    for length in range(1, len(octets)):
        (record,) = read(octets[:length])
        assert isinstance(record.value, Damaged)
        assert record.value.offset == 0


@pytest.mark.parametrize("name", CONTENTS)
def test_a_body_cut_at_every_octet_is_damage_or_faults(name: str) -> None:
    octets = encode_content(AT_US, CONTENTS[name])
    kind, subtype = HEADER.unpack_from(octets)[1:3]
    for length in range(len(octets) - HEADER_LENGTH):
        raw = RawRecord(100, AT_US, kind, subtype, octets[HEADER_LENGTH : HEADER_LENGTH + length])
        value = decode_record(raw).value
        assert value != CONTENTS[name]
        if isinstance(value, Damaged):
            assert 100 < value.offset <= 100 + HEADER_LENGTH + length


def test_pieces_of_any_size_give_the_same_records() -> None:
    stream = b"".join(encode_content(AT_US, content) for content in CONTENTS.values())
    whole = read(stream)
    assert len(whole) == len(CONTENTS)
    for size in (1, 7, 100):
        assert list(decode_records(stream[at : at + size] for at in range(0, len(stream), size))) == whole


def test_a_damaged_record_is_passed_over_with_its_offset() -> None:
    good = encode_content(AT_US, CONTENTS["message_as4"])
    damaged = bytearray(good)
    damaged[HEADER_LENGTH + 11] = 9  # address family
    first, second, third = read(good + bytes(damaged) + good)
    assert first.value == third.value == CONTENTS["message_as4"]
    assert second.value == Damaged("address family 9 is not known", len(good) + HEADER_LENGTH + 10)


@pytest.mark.parametrize(("kind", "subtype"), [(11, 0), (13, 13), (16, 2), (16, 12), (48, 0), (5, 4)])
def test_an_unknown_type_is_a_value(kind: int, subtype: int) -> None:
    assert read(encode_record(AT_US, kind, subtype, b"abc"))[0].value == Unknown(kind, subtype)


def test_a_length_over_the_limit_is_passed_over() -> None:
    good = encode_content(AT_US, CONTENTS["state"])
    framer = RecordFramer()
    framer.feed(HEADER.pack(0, 16, 1, RECORD_MAX + 1))
    (damaged,) = framer
    assert isinstance(damaged, Damaged)
    framer.feed(bytes(RECORD_MAX + 1))
    assert list(framer) == []
    framer.feed(good)
    assert [record.offset for record in framer] == [HEADER_LENGTH + RECORD_MAX + 1]
    with pytest.raises(MisuseError):
        encode_record(0, 16, 1, bytes(RECORD_MAX + 1))


def test_an_extended_header_without_microseconds_is_damage() -> None:
    assert isinstance(read(HEADER.pack(1, 17, 4, 3) + b"abc")[0].value, Damaged)


@pytest.mark.rfc("6396", "4.3.4")
def test_the_whole_mp_reach_nlri_in_a_rib_is_read_as_the_abbreviated_one() -> None:
    rib = CONTENTS["rib_v6"]
    assert isinstance(rib, RIB)
    octets = encode_content(AT_US, rib)
    next_hop = rib.entries[0].attributes.mp_reach.next_hops[0].packed  # type: ignore[union-attr]
    abbreviated = b"\x80\x0e\x11\x10" + next_hop
    whole = b"\x80\x0e\x15\0\2\1\x10" + next_hop + b"\0"
    start = octets.index(abbreviated)
    length = int.from_bytes(octets[start - 2 : start]) + 4
    body = octets[HEADER_LENGTH : start - 2] + length.to_bytes(2) + whole + octets[start + len(abbreviated) :]
    assert read(encode_record(AT_US, 13, 4, body))[0].value == rib


def test_faults_of_attributes_are_values() -> None:
    message = BGPMessage(V4, Update(nlri=(NLRI(P4),), attributes=replace(v4_attributes(64500), as_path=None)))
    (record,) = read(encode_content(AT_US, message))
    assert isinstance(record.value, BGPMessage)
    assert isinstance(record.value.message, Update)
    assert [(fault.code, fault.action) for fault in record.value.message.errors] == [(2, Action.TREAT_AS_WITHDRAW)]


def test_what_would_end_a_session_leaves_a_rib_entry_with_the_fault() -> None:
    octets = encode_content(AT_US, CONTENTS["rib_v4"])
    origin = octets.index(b"\x40\x01\x01")
    damaged = octets[:origin] + b"\x40\x63\x01" + octets[origin + 3 :]  # a well-known attribute 99
    (record,) = read(damaged)
    assert isinstance(record.value, RIB)
    assert [fault.action for fault in record.value.entries[0].faults] == [Action.SESSION_RESET]
    assert not record.value.entries[1].faults


def test_zebra_left_addresses_out() -> None:
    nowhere = SessionEnds(IPv4Address(0), ASN(64500), IPv4Address(0), ASN(64511))
    head = (64500).to_bytes(2) + (64511).to_bytes(2)
    assert read(encode_record(0, 16, 0, head + b"\0\3\0\6"))[0].value == StateChange(nowhere, 3, 6, False)
    keepalive = b"\xff" * 16 + b"\0\x13\4"
    message = read(encode_record(0, 16, 1, head + keepalive))[0].value
    assert message == BGPMessage(nowhere, Keepalive(), four_octet_asn=False)


@pytest.mark.rfc("6396", "B.2")
def test_the_deprecated_type_is_read() -> None:
    message = CONTENTS["message"]
    assert isinstance(message, BGPMessage)
    update = encode_content(AT_US, message)[HEADER_LENGTH + 16 + 19 :]
    head = (64500).to_bytes(2) + V4.peer.packed + (64511).to_bytes(2) + V4.local.packed
    session = replace(V4, interface=0)
    assert read(encode_record(0, 5, 1, head + update))[0].value == replace(message, session=session)
    state = (64500).to_bytes(2) + V4.peer.packed + b"\0\1\0\2"
    nowhere = SessionEnds(V4.peer, ASN(64500), IPv4Address(0), ASN(0))
    assert read(encode_record(0, 5, 3, state))[0].value == StateChange(nowhere, 1, 2, four_octet_asn=False)
    keepalive = read(encode_record(0, 5, 7, head))[0].value
    assert keepalive == BGPMessage(session, Keepalive(), four_octet_asn=False)
    assert isinstance(read(encode_record(0, 5, 1, head + b"\0"))[0].value, Damaged)


def test_texts_say_what_and_where() -> None:
    assert str(Damaged("what", 7)) == "what (octet 7)"
    assert str(Unknown(16, 3)) == "BGP4MP SNAPSHOT is not read here"
    assert str(Unknown(99, 3)) == "type 99 subtype 3 is not read here"
    assert str(RawRecord(5, 0, 13, 2, b"")) == "TABLE_DUMP_V2 RIB_IPV4_UNICAST at octet 5"
