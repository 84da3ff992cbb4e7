import pytest

from anycastle.wire.bgp.error_codes import SUBCODES
from anycastle.wire.bgp.message import Notification
from anycastle.wire.bgp.notification import (
    CeaseSubcode,
    cease,
    code_name,
    decode_shutdown_communication,
    encode_shutdown_communication,
    format_notification,
    subcode_name,
)


@pytest.mark.rfc("9003", "2")
@pytest.mark.rfc("4486", "4")
def test_cease_with_a_reason() -> None:
    assert cease(CeaseSubcode.ADMINISTRATIVE_SHUTDOWN, "über") == Notification(6, 2, b"\x05\xc3\xbcber")
    assert cease(CeaseSubcode.ADMINISTRATIVE_RESET, "x") == Notification(6, 4, b"\x01x")
    assert cease(CeaseSubcode.ADMINISTRATIVE_SHUTDOWN) == Notification(6, 2)
    assert cease(CeaseSubcode.OUT_OF_RESOURCES, "not carried") == Notification(6, 8)


@pytest.mark.rfc("9003", "2")
@pytest.mark.parametrize("text", ["a" * 300, "ü" * 200, "€" * 100, "𝄞" * 70])
def test_a_long_reason_is_cut_at_a_characters_end(text: str) -> None:
    data = encode_shutdown_communication(text)
    kept = decode_shutdown_communication(data)
    assert data[0] == len(data) - 1 <= 255
    assert kept is not None
    assert text.startswith(kept)
    assert len(data) > 250


@pytest.mark.rfc("9003", "2", "4")
@pytest.mark.parametrize("data", [b"", b"\0", b"\x05abc", b"\x02\xc3\x28", b"\x01\xff"])
def test_no_reason_or_one_that_cannot_be_read(data: bytes) -> None:
    assert decode_shutdown_communication(data) is None


@pytest.mark.rfc("9003", "6")
def test_control_characters_never_reach_a_log() -> None:
    assert decode_shutdown_communication(b"\x08a\nb\x1b[2J\x00") == r"a\nb\x1b[2J\x00"


def test_a_lone_surrogate_is_replaced() -> None:
    assert encode_shutdown_communication("a\ud800") == b"\x02a?"


@pytest.mark.rfc("4271", "4.5")
@pytest.mark.parametrize(
    ("notification", "text"),
    [
        (Notification(6, 2, b"\x04rack"), 'Cease, Administrative Shutdown (6/2): "rack"'),
        (Notification(6, 2), "Cease, Administrative Shutdown (6/2)"),
        (Notification(6, 2, b"\x09rack"), "Cease, Administrative Shutdown (6/2): data 097261636b"),
        (Notification(6, 10), "Cease, BFD Down (6/10)"),
        (Notification(2, 2), "OPEN Message Error, Bad Peer AS (2/2)"),
        (Notification(2, 3), "OPEN Message Error, Bad BGP Identifier (2/3)"),
        (Notification(3, 6, b"\x01"), "UPDATE Message Error, Invalid ORIGIN Attribute (3/6): data 01"),
        (Notification(4, 0), "Hold Timer Expired (4/0)"),
        (Notification(4, 3), "Hold Timer Expired, subcode 3 (4/3)"),
        (Notification(2, 99), "OPEN Message Error, subcode 99 (2/99)"),
        (Notification(99, 0), "code 99 (99/0)"),
    ],
)
def test_text(notification: Notification, text: str) -> None:
    assert format_notification(notification) == text


def test_every_code_and_subcode_has_a_name() -> None:
    for code, subcodes in SUBCODES.items():
        assert not code_name(code).startswith("code")
        assert all(not subcode_name(code, subcode).startswith("subcode") for subcode in subcodes)
