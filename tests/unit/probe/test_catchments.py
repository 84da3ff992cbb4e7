"""Catchments: who reached what, since when, and what it was before."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anycastle.base.errors import ParseError
from anycastle.base.ports import Timestamp
from anycastle.model.asn import ASN
from anycastle.model.pop import Location
from anycastle.model.vantage_point import VantagePoint
from anycastle.probe.catchment_summary import summarize
from anycastle.probe.catchments import Move, Reach, fold
from anycastle.probe.sighting import Sighting
from anycastle.probe.site import AIRPORT, parse_site_rule

ANYCAST = "192.0.2.53"
SITES = {"fra": Location(50.0, 8.6), "iad": Location(38.9, -77.4), "nrt": Location(35.8, 140.4)}


def saw(vantage: VantagePoint, at: float, pop: str, rtt_ms: float | None = None, error: str = "") -> Sighting:
    return Sighting(vantage, ANYCAST, Timestamp(at), pop, rtt_ms, error=error)


def one(sightings: list[Sighting]) -> Reach:
    (reach,) = fold(sightings).values()
    return reach


@pytest.mark.mission("C7")
def test_a_move_has_a_time_and_a_before() -> None:
    probe = VantagePoint("7", ASN(64500))
    reach = one([saw(probe, 30, "iad", 90.0), saw(probe, 10, "fra", 20.0), saw(probe, 20, "fra", 22.0)])
    assert (reach.pop, reach.since, reach.before, reach.moves) == ("iad", 30, "fra", 1)
    assert reach.last_move == Move(Timestamp(30.0), "fra", "iad")
    assert reach.rtt_ms == 90.0
    assert reach.answers == {"fra": 2, "iad": 1}


def test_silence_is_loss_and_no_move() -> None:
    probe = VantagePoint("7")
    reach = one([saw(probe, 1, "fra", 20.0), saw(probe, 2, "", error="timeout"), saw(probe, 3, "fra", 24.0)])
    assert (reach.pop, reach.since, reach.moves, reach.lost) == ("fra", 1, 0, 1)
    assert reach.rtt_ms == 20.0


def test_an_answer_without_a_name_is_counted_and_moves_nobody() -> None:
    probe = VantagePoint("7")
    reach = one([saw(probe, 1, "fra"), saw(probe, 2, "")])
    assert (reach.pop, reach.unknown, reach.rtt_ms) == ("fra", 1, None)


@given(st.lists(st.tuples(st.integers(0, 30), st.sampled_from(["", "a", "b", "c"])), max_size=12))
def test_the_fold_equals_a_reading_of_the_whole_list(steps: list[tuple[int, str]]) -> None:
    probe = VantagePoint("7")
    reach = fold([saw(probe, at, pop) for at, pop in steps])
    known = [(at, pop) for at, pop in sorted(steps, key=lambda step: step[0]) if pop]
    if not known:
        assert all(not each.pop for each in reach.values())
        return
    (each,) = reach.values()
    changes = [at for at in range(1, len(known)) if known[at][1] != known[at - 1][1]]
    assert each.pop == known[-1][1]
    assert each.moves == len(changes)
    assert each.since == known[changes[-1] if changes else 0][0]
    assert each.before == (known[changes[-1] - 1][1] if changes else "")


def test_a_summary_counts_vantage_points_once_and_knows_the_nearest() -> None:
    at_fra = [VantagePoint(str(number), ASN(64500 + number), Location(50.0, 8.0)) for number in range(9)]
    at_nrt = [VantagePoint(str(number), ASN(64500 + number), Location(35.0, 140.0)) for number in range(9, 12)]
    sightings = [saw(each, 1, "fra", 10.0) for each in at_fra] + [saw(each, 1, "iad", 180.0) for each in at_nrt]
    sightings += [saw(at_fra[0], at, "fra", 10.0) for at in range(2, 50)]  # one asks often and counts no more
    summary = summarize(list(fold(sightings).values()), SITES, {"fra", "nrt"}.__contains__, np.random.default_rng(1))
    assert [(each.pop, each.vantage_points, each.share.value) for each in summary.pops] == [
        ("fra", 9, 0.75),
        ("iad", 3, 0.25),
    ]
    assert dict(summary.unauthorised) == {"iad": 3}
    assert summary.nearest is not None
    assert summary.nearest.value == 0.75  # nrt is not known to announce: for the three, fra is nearer than iad
    assert summary.rtt_ms is not None
    assert [figure.value for figure in summary.rtt_ms.figures] == [10.0, 180.0]
    assert summary.rtt_ms.figures[0].by_network is not None


def test_probes_of_one_as_are_one_opinion() -> None:
    probes = [VantagePoint(str(number), ASN(64500)) for number in range(50)]
    reached = list(fold([saw(each, 1, "fra", 10.0) for each in probes]).values())
    summary = summarize(reached, {}, lambda _: True, np.random.default_rng(1))
    assert (summary.vantage_points, summary.networks, summary.nearest, summary.distance_km) == (50, 1, None, None)
    assert summary.rtt_ms is not None
    assert summary.rtt_ms.figures[0].by_network is None
    assert summary.rtt_ms.figures[0].naive is not None


def test_rules_find_pops_in_names() -> None:
    rule = parse_site_rule(AIRPORT, frozenset({"fra"}))
    assert [rule.pop_of(name) for name in ("JNB", "ns1.fra2.example", "lhr3-b", "nothing")] == ["JNB", "fra", "lhr", ""]
    assert rule.allows("fra")
    assert not rule.allows("iad")
    for pattern, words in (("(", "is no pattern"), ("x", "has 0 groups")):
        with pytest.raises(ParseError, match=words):
            parse_site_rule(pattern)
