import pytest

from anycastle.model.asn import ASN
from anycastle.wire.bgp.as_path import ASPath, Segment, SegmentKind
from anycastle.wire.bgp.attributes_codec import decode_attributes, encode_attributes
from anycastle.wire.bgp.codec import CodecOptions
from anycastle.wire.bgp.errors import Action
from tests.unit.wire.bgp.octets import FOUR, NEXT_HOP, NLRI_OCTETS, ORIGIN, attribute, decode_update

CODE, FLAGS = 2, 0x40


@pytest.mark.rfc("4271", "4.3", "5.1.2", "6.3")
@pytest.mark.rfc("5065", "5")
@pytest.mark.parametrize(
    ("value", "expected", "options"),
    [
        ("", ASPath(), FOUR),
        ("0202 00000001 fa56ea01", ASPath.sequence(1, 4200000001), FOUR),
        ("0101 00000007", ASPath((Segment(SegmentKind.SET, (ASN(7),)),)), FOUR),
    ],
)
def test_values(value: str, expected: object, options: CodecOptions) -> None:
    octets = attribute(FLAGS, CODE, bytes.fromhex(value))
    update = decode_update(ORIGIN + octets + NEXT_HOP, NLRI_OCTETS, options=options)
    assert update.errors == ()
    assert update.attributes.as_path == expected
    again = encode_attributes(update.attributes, options)
    assert decode_attributes(again, options, has_nlri=True) == (update.attributes, ())


@pytest.mark.rfc("7607", "2")
@pytest.mark.rfc("7606", "3.e", "7.2")
@pytest.mark.parametrize(
    ("value", "action", "subcode", "options"),
    [
        ("0202 00000001 00000000", Action.TREAT_AS_WITHDRAW, 11, FOUR),  # RFC 7607 §2
        ("0200", Action.TREAT_AS_WITHDRAW, 11, FOUR),
        ("02", Action.TREAT_AS_WITHDRAW, 11, FOUR),
        ("0202 00000001", Action.TREAT_AS_WITHDRAW, 11, FOUR),
        ("0201 00000001 02", Action.TREAT_AS_WITHDRAW, 11, FOUR),
        ("0001 00000001", Action.TREAT_AS_WITHDRAW, 11, FOUR),
        ("0501 00000001", Action.TREAT_AS_WITHDRAW, 11, FOUR),
        ("0301 00000001", Action.TREAT_AS_WITHDRAW, 11, FOUR),
    ],
)
def test_malformed_ones(value: str, action: Action, subcode: int, options: CodecOptions) -> None:
    octets = attribute(FLAGS, CODE, bytes.fromhex(value))
    update = decode_update(ORIGIN + octets + NEXT_HOP, NLRI_OCTETS, options=options)
    (fault,) = update.errors
    assert (fault.code, fault.action, fault.subcode, fault.data) == (CODE, action, subcode, octets)
    assert update.action is action
    assert update.attributes.as_path is None
    assert (len(update.announced_nlri), len(update.withdrawn_nlri)) == (
        (1, 0) if action is Action.DISCARD_ATTRIBUTE else (0, 1)
    )
