import pytest

from anycastle.model.prefix import Family, parse_prefix
from anycastle.wire.bgp.attributes import Aggregator, Origin, PathAttributes, UnknownAttribute
from anycastle.wire.bgp.codec import decode_message, encode_message
from anycastle.wire.bgp.errors import Action, AttributeFault
from anycastle.wire.bgp.family import format_family
from anycastle.wire.bgp.message import Update
from anycastle.wire.bgp.nlri import NLRI, MPReach, MPUnreach
from tests.unit.wire.bgp.octets import FOUR, message

A, B, C, D = (NLRI(parse_prefix(text)) for text in ("10.0.0.0/8", "11.0.0.0/8", "2001:db8::/32", "2001:db9::/32"))
ATTRIBUTES = PathAttributes(mp_reach=MPReach(2, 1, (), (C,)), mp_unreach=MPUnreach(2, 1, (D,)))


@pytest.mark.rfc("4724", "2")
@pytest.mark.parametrize(
    ("family", "body"), [(Family.IPV4, "0000 0000"), (Family.IPV6, "0000 0006 800f03 0002 01")], ids=str
)
def test_end_of_rib(family: Family, body: str) -> None:
    update = Update.end_of_rib(family)
    octets = message(2, bytes.fromhex(body))
    assert update.end_of_rib_family is family
    assert encode_message(update, FOUR) == octets
    assert decode_message(octets, FOUR) == update


@pytest.mark.rfc("4724", "2")
@pytest.mark.parametrize(
    "update",
    [
        Update(withdrawn=(A,)),
        Update(nlri=(A,)),
        Update(attributes=PathAttributes(origin=Origin.IGP)),
        Update(attributes=PathAttributes(mp_unreach=MPUnreach(2, 1, (C,)))),
        Update(attributes=PathAttributes(mp_unreach=MPUnreach(2, 1), origin=Origin.IGP)),
        Update(attributes=PathAttributes(mp_unreach=MPUnreach(25, 70))),
        Update(attributes=PathAttributes(mp_unreach=MPUnreach(1, 133, opaque=b"\x03\x01\x08\x0a"))),
        Update(errors=(AttributeFault(1, Action.DISCARD_ATTRIBUTE, ""),)),
    ],
)
def test_what_is_no_end_of_rib(update: Update) -> None:
    assert update.end_of_rib_family is None


def test_end_of_rib_of_ipv4_in_its_multiprotocol_form() -> None:
    assert Update(attributes=PathAttributes(mp_unreach=MPUnreach(1, 1))).end_of_rib_family is Family.IPV4


def test_routes_of_a_message_without_faults() -> None:
    update = Update((A,), ATTRIBUTES, (B,))
    assert update.action is None
    assert (update.announced_nlri, update.withdrawn_nlri) == ((B, C), (A, D))
    assert Update((A,), nlri=(B,)).announced_nlri == (B,)


@pytest.mark.rfc("7606", "2", "3.h")
def test_the_most_severe_action_decides_what_happens_to_the_routes() -> None:
    discard = AttributeFault(7, Action.DISCARD_ATTRIBUTE, "AGGREGATOR of 1 octets")
    withdraw = AttributeFault(4, Action.TREAT_AS_WITHDRAW, "MULTI_EXIT_DISC of 3 octets")
    mild = Update((A,), ATTRIBUTES, (B,), (discard,))
    assert (mild.action, mild.announced_nlri) == (Action.DISCARD_ATTRIBUTE, (B, C))
    severe = Update((A,), ATTRIBUTES, (B,), (discard, withdraw, discard))
    assert severe.action is Action.TREAT_AS_WITHDRAW
    assert (severe.announced_nlri, severe.withdrawn_nlri) == ((), (A, D, B, C))
    assert Update((A,), nlri=(B,), errors=(withdraw,)).withdrawn_nlri == (A, B)


def test_texts() -> None:
    fault = AttributeFault(4, Action.TREAT_AS_WITHDRAW, "MULTI_EXIT_DISC of 3 octets")
    assert str(fault) == "attribute 4: MULTI_EXIT_DISC of 3 octets (treat-as-withdraw)"
    assert str(Origin.INCOMPLETE) == "incomplete"
    assert str(Aggregator(1, parse_prefix("10.0.0.1/32").first)) == "1 10.0.0.1"  # type: ignore[arg-type]
    assert format_family(2, 1) == "ipv6 unicast"
    assert format_family(25, 70) == "afi 25 safi 70"


@pytest.mark.rfc("4271", "5")
def test_an_unknown_transitive_attribute_is_passed_on_as_partial() -> None:
    attribute = UnknownAttribute(200, 0xC0, b"x")
    assert attribute.transitive
    assert attribute.passed_on() == UnknownAttribute(200, 0xE0, b"x")
    assert not UnknownAttribute(200, 0x80, b"x").transitive
