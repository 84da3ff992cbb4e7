import pytest

from anycastle.model.community import ExtendedCommunity
from anycastle.wire.bgp.attributes_codec import decode_attributes, encode_attributes
from anycastle.wire.bgp.codec import CodecOptions
from anycastle.wire.bgp.errors import Action
from tests.unit.wire.bgp.octets import FOUR, announced_with, attribute

CODE, FLAGS = 16, 0xC0


@pytest.mark.rfc("4360", "2")
@pytest.mark.parametrize(
    ("value", "expected", "options"),
    [
        (
            "0002fbf500000007 0102030405060708",
            (ExtendedCommunity(0x0002FBF500000007), ExtendedCommunity(0x0102030405060708)),
            FOUR,
        ),
    ],
)
def test_values(value: str, expected: object, options: CodecOptions) -> None:
    octets = attribute(FLAGS, CODE, bytes.fromhex(value))
    update = announced_with(octets, options)
    assert update.errors == ()
    assert update.attributes.extended_communities == expected
    again = encode_attributes(update.attributes, options)
    assert decode_attributes(again, options, has_nlri=True) == (update.attributes, ())


@pytest.mark.rfc("7606", "7.14")
@pytest.mark.parametrize(
    ("value", "action", "subcode", "options"),
    [
        ("", Action.TREAT_AS_WITHDRAW, 9, FOUR),
        ("0002fbf5000000", Action.TREAT_AS_WITHDRAW, 9, FOUR),
    ],
)
def test_malformed_ones(value: str, action: Action, subcode: int, options: CodecOptions) -> None:
    octets = attribute(FLAGS, CODE, bytes.fromhex(value))
    update = announced_with(octets, options)
    (fault,) = update.errors
    assert (fault.code, fault.action, fault.subcode, fault.data) == (CODE, action, subcode, octets)
    assert update.action is action
    assert update.attributes.extended_communities == ()
    assert (len(update.announced_nlri), len(update.withdrawn_nlri)) == (
        (1, 0) if action is Action.DISCARD_ATTRIBUTE else (0, 1)
    )
