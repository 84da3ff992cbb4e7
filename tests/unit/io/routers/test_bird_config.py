from ipaddress import IPv4Address
from pathlib import Path

import pytest

from anycastle.base.errors import MisuseError
from anycastle.io.routers.bird_config import (
    EditedError,
    bird_snippet,
    format_extended,
    include_pattern,
    prefixes_of,
    render,
    symbols,
)
from anycastle.model.announcement import NOTHING, Announcement, RouteAttributes
from anycastle.model.asn import ASN
from anycastle.model.community import ExtendedCommunity, parse_community
from anycastle.model.pop import Location, PoP, Router
from anycastle.model.prefix import parse_prefix
from anycastle.model.upstream import Upstream, UpstreamKind


def pop(*upstreams: str) -> PoP:
    router = Router("bird", IPv4Address("10.0.0.1"))
    neighbours = tuple(Upstream(name, UpstreamKind.TRANSIT, ASN(64601), ()) for name in upstreams)
    return PoP("fra", "Frankfurt", Location(50.1, 8.7), "europe", router, neighbours)


def test_the_file_says_what_each_upstream_is_told() -> None:
    attributes = RouteAttributes(
        2, 5, 90, frozenset(map(parse_community, ("65535:0", "1:2", "64500:1:2", "rt:64500:1")))
    )
    wanted = frozenset(
        {
            Announcement(parse_prefix("192.0.2.0/24"), "t-1", attributes),
            Announcement(parse_prefix("192.0.2.0/24"), "t2"),
            Announcement(parse_prefix("2001:db8::/48"), "t2"),
        }
    )
    header, *lines = render(wanted, symbols(pop("t-1", "t2"))).splitlines()
    assert header.startswith("# Written by anycastle")
    assert lines == [
        "protocol static anycastle4 {",
        "  ipv4;",
        (
            "  route 192.0.2.0/24 blackhole { anycastle_t_1_prepend = 2; anycastle_t_1_med = 5; "
            "anycastle_t_1_preference = 90; "
            "anycastle_t_1_communities = add(add(-empty-, (1, 2)), (65535, 0)); "
            "anycastle_t_1_large = add(---empty---, (64500, 1, 2)); "
            "anycastle_t_1_extended = add(--empty--, (rt, 64500, 1)); anycastle_t2_prepend = 0; };"
        ),
        "}",
        "protocol static anycastle6 {",
        "  ipv6;",
        "  route 2001:db8::/48 blackhole { anycastle_t2_prepend = 0; };",
        "}",
    ]


def test_an_edit_is_found_by_the_files_own_hash() -> None:
    prefix = parse_prefix("192.0.2.0/24")
    text = render(frozenset({Announcement(prefix, "t1")}), symbols(pop("t1")))
    assert prefixes_of(text) == {prefix}
    assert prefixes_of(render(NOTHING, {})) == frozenset()
    for edited in (text + "\n", text.replace("= 0", "= 1"), text.partition("\n")[2], "", text.replace("sha256:", "")):
        with pytest.raises(EditedError):
            prefixes_of(edited)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("rt:64500:9", "(rt, 64500, 9)"),
        ("soo:4200000000:9", "(ro, 4200000000, 9)"),
        ("0x0300000000000001", "(generic, 0x03000000, 0x00000001)"),
    ],
)
@pytest.mark.rfc("4360", "4", "5")
@pytest.mark.rfc("5668", "2")
def test_extended_communities_in_birds_words(text: str, expected: str) -> None:
    community = parse_community(text)
    assert isinstance(community, ExtendedCommunity)
    assert format_extended(community) == expected


@pytest.mark.parametrize("names", [("t-1", "t.1"), ("x" * 60,)])
def test_upstreams_that_bird_cannot_name_are_refused(names: tuple[str, ...]) -> None:
    with pytest.raises(MisuseError):
        symbols(pop(*names))


def test_the_include_is_a_pattern_whose_folder_is_always_there() -> None:
    file = Path("/run/anycastle/bird/announcements.conf")
    assert include_pattern(file) == "/run/anycastl[e]/bird/announcements.conf"
    snippet = bird_snippet(ASN(64500), pop("t1"), file)
    assert 'include "/run/anycastl[e]/bird/announcements.conf";' in snippet
    assert "export where anycastle_export_t1();" in snippet
