"""The database answers as IRRd's manual says."""

import pytest

from anycastle.model.asn import ASN
from anycastle.model.irr import ASSet, AutNum, RouteObject, SetName
from anycastle.model.prefix import Family, parse_prefix
from anycastle.watch.irr.database import Database
from anycastle.wire.irr.objects import read_object
from anycastle.wire.irr.query import SetMembers, SetPrefixes, parse_query
from anycastle.wire.irr.reply import Data, NoSuchKey, Nothing, Refused, Reply
from anycastle.wire.irr.rpsl import RPSLObject, parse_rpsl


def route(prefix: str, asn: int, source: str = "RIPE") -> RouteObject:
    return RouteObject(parse_prefix(prefix), ASN(asn), source, ("X-MNT",))


ROUTES = [
    route("192.0.0.0/16", 1),
    route("192.0.2.0/23", 2),
    route("192.0.2.0/24", 3),
    route("192.0.2.0/24", 4, "RADB"),
    route("192.0.2.128/25", 3),
    route("192.0.3.0/24", 3),
    route("2001:db8::/32", 3),
]
DATABASE = Database(
    [*ROUTES, ASSet(SetName("AS-X"), (ASN(3), SetName("AS-Y")), source="RIPE"),
     ASSet(SetName("AS-Y"), (ASN(4), SetName("AS-X")), source="RADB"), AutNum(ASN(3), "THREE", source="RADB")]
)  # fmt: skip


def asked(line: str, *sources: str) -> Reply:
    return DATABASE.answer(parse_query(line), sources)


def routes(reply: Reply) -> list[str]:
    assert isinstance(reply, Data)
    read = [read_object(each) for each in parse_rpsl(reply.text.splitlines()) if isinstance(each, RPSLObject)]
    return [f"{each.prefix} {each.origin}" for each in read if isinstance(each, RouteObject)]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("!r192.0.2.0/24", ["192.0.2.0/24 3", "192.0.2.0/24 4"]),
        ("!r192.0.2.0/24,l", ["192.0.2.0/23 2"]),
        ("!r192.0.2.0/24,L", ["192.0.2.0/24 3", "192.0.2.0/24 4", "192.0.2.0/23 2", "192.0.0.0/16 1"]),
        ("!r192.0.2.0/23,M", ["192.0.2.0/24 3", "192.0.2.0/24 4", "192.0.2.128/25 3", "192.0.3.0/24 3"]),
        ("!r192.0.2.200,l", ["192.0.2.128/25 3"]),
    ],
)
def test_searches_for_routes(line: str, found: list[str]) -> None:
    assert routes(asked(line)) == found


def test_lists_of_words() -> None:
    assert asked("!r192.0.2.0/24,o") == Data("AS3 AS4")
    assert asked("!gAS3") == Data("192.0.2.0/24 192.0.2.128/25 192.0.3.0/24")
    assert asked("!6AS3") == Data("2001:db8::/32")
    assert asked("!iAS-X") == Data("AS3 AS-Y")
    assert asked("!iAS-X,1") == Data("AS3 AS4")
    assert asked("!a4AS-X") == Data("192.0.2.0/24 192.0.2.128/25 192.0.3.0/24")
    assert asked("!aAS-Y") == Data("192.0.2.0/24 192.0.2.128/25 192.0.3.0/24 2001:db8::/32")
    assert asked("!s-lc") == Data("RIPE,RADB")


def test_sources_are_a_choice_and_an_order() -> None:
    assert routes(asked("!r192.0.2.0/24", "RADB", "RIPE")) == ["192.0.2.0/24 4", "192.0.2.0/24 3"]
    assert asked("!gAS4", "RIPE") == NoSuchKey()
    assert asked("!iAS-X,1", "RIPE") == Data("AS3")
    assert asked("!s-lc", "RADB") == Data("RADB")
    assert asked("!sRADB") == Nothing()
    assert isinstance(asked("!sRADB,LEVEL3"), Refused)
    assert isinstance(asked("!gAS3", "LEVEL3"), Refused)


def test_objects_by_key() -> None:
    assert asked("!maut-num,AS3") == Data("aut-num:        AS3\nas-name:        THREE\nsource:         RADB")
    assert isinstance(asked("!mas-set,AS-X"), Data)
    assert routes(asked("!mroute,192.0.2.0/24AS4")) == ["192.0.2.0/24 4"]
    assert asked("!mas-set,AS-Z") == NoSuchKey()
    assert asked("!mperson,X") == NoSuchKey()
    assert isinstance(asked("!maut-num,THREE"), Refused)


def test_what_is_not_there() -> None:
    for line in ("!r198.51.100.0/24", "!r192.0.2.128/25,M", "!gAS9", "!iAS-Z", "!iAS-Z,1", "!a4AS-Z", "!r0.0.0.0/0,l"):
        assert asked(line) == NoSuchKey(), line
    assert asked("!a") == Refused("Missing required set name for A query")
    assert Database().sources == ()
    assert len(routes(asked("!r0.0.0.0/0,M"))) == len([each for each in ROUTES if each.prefix.family is Family.IPV4])


def test_a_set_of_too_many_sets_is_refused_and_not_cut() -> None:
    first = SetName("AS-0")
    sets = [ASSet(SetName(f"AS-{number}"), (SetName(f"AS-{number + 1}"), ASN(number + 1))) for number in range(60_000)]
    database = Database(sets)
    for query in (SetMembers(first, recursive=True), SetPrefixes(first)):
        assert database.answer(query) == Refused("more than 50000 sets")
    whole = database.answer(SetMembers(SetName("AS-59000"), recursive=True))
    assert isinstance(whole, Data)
    assert len(whole.items) == 1000
