import pytest

from anycastle.wire.bgp.attributes_codec import decode_attributes, encode_attributes
from anycastle.wire.bgp.codec import CodecOptions
from anycastle.wire.bgp.errors import Action
from tests.unit.wire.bgp.octets import FOUR, TWO, announced_with, attribute

CODE, FLAGS = 18, 0xC0


@pytest.mark.rfc("6793", "4.2.3")
@pytest.mark.parametrize(
    ("value", "expected", "options"),
    [
        ("fa56ea01 c0000201", None, TWO),
    ],
)
def test_values(value: str, expected: object, options: CodecOptions) -> None:
    octets = attribute(FLAGS, CODE, bytes.fromhex(value))
    update = announced_with(octets, options)
    assert update.errors == ()
    assert update.attributes.aggregator == expected
    again = encode_attributes(update.attributes, options)
    assert decode_attributes(again, options, has_nlri=True) == (update.attributes, ())


@pytest.mark.rfc("7607", "2")
@pytest.mark.rfc("6793", "6")
@pytest.mark.parametrize(
    ("value", "action", "subcode", "options"),
    [
        ("00000000 c0000201", Action.DISCARD_ATTRIBUTE, 9, TWO),  # RFC 7607 §2
        ("fa56ea01 c0000201", Action.DISCARD_ATTRIBUTE, 9, FOUR),
        ("fa56ea01 c00002", Action.DISCARD_ATTRIBUTE, 5, TWO),
    ],
)
def test_malformed_ones(value: str, action: Action, subcode: int, options: CodecOptions) -> None:
    octets = attribute(FLAGS, CODE, bytes.fromhex(value))
    update = announced_with(octets, options)
    (fault,) = update.errors
    assert (fault.code, fault.action, fault.subcode, fault.data) == (CODE, action, subcode, octets)
    assert update.action is action
    assert update.attributes.aggregator is None
    assert (len(update.announced_nlri), len(update.withdrawn_nlri)) == (
        (1, 0) if action is Action.DISCARD_ATTRIBUTE else (0, 1)
    )
