from ipaddress import IPv4Address

import pytest

from anycastle.model.asn import ASN
from anycastle.wire.bgp.attributes import Aggregator
from anycastle.wire.bgp.attributes_codec import decode_attributes, encode_attributes
from anycastle.wire.bgp.codec import CodecOptions
from anycastle.wire.bgp.errors import Action
from tests.unit.wire.bgp.octets import FOUR, TWO, announced_with, attribute

CODE, FLAGS = 7, 0xC0


@pytest.mark.rfc("4271", "4.3", "5.1.7")
@pytest.mark.rfc("6793", "4.1")
@pytest.mark.parametrize(
    ("value", "expected", "options"),
    [
        ("fa56ea01 c0000201", Aggregator(ASN(4200000001), IPv4Address("192.0.2.1")), FOUR),
        ("fbf5 c0000201", Aggregator(ASN(64501), IPv4Address("192.0.2.1")), TWO),
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
@pytest.mark.rfc("7606", "3.f", "7.7")
@pytest.mark.parametrize(
    ("value", "action", "subcode", "options"),
    [
        ("00000000 c0000201", Action.DISCARD_ATTRIBUTE, 9, FOUR),  # RFC 7607 §2
        ("fbf5 c0000201", Action.DISCARD_ATTRIBUTE, 5, FOUR),
        ("", Action.DISCARD_ATTRIBUTE, 5, FOUR),
        ("fa56ea01 c0000201", Action.DISCARD_ATTRIBUTE, 5, TWO),
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
