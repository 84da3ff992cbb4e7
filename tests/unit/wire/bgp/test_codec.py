import pytest

from anycastle.base.errors import MisuseError
from anycastle.base.limits import RECEIVE_BUFFER_MAX
from anycastle.model.prefix import parse_prefix
from anycastle.wire.bgp.codec import BEFORE_OPEN, CodecOptions, Framer, decode_message, encode_message
from anycastle.wire.bgp.errors import NotificationError
from anycastle.wire.bgp.message import Keepalive, Notification, RouteRefresh, Update
from anycastle.wire.bgp.nlri import NLRI
from tests.unit.wire.bgp.octets import FOUR, TWO, message, update_octets

KEEPALIVE = message(4, b"")


@pytest.mark.rfc("4271", "4.4")
def test_keepalive_is_a_header() -> None:
    assert encode_message(Keepalive(), BEFORE_OPEN) == KEEPALIVE == bytes.fromhex("ff" * 16 + "001304")
    assert decode_message(KEEPALIVE, BEFORE_OPEN) == Keepalive()


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_any_bytes_like_is_taken(kind: type) -> None:
    assert decode_message(kind(KEEPALIVE), BEFORE_OPEN) == Keepalive()


def _error(octets: bytes, options: CodecOptions = TWO) -> tuple[int, int, bytes]:
    framer = Framer(options)
    framer.feed(octets)
    with pytest.raises(NotificationError) as framed:
        list(framer)
    with pytest.raises(NotificationError) as decoded:
        decode_message(octets, options)
    assert framed.value.args == decoded.value.args
    return framed.value.code, framed.value.subcode, framed.value.data


@pytest.mark.rfc("4271", "6.1")
def test_marker_that_is_not_all_ones() -> None:
    for index in range(16):
        octets = bytearray(KEEPALIVE)
        octets[index] = 0x7F
        assert _error(bytes(octets)) == (1, 1, b"")


@pytest.mark.rfc("4271", "6.1")
@pytest.mark.parametrize(
    ("kind", "length"),
    [(1, 28), (1, 4097), (2, 22), (2, 4097), (3, 20), (3, 4097), (4, 18), (4, 20), (4, 0), (5, 18), (5, 4097)],
)
def test_length_out_of_bounds_comes_back_in_the_data(kind: int, length: int) -> None:
    octets = b"\xff" * 16 + length.to_bytes(2) + bytes((kind,)) + bytes(max(0, length - 19))
    assert _error(octets) == (1, 2, length.to_bytes(2))


@pytest.mark.rfc("4271", "6.1")
@pytest.mark.parametrize("kind", [0, 6, 255])
def test_unknown_type_comes_back_in_the_data(kind: int) -> None:
    assert _error(message(kind, b"")) == (1, 3, bytes((kind,)))


@pytest.mark.rfc("8654", "3", "4", "5")
def test_extended_messages_only_once_agreed_and_never_for_open_and_keepalive() -> None:
    octets = message(3, b"\x06\x02" + bytes(5000))
    extended = CodecOptions(extended_message=True)
    assert _error(octets)[:2] == (1, 2)
    notification = decode_message(octets, extended)
    assert encode_message(notification, extended) == octets
    assert encode_message(notification, TWO) == message(3, b"\x06\x02" + bytes(4075))  # cut to fit
    assert _error(message(1, bytes(5000)), extended)[:2] == (1, 2)
    assert _error(message(4, b"\0"), extended)[:2] == (1, 2)


@pytest.mark.rfc("4271", "6.1")
def test_a_message_that_is_not_whole_is_refused() -> None:
    for octets in (b"", KEEPALIVE[:18], KEEPALIVE + b"\0", update_octets()[:-1]):
        with pytest.raises(NotificationError) as error:
            decode_message(octets, TWO)
        assert (error.value.code, error.value.subcode) == (1, 2)


@pytest.mark.rfc("4271", "4.5")
def test_notification_keeps_codes_that_are_not_known() -> None:
    notification = Notification(99, 7, b"\x01\x02")
    octets = encode_message(notification, TWO)
    assert octets == message(3, b"\x63\x07\x01\x02")
    assert decode_message(octets, TWO) == notification


@pytest.mark.rfc("2918", "3")
@pytest.mark.rfc("7313", "3.2")
@pytest.mark.parametrize("subtype", [0, 1, 2, 200])
def test_route_refresh(subtype: int) -> None:
    octets = message(5, bytes((0, 2, subtype, 1)))
    assert decode_message(octets, TWO) == RouteRefresh(2, 1, subtype)
    assert encode_message(RouteRefresh(2, 1, subtype), TWO) == octets


@pytest.mark.rfc("7313", "5")
@pytest.mark.parametrize("body", ["000101", "00010101ff", "0001020101"])
def test_marked_refresh_of_a_wrong_length_sends_the_message_back(body: str) -> None:
    octets = message(5, bytes.fromhex(body))
    with pytest.raises(NotificationError) as error:
        decode_message(octets, TWO)
    assert (error.value.code, error.value.subcode, error.value.data) == (7, 1, octets)


@pytest.mark.rfc("4271", "6.1")
@pytest.mark.parametrize("body", ["", "0001", "0001 00 01 ff", "0001c8"])
def test_plain_refresh_of_a_wrong_length(body: str) -> None:
    with pytest.raises(NotificationError) as error:
        decode_message(message(5, bytes.fromhex(body)), TWO)
    assert (error.value.code, error.value.subcode) == (1, 2)


@pytest.mark.rfc("7313", "5")
def test_refresh_of_an_unknown_subtype_is_left_to_be_ignored_whatever_its_length() -> None:
    assert decode_message(message(5, bytes.fromhex("0001c801ffff")), TWO) == RouteRefresh(1, 1, 200)


def test_framer_gives_messages_as_they_become_whole() -> None:
    framer = Framer(FOUR)
    stream = KEEPALIVE + update_octets() + KEEPALIVE
    framer.feed(stream[:30])
    assert list(framer) == [KEEPALIVE]
    assert framer.buffered == 11
    framer.feed(stream[30:])
    assert list(framer) == [update_octets(), KEEPALIVE]
    assert list(framer) == []
    assert framer.buffered == 0


def test_framer_gives_what_came_before_a_bad_header_and_then_fails_for_good() -> None:
    framer = Framer()
    framer.feed(KEEPALIVE + bytes(19))
    given = iter(framer)
    assert next(given) == KEEPALIVE
    for _ in range(2):
        with pytest.raises(NotificationError):
            list(framer)


def test_framer_applies_new_options_to_the_next_message() -> None:
    octets = message(3, b"\x06\x02" + bytes(5000))
    framer = Framer()
    framer.feed(KEEPALIVE + octets)
    given = iter(framer)
    assert next(given) == KEEPALIVE
    framer.options = CodecOptions(extended_message=True)
    assert next(given) == octets


def test_framer_buffer_is_bounded() -> None:
    framer = Framer()
    framer.feed(KEEPALIVE[:10])
    with pytest.raises(MisuseError, match="receive buffer"):
        framer.feed(bytes(RECEIVE_BUFFER_MAX))
    framer.feed(KEEPALIVE[10:])
    assert list(framer) == [KEEPALIVE]


@pytest.mark.rfc("4271", "4.1")
def test_encoding_refuses_what_is_over_the_limit() -> None:
    routes = tuple(NLRI(parse_prefix(f"10.{high}.{low}.0/24")) for high in range(200) for low in range(256))
    with pytest.raises(MisuseError, match="over the session's limit"):
        encode_message(Update(withdrawn=routes[:2000]), TWO)
    with pytest.raises(MisuseError, match="split it"):
        encode_message(Update(withdrawn=routes), CodecOptions(extended_message=True))
