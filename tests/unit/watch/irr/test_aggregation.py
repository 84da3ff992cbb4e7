"""Ranges mean exactly the prefixes that they were made of, and there are no more of them than need be."""

from hypothesis import given, settings
from hypothesis import strategies as st

from anycastle.model.prefix import Family, Prefix, parse_prefix
from anycastle.model.prefix_range import PrefixRange
from anycastle.watch.irr.aggregation import aggregate

LONGEST = 30
ROOT = parse_prefix("192.0.2.0/25")
ALL = [
    Prefix(Family.IPV4, ROOT.network + number * (1 << (32 - length)), length)
    for length in range(25, LONGEST + 1)
    for number in range(1 << (length - 25))
]


def meant(ranges: tuple[PrefixRange, ...]) -> set[Prefix]:
    return {each for each in ALL if any(one.matches(each) for one in ranges)}


@given(st.sets(st.sampled_from(ALL), max_size=40), st.one_of(st.none(), st.integers(25, LONGEST)))
@settings(max_examples=300, deadline=None)
def test_ranges_mean_what_was_given(prefixes: set[Prefix], up_to: int | None) -> None:
    ranges = aggregate(prefixes, None if up_to is None else {Family.IPV4: up_to})
    if up_to is None:
        assert meant(ranges) == prefixes
    else:
        assert meant(ranges) == {
            each for each in ALL if each.length <= up_to and any(one.contains(each) for one in prefixes)
        }
    assert len(ranges) <= len(prefixes)
    for each in ranges:
        assert meant(tuple(one for one in ranges if one is not each)) != meant(ranges), f"{each} is not needed"


def texts(*prefixes: str, **up_to: int) -> list[str]:
    families = {Family.IPV4: up_to.get("v4", 32), Family.IPV6: up_to.get("v6", 128)} if up_to else None
    return [str(each) for each in aggregate(map(parse_prefix, prefixes), families)]


def test_halves_are_joined_and_with_the_whole_they_are_one() -> None:
    assert texts("192.0.2.0/25", "192.0.2.128/25") == ["192.0.2.0/24{25,25}"]
    assert texts("192.0.2.0/25", "192.0.2.128/25", "192.0.2.0/24") == ["192.0.2.0/24{24,25}"]
    assert texts("192.0.2.0/25", "192.0.3.0/25") == ["192.0.2.0/25", "192.0.3.0/25"]


def test_a_gap_is_bridged_where_an_ancestor_means_it_anyway() -> None:
    assert texts("192.0.2.0/23", "192.0.2.0/24", "192.0.2.0/25", v4=26) == ["192.0.2.0/23{23,26}"]
    four = [f"10.{number}.0.0/16" for number in range(4)]
    assert texts(*four, "10.0.0.0/15", "10.0.0.0/14") == ["10.0.0.0/14", "10.0.0.0/14{16,16}", "10.0.0.0/15"]


def test_both_families_and_nothing() -> None:
    assert texts("2001:db8::/33", "2001:db8:8000::/33", "192.0.2.0/24", v4=24, v6=48) == [
        "192.0.2.0/24",
        "2001:db8::/32{33,48}",
    ]
    assert texts("192.0.2.0/25", v4=24) == []
    assert texts() == []
    assert texts("0.0.0.0/1", "128.0.0.0/1") == ["0.0.0.0/0{1,1}"]
