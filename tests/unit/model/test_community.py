from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anycastle.base.errors import ParseError
from anycastle.model.community import (
    BLACKHOLE,
    GRACEFUL_SHUTDOWN,
    WELL_KNOWN,
    Community,
    ExtendedCommunity,
    LargeCommunity,
    StandardCommunity,
    parse_community,
)

TWO, FOUR = st.integers(0, 0xFFFF), st.integers(0, 0xFFFFFFFF)
COMMUNITIES = st.one_of(
    st.builds(StandardCommunity, TWO, TWO),
    st.builds(LargeCommunity, FOUR, FOUR, FOUR),
    st.builds(ExtendedCommunity, st.integers(0, 2**64 - 1)),
)


@pytest.mark.rfc("1997")
@pytest.mark.rfc("4360", "4", "5")
@pytest.mark.rfc("8092", "5")
@given(community=COMMUNITIES)
def test_text_comes_back(community: Community) -> None:
    read = parse_community(str(community))
    # A four-octet AS that would fit two octets has no text of its own: the two-octet type is meant (RFC 5668).
    assert str(read) == str(community)
    assert type(read) is type(community)


@pytest.mark.rfc("4360", "3.1", "4", "5")
@pytest.mark.rfc("5668", "2")
@pytest.mark.parametrize(
    ("text", "octets"),
    [
        ("rt:64500:1", 0x0002_FBF4_00000001),
        ("soo:64500:4294967295", 0x0003_FBF4_FFFFFFFF),
        ("rt:4200000000:7", 0x0202_FA56EA00_0007),
        ("soo:4200000000:65535", 0x0203_FA56EA00_FFFF),
        ("0x4004000100000064", 0x4004_0001_00000064),
    ],
)
def test_extended_communities(text: str, octets: int) -> None:
    assert parse_community(text) == ExtendedCommunity(octets)
    assert str(ExtendedCommunity(octets)) == text


@pytest.mark.rfc("8326", "5")
@pytest.mark.rfc("7999", "5")
@pytest.mark.rfc("3765", "2")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("graceful-shutdown", 0xFFFF0000),
        ("blackhole", 0xFFFF029A),
        ("no-export", 0xFFFFFF01),
        ("no-advertise", 0xFFFFFF02),
        ("no-export-subconfed", 0xFFFFFF03),
        ("no-peer", 0xFFFFFF04),
    ],
)
def test_well_known_names(name: str, value: int) -> None:
    assert parse_community(name) == StandardCommunity(value >> 16, value & 0xFFFF)


def test_there_is_no_other_well_known_name() -> None:
    assert len(WELL_KNOWN) == 6
    assert (str(GRACEFUL_SHUTDOWN), str(BLACKHOLE)) == ("65535:0", "65535:666")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("64500", "'64500' is not a community; write 65535:0, 64500:1:2, rt:64500:1 or a well-known name"),
        ("1:2:3:4", "is not a community"),
        ("a:b", "is not a community"),
        ("1:-2", "is not a community"),
        ("no-exports", "is not a community"),
        ("65536:1", "'65536:1': each part is at most 65535; a large community has three parts"),
        ("1:2:4294967296", "'1:2:4294967296': each part is at most 4294967295"),
        ("0xzzzzzzzzzzzzzzzz", "is not sixteen hexadecimal digits after 0x"),
        ("rt:a:1", "'rt:a:1': after rt: come two numbers"),
        ("soo:1:", "after soo: come two numbers"),
        ("rt:4200000000:65536", "an AS number over 65535 leaves two octets for the value (RFC 5668)"),
        ("rt:4294967296:1", "leaves two octets for the value"),
    ],
)
def test_what_is_wrong_is_said(text: str, why: str) -> None:
    with pytest.raises(ParseError) as error:
        parse_community(text)
    assert why in str(error.value)


@given(text=st.text(alphabet="0123456789:xrtsoabf-_ ", max_size=20))
def test_any_text_is_a_community_or_a_parse_error(text: str) -> None:
    with suppress(ParseError):
        assert str(parse_community(text))
