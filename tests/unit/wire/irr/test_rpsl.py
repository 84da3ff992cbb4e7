"""RPSL as registries write it, with the oddities that they let through."""

import pytest

from anycastle.base.errors import ParseError
from anycastle.model.asn import ASN
from anycastle.model.irr import ASSet, AutNum, RouteObject, SetName
from anycastle.model.prefix import parse_prefix
from anycastle.wire.irr.objects import read_object, write_object
from anycastle.wire.irr.rpsl import OBJECT_CHARACTERS_MAX, Damage, RPSLObject, format_rpsl, parse_rpsl

TEXT = """\
% This is the remark of a server

route:          192.0.2.0/24   # ours
descr:          the first line
                the second
+
+third, after a continuation that holds nothing
ORIGIN:         AS64500
mnt-by:         EXAMPLE-MNT, Other-Mnt
last-modified:  2025-11-03T10:20:30Z
source:         RIPE

route6:         2001:db8:53::/48
origin:         AS64500
mnt-by:         EXAMPLE-MNT
mnt-by:         SECOND-MNT
source:         RADB
\t
as-set:         AS64500:AS-ALL
members:        AS64500, AS64501,   # a comment between
\tas-customers
members:        RIPE::AS-OTHER AS1.10
mbrs-by-ref:    EXAMPLE-MNT
source:         RIPE

person:         Nobody
source:         RIPE


aut-num:        AS64500
as-name:        EXAMPLE
member-of:      AS64500:AS-ALL
source:         RIPE
"""


def objects(text: str) -> list[RPSLObject]:
    read = list(parse_rpsl(text.splitlines()))
    assert all(isinstance(each, RPSLObject) for each in read), read
    return read


@pytest.mark.rfc("2622", "2")
def test_continuations_comments_and_the_end_of_an_object() -> None:
    read = objects(TEXT)
    assert [each.kind for each in read] == ["route", "route6", "as-set", "person", "aut-num"]
    route = read[0]
    assert route.key == "192.0.2.0/24"
    assert route.first("descr") == "the first line the second third, after a continuation that holds nothing"
    assert route.items("mnt-by") == ("EXAMPLE-MNT", "Other-Mnt")
    assert read[2].first("members") == "AS64500, AS64501, as-customers"


@pytest.mark.rfc("2622", "4", "5.1", "6")
@pytest.mark.rfc("4012", "3")
def test_the_classes_that_matter_become_values() -> None:
    assert [read_object(each) for each in objects(TEXT)] == [
        RouteObject(
            parse_prefix("192.0.2.0/24"), ASN(64500), "RIPE", ("EXAMPLE-MNT", "OTHER-MNT"), "2025-11-03T10:20:30Z"
        ),
        RouteObject(parse_prefix("2001:db8:53::/48"), ASN(64500), "RADB", ("EXAMPLE-MNT", "SECOND-MNT")),
        ASSet(
            SetName("AS64500:AS-ALL"),
            (ASN(64500), ASN(64501), SetName("AS-CUSTOMERS"), SetName("AS-OTHER", "RIPE"), ASN(65546)),
            ("EXAMPLE-MNT",),
            "RIPE",
        ),
        None,
        AutNum(ASN(64500), "EXAMPLE", ("AS64500:AS-ALL",), "RIPE"),
    ]


def test_what_is_written_is_read_again() -> None:
    for each in objects(TEXT):
        assert objects(format_rpsl(each)) == [each]
        value = read_object(each)
        if value is not None:
            assert read_object(write_object(value)) == value


@pytest.mark.parametrize("cut", range(0, len(TEXT), 7))
def test_a_text_cut_anywhere_gives_what_was_whole_before(cut: int) -> None:
    whole = objects(TEXT)
    read = [each for each in parse_rpsl(TEXT[:cut].splitlines()) if isinstance(each, RPSLObject)]
    assert read[:-1] == whole[: max(0, len(read) - 1)]


def test_lines_that_are_no_rpsl_are_told_and_the_rest_is_read() -> None:
    lines = ["  nothing to go on with", "route: 192.0.2.0/24", "no colon here", "bad name: x", "origin: AS1", "", "x"]
    read = list(parse_rpsl(lines))
    assert [each.line for each in read if isinstance(each, Damage)] == [1, 3, 4, 7]
    assert [each for each in read if isinstance(each, RPSLObject)] == [
        RPSLObject((("route", "192.0.2.0/24"), ("origin", "AS1")))
    ]


def test_an_object_that_does_not_end_is_bounded() -> None:
    line = "descr: " + "x" * 65_000
    read = list(parse_rpsl([line] * 100))
    assert sum(isinstance(each, Damage) for each in read) == 100 - OBJECT_CHARACTERS_MAX // len(line)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("route: 192.0.2.1/24\norigin: AS1", "did you mean 192.0.2.0/24"),
        ("route: 2001:db8::/32\norigin: AS1", "the class of 2001:db8::/32 is route6"),
        ("route: 192.0.2.0/24", "'' is not an AS number"),
        ("as-set: EXAMPLE", "is not the name of an as-set"),
        ("aut-num: ASX", "is not an AS number"),
    ],
)
def test_an_object_that_cannot_be_read_says_which(text: str, said: str) -> None:
    (each,) = objects(text)
    with pytest.raises(ParseError, match=said) as error:
        read_object(each)
    assert str(error.value).startswith(f"{each.kind} {each.key}: ")


def test_what_would_steer_a_terminal_is_not_passed_on() -> None:
    (each,) = objects("aut-num: AS64500\nas-name: \x1b[2J\x07EX\tAMPLE\nsource: RIPE")
    assert each.first("as-name") == "\ufffd[2J\ufffdEX AMPLE"


def test_members_that_are_neither_are_kept_apart() -> None:
    (each,) = objects("as-set: AS-X\nmembers: AS1, AS-ANY, 192.0.2.0/24, AS-Y\nsource: RIPE")
    value = read_object(each)
    assert isinstance(value, ASSet)
    assert value.members == (ASN(1), SetName("AS-Y"))
    assert value.unreadable == ("AS-ANY", "192.0.2.0/24")
