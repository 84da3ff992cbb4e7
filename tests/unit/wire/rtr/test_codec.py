"""Captures by the layouts of RFC 8210 §5: decoded whole, cut at each offset, byte by byte, and encoded again."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anycastle.base.errors import MisuseError
from anycastle.model.asn import ASN
from anycastle.model.prefix import parse_prefix
from anycastle.model.rpki import ASPA, VRP
from anycastle.wire.rtr.codec import PDU_OCTETS_MAX, Framer, RTRError, decode_pdu, encode_pdu
from anycastle.wire.rtr.pdu import (
    ASPAPDU,
    PDU,
    CacheReset,
    CacheResponse,
    EndOfData,
    ErrorCode,
    ErrorReport,
    Intervals,
    PrefixPDU,
    ResetQuery,
    RouterKey,
    SerialNotify,
    SerialQuery,
)

V4 = VRP(parse_prefix("192.0.2.0/24"), 26, ASN(64500))
V6 = VRP(parse_prefix("2001:db8::/32"), 48, ASN(4200000001))

QUERY = bytes.fromhex("0102000000000008")
TWO = ASPA(ASN(64500), frozenset({ASN(64601), ASN(64602)}))

CAPTURES: list[tuple[int, str, PDU]] = [
    (1, "0100 1234 0000000c 00000007", SerialNotify(0x1234, 7)),
    (1, "0101 1234 0000000c 00000007", SerialQuery(0x1234, 7)),
    (1, "0102 0000 00000008", ResetQuery()),
    (1, "0103 1234 00000008", CacheResponse(0x1234)),
    (1, "0104 0000 00000014 01181a00 c0000200 0000fbf4", PrefixPDU(True, V4)),
    (0, "0004 0000 00000014 00181a00 c0000200 0000fbf4", PrefixPDU(False, V4)),
    (1, "0106 0000 00000020 01203000 20010db8000000000000000000000000 fa56ea01", PrefixPDU(True, V6)),
    (0, "0007 1234 0000000c 00000009", EndOfData(0x1234, 9)),
    (1, "0107 1234 00000018 00000009 00000e10 00000258 00001c20", EndOfData(0x1234, 9, Intervals(3600, 600, 7200))),
    (1, "0108 0000 00000008", CacheReset()),
    (1, "0109 0100 00000024" + "ab" * 20 + "0000fbf4 01020304", RouterKey(True, b"\xab" * 20, ASN(64500), b"\1\2\3\4")),
    (1, "010a 0002 0000001b 00000008 0102000000000008 00000003 6e6f74", ErrorReport(2, QUERY, "not")),
    (2, "020b 0100 00000014 0000fbf4 0000fc59 0000fc5a", ASPAPDU(True, TWO)),
    (2, "020b 0000 0000000c 0000fbf4", ASPAPDU(False, ASPA(ASN(64500), frozenset()))),
]  # fmt: skip


@pytest.mark.rfc("8210", "5")
@pytest.mark.mission("I8")
@pytest.mark.parametrize(("version", "text", "pdu"), CAPTURES, ids=[type(pdu).__name__ for _, _, pdu in CAPTURES])
def test_a_capture_is_decoded_and_encoded(version: int, text: str, pdu: PDU) -> None:
    octets = bytes.fromhex(text)
    assert decode_pdu(octets) == (version, pdu)
    assert encode_pdu(pdu, version) == octets


def test_an_aspa_in_the_layout_of_earlier_drafts_is_decoded() -> None:
    octets = bytes.fromhex("020b 0000 00000014 01000001 0000fbf4 0000fc59")
    assert decode_pdu(octets) == (2, ASPAPDU(True, ASPA(ASN(64500), frozenset({ASN(64601)}))))


def test_a_stream_is_cut_into_its_pdus_wherever_it_is_cut() -> None:
    stream = b"".join(bytes.fromhex(text) for _, text, _ in CAPTURES)
    expected = [pdu for _, _, pdu in CAPTURES]
    framer, found = Framer(), []
    for octet in stream:
        framer.feed(bytes((octet,)))
        found += [decode_pdu(raw)[1] for raw in framer]
    assert found == expected
    for cut in range(len(stream)):
        framer = Framer()
        framer.feed(stream[:cut])
        found = [decode_pdu(raw)[1] for raw in framer]
        framer.feed(stream[cut:])
        assert found + [decode_pdu(raw)[1] for raw in framer] == expected


@pytest.mark.rfc("8210", "5", "12")
@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("0304 0000 00000008", ErrorCode.UNSUPPORTED_VERSION),
        ("0105 0000 00000008", ErrorCode.UNSUPPORTED_PDU_TYPE),
        ("0009 0000 00000008", ErrorCode.UNSUPPORTED_PDU_TYPE),  # a Router Key in version 0
        ("010b 0100 00000010 0000fbf4 0000fc59", ErrorCode.UNSUPPORTED_PDU_TYPE),
        ("0103 1234 00000009 00", ErrorCode.CORRUPT_DATA),
        ("0107 1234 0000000c 00000009", ErrorCode.CORRUPT_DATA),  # version 0's End of Data in version 1
        ("0104 0000 00000014 01211a00 c0000200 0000fbf4", ErrorCode.CORRUPT_DATA),  # /33
        ("0104 0000 00000014 01181700 c0000200 0000fbf4", ErrorCode.CORRUPT_DATA),  # maximum below the length
        ("0104 0000 00000014 01181a00 c0000201 0000fbf4", ErrorCode.CORRUPT_DATA),  # host bits
        ("010a 0002 00000010 ffffffff 00000000", ErrorCode.CORRUPT_DATA),
        ("020b 0100 0000000c 0000fbf4", ErrorCode.CORRUPT_DATA),  # announced without providers
        ("0109 0100 00000008", ErrorCode.CORRUPT_DATA),
    ],
)
def test_what_cannot_be_is_an_error_with_its_code(text: str, code: ErrorCode) -> None:
    octets = bytes.fromhex(text)
    with pytest.raises(RTRError) as caught:
        decode_pdu(octets)
    assert caught.value.code is code
    assert caught.value.pdu == octets


@pytest.mark.parametrize("length", [0, 7, PDU_OCTETS_MAX + 1])
def test_a_length_that_cannot_be_is_corrupt(length: int) -> None:
    framer = Framer()
    framer.feed(b"\1\2\0\0" + length.to_bytes(4, "big") + b"\0" * 8)
    with pytest.raises(RTRError, match=f"{length} octets"):
        next(iter(framer))


def test_a_version_without_the_pdu_is_misuse() -> None:
    with pytest.raises(MisuseError, match="version 1 of RTR has no ASPA"):
        encode_pdu(ASPAPDU(True, ASPA(ASN(1), frozenset({ASN(2)}))), 1)


@given(st.binary(max_size=200))
def test_arbitrary_octets_raise_nothing_undeclared(octets: bytes) -> None:
    framer = Framer()
    framer.feed(octets)
    with contextlib.suppress(RTRError):
        for raw in framer:
            version, pdu = decode_pdu(raw)
            assert decode_pdu(encode_pdu(pdu, version)) == (version, pdu)
