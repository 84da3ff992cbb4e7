import pytest

from anycastle.wire.bgp.as_path import ASPath
from anycastle.wire.bgp.attributes_codec import decode_attributes, encode_attributes
from anycastle.wire.bgp.codec import CodecOptions
from anycastle.wire.bgp.errors import Action
from tests.unit.wire.bgp.octets import FOUR, TWO, announced_with, attribute

CODE, FLAGS = 17, 0xC0


@pytest.mark.rfc("6793", "4.2.3")
@pytest.mark.parametrize(
    ("value", "expected", "options"),
    [
        ("0201 fa56ea01", ASPath.sequence(4200000001), TWO),
    ],
)
def test_values(value: str, expected: object, options: CodecOptions) -> None:
    octets = attribute(FLAGS, CODE, bytes.fromhex(value))
    update = announced_with(octets, options)
    assert update.errors == ()
    assert update.attributes.as_path == expected
    again = encode_attributes(update.attributes, options)
    assert decode_attributes(again, options, has_nlri=True) == (update.attributes, ())


@pytest.mark.rfc("6793", "6")
@pytest.mark.parametrize(
    ("value", "action", "subcode", "options"),
    [
        ("0201 fa56ea01", Action.DISCARD_ATTRIBUTE, 9, FOUR),
        ("", Action.DISCARD_ATTRIBUTE, 9, TWO),
        ("0201 fa56", Action.DISCARD_ATTRIBUTE, 11, TWO),
    ],
)
def test_malformed_ones(value: str, action: Action, subcode: int, options: CodecOptions) -> None:
    octets = attribute(FLAGS, CODE, bytes.fromhex(value))
    update = announced_with(octets, options)
    (fault,) = update.errors
    assert (fault.code, fault.action, fault.subcode, fault.data) == (CODE, action, subcode, octets)
    assert update.action is action
    assert (len(update.announced_nlri), len(update.withdrawn_nlri)) == (
        (1, 0) if action is Action.DISCARD_ATTRIBUTE else (0, 1)
    )
