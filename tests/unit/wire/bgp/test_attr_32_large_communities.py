import pytest

from anycastle.model.community import LargeCommunity
from anycastle.wire.bgp.attributes_codec import decode_attributes, encode_attributes
from anycastle.wire.bgp.codec import CodecOptions
from anycastle.wire.bgp.errors import Action
from tests.unit.wire.bgp.octets import FOUR, announced_with, attribute

CODE, FLAGS = 32, 0xC0


@pytest.mark.rfc("8092", "3")
@pytest.mark.parametrize(
    ("value", "expected", "options"),
    [
        ("0000fbf5 00000001 fa56ea01", (LargeCommunity(64501, 1, 4200000001),), FOUR),
        ("0000fbf5 00000001 00000002 0000fbf5 00000001 00000002 ", (LargeCommunity(64501, 1, 2),), FOUR),
    ],
)
def test_values(value: str, expected: object, options: CodecOptions) -> None:
    octets = attribute(FLAGS, CODE, bytes.fromhex(value))
    update = announced_with(octets, options)
    assert update.errors == ()
    assert update.attributes.large_communities == expected
    again = encode_attributes(update.attributes, options)
    assert decode_attributes(again, options, has_nlri=True) == (update.attributes, ())


@pytest.mark.rfc("8092", "6")
@pytest.mark.parametrize(
    ("value", "action", "subcode", "options"),
    [
        ("", Action.TREAT_AS_WITHDRAW, 9, FOUR),
        ("0000fbf5 00000001", Action.TREAT_AS_WITHDRAW, 9, FOUR),
    ],
)
def test_malformed_ones(value: str, action: Action, subcode: int, options: CodecOptions) -> None:
    octets = attribute(FLAGS, CODE, bytes.fromhex(value))
    update = announced_with(octets, options)
    (fault,) = update.errors
    assert (fault.code, fault.action, fault.subcode, fault.data) == (CODE, action, subcode, octets)
    assert update.action is action
    assert update.attributes.large_communities == ()
    assert (len(update.announced_nlri), len(update.withdrawn_nlri)) == (
        (1, 0) if action is Action.DISCARD_ATTRIBUTE else (0, 1)
    )
