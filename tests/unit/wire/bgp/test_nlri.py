import pytest

from anycastle.model.prefix import Family, parse_prefix
from anycastle.wire.bgp.errors import Malformed
from anycastle.wire.bgp.nlri import NLRI, decode_nlri, encode_nlri, encode_nlri_list


@pytest.mark.rfc("4271", "4.3")
@pytest.mark.rfc("4760", "5")
@pytest.mark.parametrize(
    ("text", "octets"),
    [
        ("0.0.0.0/0", "00"),
        ("128.0.0.0/1", "01 80"),
        ("192.0.2.0/24", "18 c00002"),
        ("192.0.2.128/25", "19 c0000280"),
        ("192.0.2.1/32", "20 c0000201"),
        ("::/0", "00"),
        ("2001:db8::/33", "21 20010db800"),
        ("2001:db8::1/128", "80 20010db8000000000000000000000001"),
    ],
)
def test_prefixes(text: str, octets: str) -> None:
    route = NLRI(parse_prefix(text))
    assert encode_nlri(route, add_path=False) == bytes.fromhex(octets)
    assert decode_nlri(bytes.fromhex(octets), route.prefix.family, add_path=False) == (route,)


@pytest.mark.rfc("4271", "4.3")
def test_bits_beyond_the_length_mean_nothing() -> None:
    expected = (NLRI(parse_prefix("192.0.2.128/25")), NLRI(parse_prefix("10.0.0.0/8")))
    assert decode_nlri(bytes.fromhex("19c00002ff 080a"), Family.IPV4, add_path=False) == expected


@pytest.mark.rfc("7911", "3")
def test_path_identifiers() -> None:
    routes = (NLRI(parse_prefix("10.0.0.0/8"), 7), NLRI(parse_prefix("10.0.0.0/8"), 0xFFFFFFFF))
    octets = bytes.fromhex("00000007 080a ffffffff 080a")
    assert encode_nlri_list(routes, add_path=True) == octets
    assert decode_nlri(octets, Family.IPV4, add_path=True) == routes
    assert encode_nlri(NLRI(parse_prefix("10.0.0.0/8")), add_path=True) == bytes.fromhex("00000000 080a")


@pytest.mark.rfc("7606", "5.3")
@pytest.mark.parametrize(
    ("octets", "family", "add_path"),
    [
        ("21 c000020100", Family.IPV4, False),
        ("81" + "00" * 17, Family.IPV6, False),
        ("18 c000", Family.IPV4, False),
        ("08", Family.IPV4, False),
        ("00000001", Family.IPV4, True),
        ("000001", Family.IPV4, True),
        ("00000001 18 c000", Family.IPV4, True),
    ],
)
def test_what_cannot_be_read(octets: str, family: Family, add_path: bool) -> None:
    assert isinstance(decode_nlri(bytes.fromhex(octets), family, add_path=add_path), Malformed)


def test_text() -> None:
    assert str(NLRI(parse_prefix("10.0.0.0/8"))) == "10.0.0.0/8"
    assert str(NLRI(parse_prefix("10.0.0.0/8"), 3)) == "10.0.0.0/8 path 3"
