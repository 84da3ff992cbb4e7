"""The engine against made paths, without a socket."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anycastle.base.ports import Instant
from anycastle.probe.kinds.traceroute import (
    PROBES_MAX,
    Trace,
    TraceAsk,
    TraceSeen,
    icmp_data,
    judge,
    number_of_length,
    udp_data,
)
from anycastle.probe.result import FailureKind
from anycastle.wire.icmp import encode_request


def traced(path: list[str | None], ask: TraceAsk, seed: int = 1, loss: float = 0.0, limit_s: float = 60.0) -> TraceSeen:
    """Follow an engine over a path of routers; the last is the target, None keeps silent."""
    draw = random.Random(seed)
    trace = Trace(ask, Instant(0.0), limit_s)
    now, under_way = 0.0, []
    for _ in range(10_000):
        for send in trace.due(Instant(now)):
            assert 1 <= send.hop <= ask.hops_max
            at = min(send.hop, len(path)) - 1
            if path[at] is not None and draw.random() >= loss:
                under_way.append((now + draw.uniform(0.001, 0.9), send.number, path[at], at == len(path) - 1, now))
        assert sum(each[4] > now - ask.hop_timeout_s for each in under_way) <= 10_000
        if trace.ended:
            return trace.seen()
        under_way.sort()
        if under_way and under_way[0][0] < trace.deadline:
            now, number, address, reached, sent = under_way.pop(0)
            trace.heard(number, address, (now - sent) * 1000, reached=reached)
        else:
            assert trace.deadline > now or trace.deadline == now
            now = trace.deadline
    raise AssertionError("it never ends")


def test_a_path_with_a_silent_router() -> None:
    seen = traced(["a", None, "c", "t"], TraceAsk())
    assert [hop.addresses for hop in seen.hops] == [("a",), (), ("c",), ("t",)]
    assert seen.reached
    assert judge(seen) is None
    assert seen.hops[1].rtts_ms == (None, None, None)


def test_beyond_silence_it_does_not_ask_for_ever() -> None:
    seen = traced(["a", "b", *[None] * 30], TraceAsk(silent_max=4))
    assert [hop.number for hop in seen.hops] == [1, 2]
    failure = judge(seen)
    assert failure is not None
    assert (failure.kind, failure.words) == (FailureKind.TIMEOUT, "nothing answered beyond hop 2, b")
    assert judge(traced([None] * 30, TraceAsk())).words == "no hop answered"


def test_a_refusal_ends_it() -> None:
    trace = Trace(TraceAsk(tries=1, window=4), Instant(0.0), 60.0)
    trace.due(Instant(0.0))
    trace.heard(0, "a", 1.0, reached=False)
    trace.heard(1, "b", 2.0, reached=False, refused="host prohibited")
    assert trace.due(Instant(0.1)) == []
    assert trace.ended
    assert judge(trace.seen()).words == "hop 2, b: host prohibited"


def test_answers_that_are_late_or_none_of_ours_change_nothing() -> None:
    trace = Trace(TraceAsk(tries=1, window=1), Instant(0.0), 60.0)
    trace.due(Instant(0.0))
    trace.due(Instant(1.5))  # given up, and the next one sent
    for number in (0, -1, 17):
        trace.heard(number, "x", 1.0, reached=True)
    assert not trace.reached
    assert trace.seen().hops == ()


def test_it_ends_at_its_time_limit_with_what_it_saw() -> None:
    seen = traced(["a", *[None] * 20], TraceAsk(silent_max=30), limit_s=2.0)
    assert [hop.addresses for hop in seen.hops] == [("a",)]


@given(
    st.lists(st.sampled_from(["r", "s", None]), min_size=0, max_size=12), st.integers(1, 5), st.integers(1, 12),
    st.integers(0, 99), st.sampled_from([0.0, 0.3]),
)  # fmt: skip
def test_any_path_ends_and_shows_each_hop_once(
    routers: list[str | None], tries: int, window: int, seed: int, loss: float
) -> None:
    ask = TraceAsk(tries=tries, window=window)
    seen = traced([*routers, "t"], ask, seed, loss)
    assert [hop.number for hop in seen.hops] == list(range(1, len(seen.hops) + 1))
    if loss == 0.0:
        assert len(seen.hops) <= len(routers) + 1  # a target whose answer is lost is asked from farther off, too
    for hop, router in zip(seen.hops, [*routers, "t"], strict=False):
        assert set(hop.addresses) <= {router}
        assert len(hop.rtts_ms) <= tries
    if loss == 0.0 and _longest_silence(routers) < ask.silent_max:
        assert seen.reached


def _longest_silence(routers: list[str | None]) -> int:
    longest = silent = 0
    for router in routers:
        silent = silent + 1 if router is None else 0
        longest = max(longest, silent)
    return longest


def test_icmp_probes_have_one_checksum_and_udp_probes_different_lengths() -> None:
    assert len({encode_request(4, 77, number, icmp_data(number))[2:4] for number in range(PROBES_MAX)}) == 1
    assert [number_of_length(8 + len(udp_data(number))) for number in range(PROBES_MAX)] == list(range(PROBES_MAX))


@pytest.mark.parametrize("tries", [1, 10])
def test_it_sends_a_bounded_number(tries: int) -> None:
    trace = Trace(TraceAsk(tries=tries, hops_max=64, window=1000, silent_max=100), Instant(0.0), 60.0)
    assert len(trace.due(Instant(0.0))) <= PROBES_MAX
