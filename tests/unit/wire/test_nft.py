"""What `nft -j list` of nftables 1.0.6 printed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anycastle.base.errors import ParseError
from anycastle.wire.nft import Counter, parse_counters, parse_flows

META = '{"metainfo": {"version": "1.0.6", "release_name": "Lester Gooch #5", "json_schema_version": 1}}'
COUNTERS = (
    f'{{"nftables": [{META}, {{"counter": {{"family": "inet", "name": "attack", "table": "edge", "handle": 2,'
    ' "packets": 3000, "bytes": 276000}}]}'
)
FLOWS = (
    f'{{"nftables": [{META}, {{"set": {{"family": "inet", "name": "foreign", "table": "edge", "type": ["ipv4_addr",'
    ' "inet_service"], "handle": 3, "size": 65535, "elem": [{"concat": ["10.101.0.1", 20007]},'
    ' {"elem": {"val": {"concat": ["10.102.0.1", 20009]}, "expires": 59}}]}}]}'
)
EMPTY = FLOWS.partition(', "elem"')[0] + "}}]}"


@pytest.mark.mission("M8")
def test_counters() -> None:
    assert parse_counters(COUNTERS) == (Counter("inet edge", "attack", 3000, 276000),)


@pytest.mark.mission("M6")
def test_flows_with_and_without_a_timeout() -> None:
    assert parse_flows(FLOWS) == (("10.101.0.1", 20007), ("10.102.0.1", 20009))
    assert parse_flows(EMPTY) == ()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"nftables": 1}', COUNTERS.replace('"packets": 3000, ', "")])
def test_what_is_none(text: str) -> None:
    with pytest.raises(ParseError):
        parse_counters(text)


@given(st.text() | st.recursive(st.none() | st.integers() | st.text(), lambda each: st.lists(each)).map(repr))
def test_any_text_is_read_or_refused(text: str) -> None:
    for parse in (parse_counters, parse_flows):
        try:
            parse(text)
        except ParseError:
            continue
