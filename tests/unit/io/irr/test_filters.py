"""Filters as text; that routers take them, and for what they mean, is for the lab."""

import pytest

from anycastle.io.irr.filter_formats import COMMENTS, FILTER_FORMATS
from anycastle.model.irr import parse_member
from anycastle.model.prefix import Family, parse_prefix
from anycastle.watch.irr.prefix_filter import PrefixFilter, prefix_filter, symbol

PREFIXES = [parse_prefix(text) for text in ("192.0.2.0/25", "192.0.2.128/25", "198.51.100.0/24", "2001:db8::/32")]


def lines(router: str, family: Family, max_length: int | None = None) -> list[str]:
    return list(FILTER_FORMATS[router](prefix_filter("X", family, PREFIXES, max_length)))


def test_bird() -> None:
    assert lines("bird", Family.IPV4) == [
        "# 3 ipv4 prefixes; suggested: import limit 20 action restart;",
        "define X = [",
        "  192.0.2.0/24{25,25},",
        "  198.51.100.0/24",
        "];",
    ]
    assert lines("bird", Family.IPV6, 48)[1:] == ["define X = [", "  2001:db8::/32{32,48}", "];"]
    assert lines("bird", Family.IPV6, 16)[1:] == ["define X = [];"]


def test_frr() -> None:
    assert lines("frr", Family.IPV4) == [
        "! 3 ipv4 prefixes; suggested: neighbor ADDRESS maximum-prefix 20",
        "ip prefix-list X seq 5 permit 192.0.2.0/24 ge 25 le 25",
        "ip prefix-list X seq 10 permit 198.51.100.0/24",
        "ip prefix-list X seq 15 deny any",
    ]
    assert lines("frr", Family.IPV6, 48)[1] == "ipv6 prefix-list X seq 5 permit 2001:db8::/32 le 48"
    assert lines("frr", Family.IPV6, 16)[1:] == ["ipv6 prefix-list X seq 5 deny any"]


def test_what_is_longer_is_left_out_and_counted() -> None:
    made = prefix_filter("X", Family.IPV4, PREFIXES, 24)
    assert (made.registered, made.left_out) == (1, 2)
    assert made.accepts(parse_prefix("198.51.100.0/24"))
    assert not made.accepts(parse_prefix("192.0.2.0/25"))


@pytest.mark.parametrize(("registered", "limit"), [(0, 10), (1, 20), (30, 40), (40, 50), (41, 60), (1000, 1250)])
def test_the_suggested_limit_leaves_room(registered: int, limit: int) -> None:
    assert PrefixFilter("X", Family.IPV4, (), registered, 0).max_prefix == limit


def test_names_that_routers_take() -> None:
    assert symbol(map(parse_member, ("AS64500:AS-ALL", "RIPE::AS-X", "AS1"))) == "AS64500_AS_ALL_RIPE_AS_X_AS1"
    assert COMMENTS.keys() == FILTER_FORMATS.keys()
