from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anycastle.base.errors import MisuseError, ParseError
from anycastle.model.prefix import Family, Prefix, family_of, parse_address, parse_prefix


@st.composite
def prefixes(draw: st.DrawFn) -> Prefix:
    family = draw(st.sampled_from(Family))
    length = draw(st.integers(0, family.bits))
    return Prefix(family, draw(st.integers(0, (1 << length) - 1)) << (family.bits - length), length)


@given(prefix=prefixes())
def test_text_comes_back(prefix: Prefix) -> None:
    assert parse_prefix(str(prefix)) == prefix
    assert parse_prefix(f"  {prefix}\n") == prefix


@given(prefix=prefixes())
def test_it_agrees_with_the_standard_library(prefix: Prefix) -> None:
    network = ip_network(str(prefix))
    assert (network.network_address, network.prefixlen) == (prefix.first, prefix.length)
    assert int(network.hostmask) == prefix.host_mask


@given(first=prefixes(), second=prefixes())
def test_containing_and_overlapping_agree_with_the_standard_library(first: Prefix, second: Prefix) -> None:
    same = first.family is second.family
    one, other = ip_network(str(first)), ip_network(str(second))
    assert first.contains(second) == (same and other.subnet_of(one))  # type: ignore[arg-type]
    assert first.overlaps(second) == (same and one.overlaps(other))
    assert first.overlaps(second) == second.overlaps(first)
    assert first.contains(second.first) == (same and other.network_address in one)


@given(prefix=prefixes())
def test_a_covering_prefix_sorts_first(prefix: Prefix) -> None:
    if prefix.length:
        length = prefix.length - 1
        mask = (1 << (prefix.family.bits - length)) - 1
        assert Prefix(prefix.family, prefix.network & ~mask, length) < prefix


def test_a_prefix_is_no_other_familys() -> None:
    assert not parse_prefix("::/0").contains(IPv4Address("192.0.2.1"))
    assert not parse_prefix("0.0.0.0/0").overlaps(parse_prefix("::/0"))


@pytest.mark.parametrize(
    ("family", "network", "length", "why"),
    [
        (Family.IPV4, 0, 33, "length 33 is outside 0..32"),
        (Family.IPV6, 0, -1, "length -1 is outside 0..128"),
        (Family.IPV4, 1, 24, "network 0x1 does not fit a /24"),
        (Family.IPV4, 1 << 32, 32, "network 0x100000000 does not fit a /32"),
    ],
)
def test_a_prefix_that_cannot_be_is_a_misuse(family: Family, network: int, length: int, why: str) -> None:
    with pytest.raises(MisuseError, match=f"^{why}$"):
        Prefix(family, network, length)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("192.0.2.0", "'192.0.2.0' has no length; write 192.0.2.0/24 or the like"),
        ("192.0.2.1/24", "'192.0.2.1/24' has bits set beyond /24; did you mean 192.0.2.0/24?"),
        ("2001:db8::1/48", "'2001:db8::1/48' has bits set beyond /48; did you mean 2001:db8::/48?"),
        ("192.0.2.0/33", "'192.0.2.0/33': the length is a number from 0 to 32"),
        ("192.0.2.0/0000006418", "the length is a number from 0 to 32"),
        ("192.0.2.0/99999999999999999999", "the length is a number from 0 to 32"),
        ("192.0.2.0/٣", "the length is a number from 0 to 32"),
        ("192.0.2.0/", "the length is a number from 0 to 32"),
        ("::/129", "'::/129': the length is a number from 0 to 128"),
        ("192.0.2/24", "'192.0.2' is not an IPv4 or IPv6 address"),
        ("fe80::%eth0/64", "'fe80::%eth0' carries a scope; write the address alone"),
    ],
)
def test_what_is_wrong_is_said(text: str, why: str) -> None:
    with pytest.raises(ParseError) as error:
        parse_prefix(text)
    assert why in str(error.value)


@given(text=st.text(alphabet="0123456789abcdef:./% ", max_size=20))
def test_any_text_is_a_prefix_or_a_parse_error(text: str) -> None:
    with suppress(ParseError):
        assert parse_prefix(text).length <= 128


@given(address=st.ip_addresses())
def test_addresses_come_back(address: IPv4Address | IPv6Address) -> None:
    assert parse_address(str(address)) == address
    assert family_of(address).bits == address.max_prefixlen


def test_families() -> None:
    assert [(str(family), family.bits, family.longest_announced) for family in Family] == [
        ("ipv4", 32, 24),
        ("ipv6", 128, 48),
    ]
    assert family_of(ip_address("::1")) is Family.IPV6
