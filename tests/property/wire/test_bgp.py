from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anycastle.model.prefix import Family
from anycastle.wire.bgp.attributes import PathAttributes
from anycastle.wire.bgp.codec import CodecOptions, Framer, decode_message, encode_message
from anycastle.wire.bgp.errors import Malformed, NotificationError
from anycastle.wire.bgp.flowspec import FlowRule, decode_flowspec, encode_flowspec
from anycastle.wire.bgp.message import Message, Update
from anycastle.wire.bgp.nlri import NLRI
from anycastle.wire.bgp.notification import (
    decode_shutdown_communication,
    encode_shutdown_communication,
    format_notification,
)
from anycastle.wire.bgp.packing import pack_announcements, pack_withdrawals
from tests.property.wire import bgp_values

OPTIONS = st.builds(
    CodecOptions,
    four_octet_asn=st.booleans(),
    extended_message=st.booleans(),
    add_path_receive=st.sampled_from((frozenset(), bgp_values.BOTH)),
    ebgp=st.booleans(),
    confederation=st.booleans(),
    first_asn=st.none() | bgp_values.asns,
)


@given(st.sampled_from((1, 2, 3, 4, 5)), st.binary(max_size=200), OPTIONS)
def test_arbitrary_bodies_raise_nothing_but_a_notification(kind: int, body: bytes, options: CodecOptions) -> None:
    octets = b"\xff" * 16 + (19 + len(body)).to_bytes(2) + bytes((kind,)) + body
    with suppress(NotificationError):
        decode_message(octets, options)


@given(st.binary(max_size=100), OPTIONS)
def test_arbitrary_octets_raise_nothing_but_a_notification(octets: bytes, options: CodecOptions) -> None:
    framer = Framer(options)
    framer.feed(octets)
    with suppress(NotificationError):
        list(framer)
    with suppress(NotificationError):
        decode_message(octets, options)


@pytest.mark.rfc("7606", "2")
@given(bgp_values.updates(), st.data())
def test_an_update_with_an_octet_changed_is_survived_or_refused(
    generated: tuple[Update, CodecOptions], data: st.DataObject
) -> None:
    update, options = generated
    octets = bytearray(encode_message(update, options))
    index = data.draw(st.integers(0, len(octets) - 1))
    octets[index] = data.draw(st.integers(0, 255))
    with suppress(NotificationError):
        decoded = decode_message(octets, options)
        if isinstance(decoded, Update) and decoded.announced_nlri:
            assert decoded.attributes.origin is not None
            assert decoded.attributes.as_path is not None


@pytest.mark.rfc("4271", "4.3")
@pytest.mark.rfc("6793", "4.2")
@given(bgp_values.updates())
def test_updates_come_back(generated: tuple[Update, CodecOptions]) -> None:
    update, options = generated
    octets = encode_message(update, options)
    decoded = decode_message(octets, options)
    if options.four_octet_asn or update.attributes.as_path is None:
        assert decoded == update
    else:  # segments on both sides of the seam may be joined
        assert isinstance(decoded, Update)
        assert str(decoded.attributes.as_path) == str(update.attributes.as_path)
        assert decoded.attributes.aggregator == update.attributes.aggregator
    assert decode_message(encode_message(decoded, options), options) == decoded


@given(bgp_values.others)
def test_other_messages_come_back(message: Message) -> None:
    options = CodecOptions()
    octets = encode_message(message, options)
    assert decode_message(octets, options) == message
    assert encode_message(message, options) == octets


@given(st.lists(bgp_values.others | bgp_values.updates().map(lambda pair: pair[0]), max_size=5), st.data())
def test_framing_does_not_depend_on_how_octets_arrive(messages: list[Message], data: st.DataObject) -> None:
    options = CodecOptions(four_octet_asn=True)
    wanted = [encode_message(message, options) for message in messages]
    stream = b"".join(wanted)
    framer = Framer(options)
    given_messages: list[bytes] = []
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        framer.feed(stream[:size])
        given_messages += list(framer)
        stream = stream[size:]
    assert given_messages == wanted
    assert framer.buffered == 0


@pytest.mark.rfc("8955", "4")
@pytest.mark.rfc("8956", "3")
@given(st.data())
def test_flow_rules_come_back(data: st.DataObject) -> None:
    family = data.draw(st.sampled_from(Family))
    rules: tuple[FlowRule, ...] = tuple(data.draw(st.lists(bgp_values.flow_rules(family), max_size=3)))
    assert decode_flowspec(encode_flowspec(rules), family.value) == rules
    assert all(str(rule) for rule in rules)


@given(st.binary(max_size=60), st.sampled_from((1, 2)))
def test_flow_rules_that_can_be_read_can_be_written(octets: bytes, afi: int) -> None:
    rules = decode_flowspec(octets, afi)
    if not isinstance(rules, Malformed):
        assert decode_flowspec(encode_flowspec(rules), afi) == rules


@given(
    st.lists(st.sampled_from(Family).flatmap(lambda family: bgp_values.routes(family, add_path=True)), max_size=60),
    bgp_values.paths,
    st.booleans(),
)
def test_packing_loses_and_adds_nothing(routes: list[NLRI], path: object, four: bool) -> None:
    options = CodecOptions(four_octet_asn=four, add_path_send=bgp_values.BOTH, add_path_receive=bgp_values.BOTH)
    attributes = PathAttributes(origin=bgp_values.Origin.IGP, as_path=path)  # type: ignore[arg-type]
    hops = (bgp_values.IPv4Address("192.0.2.1"), bgp_values.IPv6Address("2001:db8::1"))
    in_order = sorted(routes, key=lambda route: route.prefix.family)
    announced = pack_announcements(routes, attributes, hops, options)
    assert [route for update in announced for route in update.announced_nlri] == in_order
    withdrawn = pack_withdrawals(routes, options)
    assert [route for update in withdrawn for route in update.withdrawn_nlri] == in_order
    for update in (*announced, *withdrawn):
        assert len(encode_message(update, options)) <= 4096


@pytest.mark.rfc("9003", "2")
@given(st.text(max_size=300))
def test_shutdown_communication_is_a_prefix_of_what_was_meant(text: str) -> None:
    data = encode_shutdown_communication(text)
    assert len(data) <= 256
    assert text.encode("utf-8", "replace").startswith(data[1:])
    kept = decode_shutdown_communication(data)
    assert kept is None or kept.isprintable()


@given(st.integers(0, 255), st.integers(0, 255), st.binary(max_size=300))
def test_every_notification_has_a_text(code: int, subcode: int, data: bytes) -> None:
    text = format_notification(bgp_values.Notification(code, subcode, data))
    assert text.isprintable()
    assert len(text) < 1200
