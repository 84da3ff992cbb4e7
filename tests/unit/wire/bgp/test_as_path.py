import pytest

from anycastle.base.errors import MisuseError
from anycastle.model.asn import ASN
from anycastle.wire.bgp.as_path import ASPath, Segment, SegmentKind


def _segment(kind: SegmentKind, *asns: int) -> Segment:
    return Segment(kind, tuple(map(ASN, asns)))


MIXED = ASPath(
    (
        _segment(SegmentKind.CONFED_SEQUENCE, 65001, 65002),
        _segment(SegmentKind.CONFED_SET, 65003),
        _segment(SegmentKind.SEQUENCE, 64501, 64502),
        _segment(SegmentKind.SET, 64503, 64504),
    )
)


@pytest.mark.rfc("4271", "9.1.2.2")
@pytest.mark.rfc("5065", "5.3")
def test_length_counts_a_set_once_and_a_confederation_never() -> None:
    assert MIXED.length == 3
    assert ASPath().length == 0
    assert ASPath.sequence(1, 1, 1).length == 3


@pytest.mark.rfc("6811", "2")
def test_first_and_origin() -> None:
    assert (MIXED.first, MIXED.origin) == (64501, None)
    assert (ASPath.sequence(1, 2, 3).first, ASPath.sequence(1, 2, 3).origin) == (1, 3)
    assert (ASPath().first, ASPath().origin) == (None, None)
    assert ASPath((_segment(SegmentKind.SET, 1, 2),)).first is None
    assert ASPath((_segment(SegmentKind.CONFED_SEQUENCE, 1),)).first is None


@pytest.mark.rfc("4271", "9.1.2")
def test_contains_looks_into_every_segment() -> None:
    assert all(MIXED.contains(asn) for asn in MIXED.asns)
    assert MIXED.asns == (65001, 65002, 65003, 64501, 64502, 64503, 64504)
    assert not MIXED.contains(ASN(64505))


@pytest.mark.rfc("4271", "5.1.2")
def test_prepending_fills_the_first_sequence_or_starts_one() -> None:
    assert ASPath.sequence(2).prepended(ASN(1), 2) == ASPath.sequence(1, 1, 2)
    assert ASPath().prepended(ASN(1)) == ASPath.sequence(1)
    assert ASPath.sequence(2).prepended(ASN(1), 0) == ASPath.sequence(2)
    after_set = ASPath((_segment(SegmentKind.SET, 5),)).prepended(ASN(1))
    assert [segment.kind for segment in after_set.segments] == [SegmentKind.SEQUENCE, SegmentKind.SET]
    full = ASPath.sequence(*range(1, 255)).prepended(ASN(9), 3)
    assert [len(segment.asns) for segment in full.segments] == [2, 255]
    assert full.length == 257
    with pytest.raises(MisuseError):
        ASPath().prepended(ASN(1), -1)


def test_text() -> None:
    assert str(MIXED) == "(65001 65002) [65003] 64501 64502 {64503,64504}"
    assert str(ASPath()) == ""
