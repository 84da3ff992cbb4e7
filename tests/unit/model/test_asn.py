import pytest
from hypothesis import given
from hypothesis import strategies as st

from anycastle.base.errors import ParseError
from anycastle.model.asn import AS_TRANS, ASN, is_documentation, is_private, is_reserved, parse_asn

NUMBERS = st.integers(0, 0xFFFFFFFF)


@pytest.mark.rfc("5396", "2")
@given(number=NUMBERS)
def test_every_form_of_a_number_is_read(number: int) -> None:
    for text in (number, str(number), f"AS{number}", f" as{number} ", f"{number >> 16}.{number & 0xFFFF}"):
        assert parse_asn(text) == number


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "'' is not an AS number; write 64500, AS64500 or 1.10"),
        ("ASx", "'ASx' is not an AS number; write 64500, AS64500 or 1.10"),
        ("-1", "write 64500, AS64500 or 1.10"),
        ("1.", "write 64500, AS64500 or 1.10"),
        ("1.2.3", "write 64500, AS64500 or 1.10"),
        ("٦٤٥٠٠", "write 64500, AS64500 or 1.10"),
        ("00000064500", "write 64500, AS64500 or 1.10"),
        ("65536.1", "each half of the dotted form is at most 65535"),
        ("1.65536", "each half of the dotted form is at most 65535"),
        ("4294967296", "the largest is 4294967295"),
    ],
)
def test_what_is_wrong_is_said(text: str, why: str) -> None:
    with pytest.raises(ParseError) as error:
        parse_asn(text)
    assert why in str(error.value)


@pytest.mark.rfc("6996", "5")
@pytest.mark.rfc("5398", "3")
@pytest.mark.parametrize(
    ("asn", "private", "documentation", "reserved"),
    [
        (0, False, False, True),
        (23456, False, False, True),
        (64495, False, False, False),
        (64496, False, True, False),
        (64511, False, True, False),
        (64512, True, False, False),
        (65534, True, False, False),
        (65535, False, False, True),
        (65536, False, True, False),
        (65551, False, True, False),
        (65552, False, False, False),
        (4199999999, False, False, False),
        (4200000000, True, False, False),
        (4294967294, True, False, False),
        (4294967295, False, False, True),
    ],
)
def test_ranges_with_a_purpose(asn: int, private: bool, documentation: bool, reserved: bool) -> None:
    number = ASN(asn)
    assert (is_private(number), is_documentation(number), is_reserved(number)) == (private, documentation, reserved)


@given(number=NUMBERS)
def test_no_number_has_two_purposes(number: int) -> None:
    asn = ASN(number)
    assert is_private(asn) + is_documentation(asn) + is_reserved(asn) <= 1


def test_as_trans() -> None:
    assert AS_TRANS == 23456
