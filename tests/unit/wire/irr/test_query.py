"""Queries as IRRd's manual has them, both ways."""

import pytest

from anycastle.base.errors import MisuseError, ParseError
from anycastle.model.asn import ASN
from anycastle.model.irr import SetName
from anycastle.model.prefix import Family, parse_prefix
from anycastle.wire.irr.query import (
    Identify,
    KeepOpen,
    ListSources,
    ObjectByKey,
    OriginPrefixes,
    Query,
    Quit,
    Routes,
    Search,
    SetMembers,
    SetPrefixes,
    Timeout,
    UseSources,
    Version,
    encode_query,
    parse_query,
)

V4, V6 = parse_prefix("192.0.2.0/24"), parse_prefix("2001:db8::/32")
QUERIES: list[tuple[str, Query]] = [
    ("!!", KeepOpen()),
    ("!q", Quit()),
    ("!v", Version()),
    ("!s-lc", ListSources()),
    ("!nanycastle 0.1", Identify("anycastle 0.1")),
    ("!t600", Timeout(600)),
    ("!sRIPE,RADB", UseSources(("RIPE", "RADB"))),
    ("!iAS-EXAMPLE", SetMembers(SetName("AS-EXAMPLE"))),
    ("!iAS64500:AS-ALL,1", SetMembers(SetName("AS64500:AS-ALL"), recursive=True)),
    ("!gAS64500", OriginPrefixes(ASN(64500), Family.IPV4)),
    ("!6AS64500", OriginPrefixes(ASN(64500), Family.IPV6)),
    ("!a", SetPrefixes(None)),
    ("!aAS-X", SetPrefixes(SetName("AS-X"))),
    ("!a4AS-X", SetPrefixes(SetName("AS-X"), Family.IPV4)),
    ("!a6AS-X", SetPrefixes(SetName("AS-X"), Family.IPV6)),
    ("!r192.0.2.0/24", Routes(V4)),
    ("!r192.0.2.0/24,o", Routes(V4, Search.ORIGINS)),
    ("!r192.0.2.0/24,l", Routes(V4, Search.ONE_LESS_SPECIFIC)),
    ("!r192.0.2.0/24,L", Routes(V4, Search.LESS_SPECIFIC)),
    ("!r2001:db8::/32,M", Routes(V6, Search.MORE_SPECIFIC)),
    ("!maut-num,AS64500", ObjectByKey("aut-num", "AS64500")),
]


@pytest.mark.parametrize(("line", "query"), QUERIES)
def test_a_query_both_ways(line: str, query: Query) -> None:
    assert encode_query(query) == f"{line}\n".encode()
    assert parse_query(line) == query


def test_an_address_alone_is_its_longest_prefix() -> None:
    assert parse_query("!r192.0.2.1,L") == Routes(parse_prefix("192.0.2.1/32"), Search.LESS_SPECIFIC)
    assert parse_query("!r2001:db8::1") == Routes(parse_prefix("2001:db8::1/128"))


@pytest.mark.parametrize(
    "line",
    ["", "!", "!z", "!t", "!t0", "!t1001", "!tx", "!s", "!sRIPE;RADB", "!i", "!iEXAMPLE", "!iRIPE::AS-X", "!g", "!gX",
     "!6", "!a4X", "!r", "!rx", "!r192.0.2.1/24", "!r192.0.2.0/24,z", "!m", "!maut-num", "-x 192.0.2.0/24"],
)  # fmt: skip
def test_what_is_no_query(line: str) -> None:
    with pytest.raises(ParseError):
        parse_query(line)


@pytest.mark.parametrize("query", [Identify("two\n!q"), Identify("x" * 2000), ObjectByKey("person", "Zoë")])
def test_a_query_is_one_line_of_plain_characters(query: Query) -> None:
    with pytest.raises(MisuseError):
        encode_query(query)
