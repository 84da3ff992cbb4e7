"""The search against made paths, without a socket."""

import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anycastle.base.ports import Instant
from anycastle.probe.kinds.mtu import HEADERS_OCTETS, Limit, MTUAsk, MTUSeen, Search, Told, data_of, judge
from anycastle.probe.result import FailureKind
from anycastle.wire.icmp import encode_request

Path = Callable[[int], int | None]
"""Octets of a packet -> None: answered; 0: nothing comes; else the MTU that a router tells of."""


def searched(
    path: Path, ask: MTUAsk | None = None, version: int = 4, limit_s: float = 60.0, seed: int = 1, loss: float = 0.0
) -> MTUSeen:
    """Follow an engine over a path."""
    ask = ask or MTUAsk()
    draw = random.Random(seed)
    search = Search(ask, version, Instant(0.0), limit_s)
    now, coming = 0.0, []
    for _ in range(10_000):
        for packet in search.due(Instant(now)):
            assert packet.octets <= ask.octets_max
            if draw.random() >= loss:
                coming.append((now + 0.03, packet.number, path(packet.octets)))
        if search.ended:
            return search.seen()
        coming.sort(key=lambda each: each[0])
        if coming and coming[0][0] <= search.deadline:
            now, number, answer = coming.pop(0)
            if answer is None:
                search.heard(number, Instant(now))
            elif answer:
                search.refused(number, answer, "192.0.2.1")
        else:
            assert search.deadline > now
            now = search.deadline
    raise AssertionError("it never ends")


def narrow(mtu: int, *, tells: bool) -> Path:
    return lambda octets: None if octets <= mtu else mtu if tells else 0


def test_a_path_without_a_narrow_link_takes_two_packets() -> None:
    seen = searched(narrow(1500, tells=True))
    assert (seen.mtu_octets, seen.at_most_octets, seen.limit, seen.probes) == (1500, 1500, Limit.NONE, 2)
    assert judge(MTUAsk(), seen) is None


@pytest.mark.rfc("1191", "4")
def test_a_router_that_tells_is_believed_and_the_size_is_tried() -> None:
    seen = searched(narrow(1400, tells=True))
    assert (seen.mtu_octets, seen.at_most_octets, seen.limit, seen.probes) == (1400, 1400, Limit.TOLD, 3)
    assert seen.told == (Told("192.0.2.1", 1400),)
    assert judge(MTUAsk(), seen) is None
    failure = judge(MTUAsk(octets_min=1500), seen)
    assert failure is not None
    assert (failure.kind, failure.words) == (
        FailureKind.CONTENT, "packets of up to 1400 octets pass, expected 1500 (192.0.2.1 told of an MTU of 1400)",
    )  # fmt: skip


@given(mtu=st.integers(1280, 9000), top=st.integers(1280, 9000), version=st.sampled_from([4, 6]))
def test_of_a_silent_path_the_very_octet_is_found(mtu: int, top: int, version: int) -> None:
    ask = MTUAsk(top)
    seen = searched(narrow(mtu, tells=False), ask, version)
    assert seen.mtu_octets == seen.at_most_octets == min(mtu, top)
    assert seen.black_hole == (mtu < top)
    failure = judge(ask, seen)
    assert (failure is not None and failure.kind is FailureKind.BLACK_HOLE) == (mtu < top)


@given(mtu=st.integers(576, 1500), seed=st.integers(0, 1000), tells=st.booleans())
def test_loss_makes_no_path_wider_and_a_search_ends(mtu: int, seed: int, *, tells: bool) -> None:
    seen = searched(narrow(mtu, tells=tells), seed=seed, loss=0.2)
    assert seen.mtu_octets is None or 576 <= seen.mtu_octets <= mtu


def test_a_router_that_lied_is_found_out() -> None:
    """It tells of 1,400; a tunnel behind it drops what is longer than 1,300 in silence."""
    seen = searched(lambda octets: 1400 if octets > 1400 else 0 if octets > 1300 else None)
    assert (seen.mtu_octets, seen.limit, seen.black_hole) == (1300, Limit.SILENCE, True)


@pytest.mark.rfc("1191", "5")
def test_a_router_that_tells_no_size_leaves_the_search_to_us() -> None:
    search = Search(MTUAsk(), 4, Instant(0.0), 60.0)
    answered = 0
    while not search.ended:
        for packet in search.due(Instant(0.0)):
            answered += 1
            if packet.octets <= 1006:
                search.heard(packet.number, Instant(0.0))
            else:
                search.refused(packet.number, 0, "192.0.2.1")
    seen = search.seen()
    assert (seen.mtu_octets, seen.limit, seen.black_hole) == (1006, Limit.TOLD, False)
    assert answered < 40


def test_a_router_that_tells_one_in_a_second_is_no_black_hole() -> None:
    """It was silent for all packets of the search, and told of the last one, after a wait."""
    search = Search(MTUAsk(tries=1), 4, Instant(0.0), 60.0)
    now = 0.0
    while not search.ended:
        for packet in search.due(Instant(now)):
            if packet.octets <= 1400:
                search.heard(packet.number, Instant(now))
            elif packet.octets == 1401 and now > 1.0:
                search.refused(packet.number, 1400, "192.0.2.1")
        now = max(now, search.deadline)
    assert (search.seen().mtu_octets, search.seen().black_hole) == (1400, False)


def test_without_an_answer_to_a_small_packet_there_is_no_black_hole() -> None:
    seen = searched(lambda _: 0)
    assert (seen.mtu_octets, seen.black_hole) == (None, False)
    failure = judge(MTUAsk(), seen)
    assert failure is not None
    assert (failure.kind, failure.phase, failure.words) == (
        FailureKind.TIMEOUT, "small", "no answer to a packet of 576 octets",
    )  # fmt: skip


def test_our_own_interface_is_no_black_hole() -> None:
    search = Search(MTUAsk(9000), 4, Instant(0.0), 60.0)
    while not search.ended:
        for packet in search.due(Instant(0.0)):
            if packet.octets <= 1500:
                search.heard(packet.number, Instant(0.0))
            else:
                search.refused(packet.number, 1500)
    seen = search.seen()
    assert (seen.mtu_octets, seen.limit, seen.told, seen.probes) == (1500, Limit.HERE, (), 3)


def test_where_time_runs_out_what_is_known_stands() -> None:
    seen = searched(narrow(1400, tells=False), limit_s=0.5)
    assert seen.mtu_octets is not None
    assert seen.mtu_octets <= 1400 <= seen.at_most_octets


def test_answers_to_packets_that_were_never_sent_change_nothing() -> None:
    search = Search(MTUAsk(), 4, Instant(0.0), 60.0)
    for number in (-1, 0, 65_535):
        search.heard(number, Instant(0.0))
        search.refused(number, 1000, "192.0.2.1")
    assert (search.seen().mtu_octets, search.seen().told) == (None, ())


@pytest.mark.parametrize("version", [4, 6])
def test_a_packet_has_the_size_that_is_asked(version: int) -> None:
    for octets in (576, 1280, 1500):
        message = encode_request(version, 1, 1, data_of(octets, version, b"token"))
        assert len(message) + HEADERS_OCTETS[version] - 8 == octets
