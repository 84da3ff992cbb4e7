"""Replies as BIRD 2.0.12 gave them."""

from ipaddress import ip_address

from anycastle.io.routers.bird_replies import (
    BGP,
    Protocol,
    attributes_of,
    parse_protocols,
    parse_routes,
    path_length,
    quoted,
    words_of,
)
from anycastle.io.routers.bird_socket import Reply
from anycastle.model.announcement import RouteAttributes
from anycastle.model.community import ExtendedCommunity, parse_community
from anycastle.model.prefix import Family, parse_prefix

PROTOCOLS = """\
2002-Name       Proto      Table      State  Since         Info
1002-device1    Device     ---        up     16:03:12.161
1006-
1002-t1         BGP        ---        up     2026-11-23    Established
1006-  BGP state:          Established
         Neighbor address: 10.9.1.2
         Neighbor AS:      64601
         Local capabilities
           Graceful restart
             Restart time: 120
         Neighbor capabilities
           Route refresh
           Graceful restart
       Channel ipv4
         State:          UP
         Routes:         7 imported, 2 exported, 0 preferred
       Channel ipv6
         State:          DOWN
1002-t2         BGP        ---        start  16:04:35.130  Active        Received: Administrative shutdown
1006-  BGP state:          Active
         Neighbor address: fe80::1%eth0
         Last error:       Received: Administrative shutdown
       Channel ipv4
         State:          DOWN
1002-rs         BGP        ---        start  16:04:35.130  Passive
1006-  BGP state:          Passive
         Neighbor range:   10.9.0.0/16
0000
"""

ROUTES = """\
1007-Table master4:
 192.0.2.0/24         blackhole [anycastle4 16:03:37.568] * (200)
1008-\tType: static univ
1012-\tBGP.as_path: 64500 64500
 \tBGP.med: 5
 \tBGP.local_pref: 90
 \tBGP.community: (65535,0)
 \t\t(1,2)
 \tBGP.ext_community: (rt, 64500, 1) (generic, 0x3000000, 0x1) (ro, 4200000000, 9)
 \tBGP.large_community: (64500, 1, 2)
 \tanycastle_t1_prepend: 0
 \tanycastle_t1_communities: (1,2)
1007-                     unicast [other 16:03:37.568] (100)
 2001:db8::/48        unreachable [anycastle6 2026-11-23] * (200)
1008-\tType: static univ
1012-\tanycastle_t1_prepend: 3
0000
"""


def reply(text: str) -> Reply:
    lines, code = [], 0
    for line in text.splitlines():
        if line[0] != " ":
            code = int(line[:4])
        lines.append((code, line[1:] if line[0] == " " else line[5:]))
    return Reply(code, tuple(lines))


def test_protocols() -> None:
    device, first, second, passive = parse_protocols(reply(PROTOCOLS))
    assert device == Protocol("device1", "Device", "up", "")
    assert first == Protocol(
        "t1",
        "BGP",
        "up",
        "Established",
        ip_address("10.9.1.2"),
        established=True,
        families=frozenset({Family.IPV4}),
        graceful_restart=True,
        imported=7,
    )
    assert (second.neighbour, second.established) == (ip_address("fe80::1"), False)
    assert second.last_error == "Received: Administrative shutdown"
    assert second.graceful_restart is None
    assert passive.neighbour is None


def test_routes() -> None:
    first, second, third = parse_routes(reply(ROUTES))
    assert [route.source for route in (first, second, third)] == ["anycastle4", "other", "anycastle6"]
    assert second.prefix == first.prefix == parse_prefix("192.0.2.0/24")
    assert third.prefix == parse_prefix("2001:db8::/48")
    texts = ("65535:0", "1:2", "rt:64500:1", "0x0300000000000001", "soo:4200000000:9", "64500:1:2")
    expected = RouteAttributes(2, 5, 90, frozenset(map(parse_community, texts)))
    assert attributes_of(first.fields, BGP, path_length(first.fields), {}) == expected
    told = RouteAttributes(communities=frozenset({parse_community("1:2")}))
    assert attributes_of(first.fields, words_of("anycastle_t1"), 0, {}) == told


def test_a_text_that_stands_for_several_communities_is_the_one_that_is_known() -> None:
    four_octet = ExtendedCommunity(0x0202 << 48 | 64500 << 16 | 1)  # written like the two-octet one
    (first, *_) = parse_routes(reply(ROUTES))
    found = attributes_of(first.fields, BGP, 0, {"(rt, 64500, 1)": four_octet})
    assert four_octet in found.communities


def test_names_that_are_no_plain_symbols_are_quoted() -> None:
    assert (quoted("t1_v4"), quoted("t-1")) == ("t1_v4", "'t-1'")
