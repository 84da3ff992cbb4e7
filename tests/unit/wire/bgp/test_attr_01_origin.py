import pytest

from anycastle.wire.bgp.attributes import Origin
from anycastle.wire.bgp.attributes_codec import decode_attributes, encode_attributes
from anycastle.wire.bgp.codec import CodecOptions
from anycastle.wire.bgp.errors import Action
from tests.unit.wire.bgp.octets import AS_PATH, FOUR, NEXT_HOP, NLRI_OCTETS, attribute, decode_update

CODE, FLAGS = 1, 0x40


@pytest.mark.rfc("4271", "4.3", "5.1.1", "6.3")
@pytest.mark.parametrize(
    ("value", "expected", "options"),
    [
        ("00", Origin.IGP, FOUR),
        ("01", Origin.EGP, FOUR),
        ("02", Origin.INCOMPLETE, FOUR),
    ],
)
def test_values(value: str, expected: object, options: CodecOptions) -> None:
    octets = attribute(FLAGS, CODE, bytes.fromhex(value))
    update = decode_update(octets + AS_PATH + NEXT_HOP, NLRI_OCTETS, options=options)
    assert update.errors == ()
    assert update.attributes.origin == expected
    again = encode_attributes(update.attributes, options)
    assert decode_attributes(again, options, has_nlri=True) == (update.attributes, ())


@pytest.mark.rfc("7606", "3.e", "7.1")
@pytest.mark.parametrize(
    ("value", "action", "subcode", "options"),
    [
        ("", Action.TREAT_AS_WITHDRAW, 5, FOUR),
        ("0000", Action.TREAT_AS_WITHDRAW, 5, FOUR),
        ("03", Action.TREAT_AS_WITHDRAW, 6, FOUR),
        ("ff", Action.TREAT_AS_WITHDRAW, 6, FOUR),
    ],
)
def test_malformed_ones(value: str, action: Action, subcode: int, options: CodecOptions) -> None:
    octets = attribute(FLAGS, CODE, bytes.fromhex(value))
    update = decode_update(octets + AS_PATH + NEXT_HOP, NLRI_OCTETS, options=options)
    (fault,) = update.errors
    assert (fault.code, fault.action, fault.subcode, fault.data) == (CODE, action, subcode, octets)
    assert update.action is action
    assert update.attributes.origin is None
    assert (len(update.announced_nlri), len(update.withdrawn_nlri)) == (
        (1, 0) if action is Action.DISCARD_ATTRIBUTE else (0, 1)
    )
