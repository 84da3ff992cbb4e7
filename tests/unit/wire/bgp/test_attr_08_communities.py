import pytest

from anycastle.model.community import BLACKHOLE, GRACEFUL_SHUTDOWN, NO_EXPORT, StandardCommunity
from anycastle.wire.bgp.attributes_codec import decode_attributes, encode_attributes
from anycastle.wire.bgp.codec import CodecOptions
from anycastle.wire.bgp.errors import Action
from tests.unit.wire.bgp.octets import FOUR, announced_with, attribute

CODE, FLAGS = 8, 0xC0


@pytest.mark.rfc("1997")
@pytest.mark.rfc("8326", "4")
@pytest.mark.rfc("7999", "5")
@pytest.mark.parametrize(
    ("value", "expected", "options"),
    [
        ("fbf50064", (StandardCommunity(64501, 100),), FOUR),
        ("ffff0000 ffff029a ffffff01", (GRACEFUL_SHUTDOWN, BLACKHOLE, NO_EXPORT), FOUR),
        (
            "00010002000100020001000200010002000100020001000200010002000100020001000200010002000100020001000200010002000100020001000200010002000100020001000200010002000100020001000200010002000100020001000200010002000100020001000200010002000100020001000200010002000100020001000200010002000100020001000200010002000100020001000200010002000100020001000200010002000100020001000200010002000100020001000200010002000100020001000200010002000100020001000200010002000100020001000200010002000100020001000200010002000100020001000200010002000100020001000200010002000100020001000200010002",
            (StandardCommunity(1, 2),) * 70,
            FOUR,
        ),
    ],
)
def test_values(value: str, expected: object, options: CodecOptions) -> None:
    octets = attribute(FLAGS, CODE, bytes.fromhex(value))
    update = announced_with(octets, options)
    assert update.errors == ()
    assert update.attributes.communities == expected
    again = encode_attributes(update.attributes, options)
    assert decode_attributes(again, options, has_nlri=True) == (update.attributes, ())


@pytest.mark.rfc("7606", "7.8")
@pytest.mark.parametrize(
    ("value", "action", "subcode", "options"),
    [
        ("", Action.TREAT_AS_WITHDRAW, 9, FOUR),
        ("fbf500", Action.TREAT_AS_WITHDRAW, 9, FOUR),
        ("fbf5006400", Action.TREAT_AS_WITHDRAW, 9, FOUR),
    ],
)
def test_malformed_ones(value: str, action: Action, subcode: int, options: CodecOptions) -> None:
    octets = attribute(FLAGS, CODE, bytes.fromhex(value))
    update = announced_with(octets, options)
    (fault,) = update.errors
    assert (fault.code, fault.action, fault.subcode, fault.data) == (CODE, action, subcode, octets)
    assert update.action is action
    assert update.attributes.communities == ()
    assert (len(update.announced_nlri), len(update.withdrawn_nlri)) == (
        (1, 0) if action is Action.DISCARD_ATTRIBUTE else (0, 1)
    )
