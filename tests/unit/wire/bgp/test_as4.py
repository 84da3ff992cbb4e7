from ipaddress import IPv4Address

import pytest

from anycastle.model.asn import AS_TRANS, ASN
from anycastle.wire.bgp.as4 import as4_aggregator_of, as4_path_of, merge, merge_paths
from anycastle.wire.bgp.as_path import ASPath, Segment, SegmentKind
from anycastle.wire.bgp.attributes import Aggregator, Origin, PathAttributes
from anycastle.wire.bgp.attributes_codec import decode_attributes, encode_attributes
from anycastle.wire.bgp.errors import Action
from tests.unit.wire.bgp.octets import NEXT_HOP, NLRI_OCTETS, ORIGIN, TWO, attribute, decode_update

BIG = 4200000001
ADDRESS = IPv4Address("192.0.2.9")
SET = Segment(SegmentKind.SET, (ASN(7), ASN(8)))
CONFED = Segment(SegmentKind.CONFED_SEQUENCE, (ASN(65001),))


@pytest.mark.rfc("6793", "4.2.3")
@pytest.mark.parametrize(
    ("path", "path_4", "merged"),
    [
        (ASPath.sequence(1, AS_TRANS), ASPath.sequence(1, BIG), ASPath.sequence(1, BIG)),
        (ASPath.sequence(9, 1, AS_TRANS), ASPath.sequence(1, BIG), ASPath.sequence(9, 1, BIG)),
        (ASPath.sequence(AS_TRANS), ASPath.sequence(1, BIG), ASPath.sequence(AS_TRANS)),
        (
            ASPath((CONFED, *ASPath.sequence(1, AS_TRANS).segments)),
            ASPath.sequence(BIG),
            ASPath((CONFED, *ASPath.sequence(1, BIG).segments)),
        ),
        (
            ASPath((SET, *ASPath.sequence(AS_TRANS).segments)),
            ASPath.sequence(BIG),
            ASPath((SET, *ASPath.sequence(BIG).segments)),
        ),
        (ASPath.sequence(1, 2), ASPath(), ASPath.sequence(1, 2)),
        (
            ASPath((*ASPath.sequence(1).segments, SET)),
            ASPath((SET,)),
            ASPath((*ASPath.sequence(1).segments, SET)),
        ),
    ],
)
def test_merging_paths(path: ASPath, path_4: ASPath, merged: ASPath) -> None:
    assert merge_paths(path, path_4) == merged


@pytest.mark.rfc("6793", "4.2.3")
def test_merging_never_makes_a_segment_that_cannot_be_written() -> None:
    path = ASPath((*ASPath.sequence(*range(1, 201)).segments, *ASPath.sequence(*[AS_TRANS] * 200).segments))
    merged = merge_paths(path, ASPath.sequence(*[BIG] * 200))
    assert [len(segment.asns) for segment in merged.segments] == [200, 200]
    assert merged.origin == BIG


@pytest.mark.rfc("6793", "4.2.3")
def test_an_aggregator_that_is_not_as_trans_makes_both_stale() -> None:
    path, path_4 = ASPath.sequence(AS_TRANS), ASPath.sequence(BIG)
    stale = merge(path, Aggregator(ASN(5), ADDRESS), path_4, Aggregator(ASN(BIG), ADDRESS))
    assert stale == (path, Aggregator(ASN(5), ADDRESS))
    fresh = merge(path, Aggregator(AS_TRANS, ADDRESS), path_4, Aggregator(ASN(BIG), ADDRESS))
    assert fresh == (path_4, Aggregator(ASN(BIG), ADDRESS))
    assert merge(None, None, path_4, Aggregator(ASN(BIG), ADDRESS)) == (None, None)


@pytest.mark.rfc("6793", "4.2.2")
def test_nothing_is_sent_beside_what_two_octets_hold() -> None:
    assert as4_path_of(None) is None
    assert as4_path_of(ASPath.sequence(1, 65535)) is None
    assert as4_path_of(ASPath((CONFED, *ASPath.sequence(BIG).segments))) == ASPath.sequence(BIG)
    assert as4_aggregator_of(None) is None
    assert as4_aggregator_of(Aggregator(ASN(65535), ADDRESS)) is None


@pytest.mark.rfc("6793", "4.2.2", "4.2.3", "9")
def test_a_large_path_and_aggregator_survive_a_two_octet_session() -> None:
    attributes = PathAttributes(
        origin=Origin.IGP,
        as_path=ASPath((*ASPath.sequence(64501, BIG).segments, SET)),
        next_hop=ADDRESS,
        aggregator=Aggregator(ASN(BIG), ADDRESS),
    )
    octets = encode_attributes(attributes, TWO)
    assert bytes.fromhex("40020c 0202 fbf5 5ba0 0102 0007 0008") in octets
    assert bytes.fromhex("c00706 5ba0 c0000209") in octets
    assert bytes.fromhex("c01208 fa56ea01 c0000209") in octets
    assert decode_attributes(octets, TWO, has_nlri=True) == (attributes, ())


@pytest.mark.rfc("6793", "6")
@pytest.mark.parametrize(
    "octets",
    [
        attribute(0xC0, 17, b""),
        attribute(0xC0, 17, b"\x02\x02\0\0\0\1"),
        attribute(0xC0, 17, b"\x09\x01\0\0\0\1"),
        attribute(0xC0, 18, b"\0\0\0\1"),
    ],
)
def test_malformed_as4_attributes_are_discarded(octets: bytes) -> None:
    path = bytes.fromhex("400204 0201 5ba0")
    update = decode_update(ORIGIN + path + NEXT_HOP + octets, NLRI_OCTETS, options=TWO)
    assert update.action is Action.DISCARD_ATTRIBUTE
    assert update.attributes.as_path == ASPath.sequence(AS_TRANS)


@pytest.mark.rfc("6793", "6")
def test_confederation_segments_in_as4_path_are_dropped() -> None:
    path = bytes.fromhex("400204 0201 5ba0")
    as4 = attribute(0xC0, 17, bytes.fromhex("03010000fde9 0201fa56ea01"))
    update = decode_update(ORIGIN + path + NEXT_HOP + as4, NLRI_OCTETS, options=TWO)
    assert (update.attributes.as_path, update.errors) == (ASPath.sequence(BIG), ())
