from ipaddress import IPv4Address

import pytest

from anycastle.wire.bgp.attributes_codec import decode_attributes, encode_attributes
from anycastle.wire.bgp.codec import CodecOptions
from anycastle.wire.bgp.errors import Action
from tests.unit.wire.bgp.octets import FOUR, IBGP, announced_with, attribute

CODE, FLAGS = 9, 0x80


@pytest.mark.rfc("4456", "8")
@pytest.mark.parametrize(
    ("value", "expected", "options"),
    [
        ("c0000201", IPv4Address("192.0.2.1"), IBGP),
    ],
)
def test_values(value: str, expected: object, options: CodecOptions) -> None:
    octets = attribute(FLAGS, CODE, bytes.fromhex(value))
    update = announced_with(octets, options)
    assert update.errors == ()
    assert update.attributes.originator_id == expected
    again = encode_attributes(update.attributes, options)
    assert decode_attributes(again, options, has_nlri=True) == (update.attributes, ())


@pytest.mark.rfc("7606", "7.9")
@pytest.mark.parametrize(
    ("value", "action", "subcode", "options"),
    [
        ("c0000201", Action.DISCARD_ATTRIBUTE, 9, FOUR),
        ("c00002", Action.TREAT_AS_WITHDRAW, 5, IBGP),
        ("", Action.TREAT_AS_WITHDRAW, 5, IBGP),
    ],
)
def test_malformed_ones(value: str, action: Action, subcode: int, options: CodecOptions) -> None:
    octets = attribute(FLAGS, CODE, bytes.fromhex(value))
    update = announced_with(octets, options)
    (fault,) = update.errors
    assert (fault.code, fault.action, fault.subcode, fault.data) == (CODE, action, subcode, octets)
    assert update.action is action
    assert update.attributes.originator_id is None
    assert (len(update.announced_nlri), len(update.withdrawn_nlri)) == (
        (1, 0) if action is Action.DISCARD_ATTRIBUTE else (0, 1)
    )
