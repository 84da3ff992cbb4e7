"""Stores of paths and communities: numbers stay, whatever has to grow."""

import ctypes

import pytest

from anycastle.base.errors import MisuseError
from anycastle.kernels import attribute_decoder, route_decoder
from anycastle.model.asn import ASN
from anycastle.model.community import LargeCommunity, StandardCommunity
from anycastle.wire.bgp.as_path import ASPath
from anycastle.wire.bgp.message import Update
from anycastle.wire.bgp.nlri import NLRI
from anycastle.wire.mrt.bgp4mp import BGPMessage
from anycastle.wire.mrt.codec import decode_records, encode_content
from tests.unit.kernels.mrt_reference import Kernels, Reference, assert_equal
from tests.unit.wire.mrt.mrt_values import CONTENTS, P4, V4, v4_attributes


def stream(count: int) -> bytes:
    return b"".join(
        encode_content(
            number * 1_000_000,
            BGPMessage(
                V4,
                Update(
                    nlri=(NLRI(P4),),
                    attributes=v4_attributes(
                        64500,
                        *range(1, 1 + number % 250),
                        4200000000 + number,
                        communities=(StandardCommunity(number, 1),),
                        large_communities=(LargeCommunity(ASN(number), 2, 3),),
                    ),
                ),
            ),
        )
        for number in range(count)
    )


def test_stores_and_peers_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attribute_decoder, "STORE_COUNT_FIRST", 4)
    monkeypatch.setattr(attribute_decoder, "STORE_OCTETS_FIRST", 256)
    monkeypatch.setattr(route_decoder, "PEERS_FIRST", 2)
    octets = b"".join(encode_content(0, content) for content in CONTENTS.values()) + stream(600)
    kernels = Kernels()
    assert_equal(kernels.rows(octets), Reference().rows(decode_records([octets])))
    paths = {kernels.attributes.path_text(number) for number in range(kernels.attributes.paths.count)}
    assert len(paths) == kernels.attributes.paths.count > 600


def test_a_store_that_would_grow_over_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attribute_decoder, "STORE_OCTETS_FIRST", 1024)
    monkeypatch.setattr(attribute_decoder, "STORE_OCTETS_MAX", 2048)
    kernels = Kernels()
    with pytest.raises(MisuseError, match="forget"):
        list(kernels.rows(stream(200)))
    kernels.attributes.forget()
    assert kernels.attributes.octets_kept == 0


def test_too_many_peers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(route_decoder, "PEERS_FIRST", 2)
    monkeypatch.setattr(route_decoder, "PEERS_MAX", 4)
    octets = b"".join(encode_content(0, content) for content in CONTENTS.values())
    with pytest.raises(MisuseError, match="more than 4 peers"):
        list(Kernels().rows(octets))


def test_rows_for_the_largest_record_are_needed() -> None:
    with pytest.raises(MisuseError):
        Kernels(rows_max=1000)


def test_paths_as_values() -> None:
    update = Update(nlri=(NLRI(P4),), attributes=v4_attributes(64500, 1))
    kernels = Kernels()
    list(kernels.rows(encode_content(0, BGPMessage(V4, update))))
    assert [kernels.attributes.path(number) for number in (0, 1)] == [ASPath(), ASPath.sequence(64500, 1)]


def test_a_path_with_as_0_has_a_text_and_no_value() -> None:
    update = Update(nlri=(NLRI(P4),), attributes=v4_attributes(64500, 0))
    kernels = Kernels()
    list(kernels.rows(encode_content(0, BGPMessage(V4, update))))
    assert (kernels.attributes.path_text(1), kernels.attributes.path(1)) == ("64500 0", None)


def test_a_length_that_no_record_has_stops_the_kernel() -> None:
    octets = encode_content(0, CONTENTS["state"]) + b"\0\0\0\0\0\x10\0\1\x7f\xff\xff\xff"
    decoder = Kernels().decoder
    memory = ctypes.create_string_buffer(octets, len(octets))
    assert decoder.decode(ctypes.addressof(memory), 0, len(octets)) == route_decoder.kernel.AT_OVERSIZED
    assert decoder.position == len(octets) - 12
    assert decoder.rows == 1


def test_a_locator_makes_room_for_more_rows_than_it_expected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attribute_decoder, "ROWS_MAX", 1)
    value = BGPMessage(V4, Update(attributes=v4_attributes(64500, 64501), nlri=(NLRI(P4), NLRI(P4))))
    first, _second = Kernels().rows(encode_content(7, value))
    assert first.attributes is not None
    assert first.attributes.origin_asn == 64501
