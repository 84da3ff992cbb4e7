"""Measurements: round trips, pilots, convergence as rows and as events, weights."""

import json
from math import inf

import pytest

from anycastle.base.errors import ParseError
from anycastle.io.placement.measured import read_convergence, read_pilot, read_round_trips
from anycastle.model.event import ConvergenceMeasured
from anycastle.twin.convergence import Times
from tests.unit.twin.twelve import twelve


def write(tmp_path, text, name="file.csv"):
    path = tmp_path / name
    path.write_text(text)
    return path


def test_round_trips(tmp_path):
    graph = twelve()
    path = write(tmp_path, "asn,pop,rtt_ms\n7,west,12\nAS7,west,14\n7,east,80\n999,west,5\n")
    found, strangers = read_round_trips(path, graph, ("west", "east"))
    assert found == {(graph.node(7), 0): [12, 14], (graph.node(7), 1): [80]}
    assert strangers == 1
    assert read_round_trips(path, graph, ("west",), {"east"})[0] == {(graph.node(7), 0): [12, 14]}


def test_a_pop_that_is_not_there(tmp_path):
    path = write(tmp_path, "asn,pop,rtt_ms\n7,wset,12\n8,east,0\n")
    with pytest.raises(ParseError, match=r"file.csv:3:8: rtt_ms: '0' is no round trip"):
        read_round_trips(path, twelve(), ("west", "east"))
    path = write(tmp_path, "asn,pop,rtt_ms\n7,wset,12\n")
    with pytest.raises(ParseError, match=r"file.csv:2:1: pop: no PoP or candidate 'wset'; did you mean 'west'"):
        read_round_trips(path, twelve(), ("west", "east"))


def test_a_pilot_by_as_and_region(tmp_path):
    found = read_pilot(write(tmp_path, "asn,region,rtt_ms,users\n7,asia,12,3\n,africa,90,\n"))
    assert found.cluster == ("AS7", "africa")
    assert found.region == ("asia", "africa")
    assert found.weight.tolist() == [3, 1]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("asn,region,rtt_ms\n,,12\n", "file.csv:2:1: an asn or a region is needed"),
        ("asn,rtt_ms,weight\n7,12,0\n", "no row has a weight above 0"),
    ],
)
def test_a_pilot_that_is_none(tmp_path, text, words):
    with pytest.raises(ParseError, match=words):
        read_pilot(write(tmp_path, text))


def test_convergence_as_rows(tmp_path):
    path = write(tmp_path, "action,converged_s,unreachable_s\nwithdraw,4,2\nwithdraw,,\nannounce,1,0\n")
    announce, withdraw = read_convergence(path)
    assert (announce.action, withdraw.action, withdraw.weight) == ("announce", "withdraw", 2)
    assert withdraw.converged == Times((0.5, 1.0), (4.0, inf))
    assert withdraw.unreachable == Times((0.5, 1.0), (0.0, 2.0))


def event(**fields):
    told = {
        "prefix": "192.0.2.0/24", "action": "withdraw", "pops": ("fra1",), "peers": 40, "reacted": 40, "censored": 2,
        "first_reaction_s_p50": 1.0, "converged_s_p50": 9.0, "converged_s_p90": 33.0, "converged_s_p95": None,
        "unreachable_s_p95": 4.0, "paths_p50": 2.0, "paths_max": 5,
    }  # fmt: skip
    body = ConvergenceMeasured(**(told | fields))
    names = ConvergenceMeasured.__slots__
    return json.dumps({"kind": "convergence_measured", **{name: getattr(body, name) for name in names}})


@pytest.mark.mission("M2")
def test_convergence_as_events(tmp_path):
    """The fields are those of the event itself; one without a time in it says nothing."""
    silent = event(converged_s_p50=None, converged_s_p90=None)
    text = "\n".join([event(), json.dumps({"kind": "alarm"}), "", silent, event(unreachable_s_p95=0.0, peers=3)])
    first, second = read_convergence(write(tmp_path, text, "events.ndjson"))
    assert (first.action, first.weight, second.weight) == ("withdraw", 40, 3)
    assert first.converged == Times((0.5, 0.9), (9.0, 33.0))
    assert first.unreachable == Times((0.95,), (4.0,))
    assert second.unreachable == Times((1.0,), (0.0,))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "events.ndjson:1:2: no JSON"),
        ('{"kind": "convergence_measured"}', "events.ndjson:1:1: no event of this version"),
        ('{"kind": "alarm"}', "no event `convergence_measured`"),
    ],
)
def test_events_that_are_none(tmp_path, text, words):
    with pytest.raises(ParseError, match=words):
        read_convergence(write(tmp_path, text, "events.ndjson"))
