"""Calibration on a fleet made here, whose hidden preferences are known."""

import random
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from anycastle.base.errors import MisuseError, ParseError
from anycastle.io.calibration_file import read_calibration, write_calibration
from anycastle.model.asn import ASN
from anycastle.model.catchment import Measurement, experiment_of
from anycastle.twin.calibration import (
    MEASURED_RIGHT,
    Observations,
    calibrate,
    evidence_over,
    predict,
    survey,
    transitive,
)
from anycastle.twin.calibration_store import decode_calibration, encode_calibration
from anycastle.twin.evidence import pair_index
from anycastle.twin.next_experiment import propose, propose_probes
from anycastle.twin.provenance import Provenance
from anycastle.twin.scorecard import against, leave_out, score
from anycastle.twin.synthetic_catchments import make_fleet


@cache
def _fleet():
    return make_fleet(2500, 5, random.Random(7))


@cache
def _scored():
    fleet = _fleet()
    return score(fleet.observations, fleet.graph, np.random.default_rng(1), sample=200)


def _right(fleet, announced, found):
    place = [sorted({p for e in fleet.observations.experiments for p in e.announced}).index(pop) for pop in announced]
    truth = fleet.preference[np.searchsorted(fleet.asn, found.asn)][:, place].argmax(axis=1)
    return (found.chance.argmax(axis=1) == truth).mean()


@pytest.mark.mission("C12")
def test_it_beats_the_paths_alone_on_every_experiment_that_it_did_not_see():
    fleet, (_, card) = _fleet(), _scored()
    terrain = survey(fleet.observations, fleet.graph)
    gains = []
    for each, line in zip(fleet.observations.experiments, card.lines, strict=True):
        pair = [terrain.pops.index(pop) for pop in each.announced]
        column = pair_index(len(terrain.pops), *pair)
        paths = terrain.hint[np.searchsorted(terrain.asn, each.asn), column] >= 0
        gains.append(line.accuracy - float((paths == (each.pop == 0)).mean()))
    assert min(gains) > -0.02
    assert np.mean(gains) > 0.05


@pytest.mark.mission("C12")
def test_the_scorecard_is_as_sure_as_it_is_right():
    _, card = _scored()
    plain = card.plain()
    assert plain["all"]["accuracy"] > 0.8
    assert plain["all"]["confident_accuracy"] > plain["all"]["accuracy"]
    assert 0.6 < plain["all"]["coverage"] < 0.8
    assert plain["all"]["sample_share_error"] < 0.03
    bins = plain["reliability"]
    ases = sum(each["ases"] for each in bins)
    assert sum(each["ases"] * abs(each["said"] - each["right"]) for each in bins) / ases < 0.04


def test_leaving_out_reads_nothing_of_the_experiment():
    """The answers of the experiment left out are turned round: what is predicted must be the same."""
    fleet = _fleet()
    first = fleet.observations.experiments[0]
    turned = replace(first, pop=(1 - first.pop).astype(np.int16))
    rest = fleet.observations.experiments[1:]
    chances = []
    for each in (first, turned):
        observations = replace(fleet.observations, experiments=(each, *rest))
        terrain = survey(observations, fleet.graph)
        evidence = evidence_over(terrain, observations.experiments)
        chances.append(leave_out(terrain, evidence, each, np.random.default_rng(0), sample=0).chance)
    assert np.array_equal(*chances)


def test_a_model_without_the_pair_predicts_it_as_when_it_was_left_out():
    fleet = _fleet()
    first, *rest = fleet.observations.experiments
    observations = replace(fleet.observations, experiments=tuple(rest))
    terrain = survey(observations, fleet.graph)
    model = calibrate(terrain, evidence_over(terrain, rest))
    card = against(model, [first])
    assert card.lines[0].accuracy == pytest.approx(_scored()[1].lines[0].accuracy, abs=0.005)
    with pytest.raises(MisuseError, match="no experiment of two PoPs"):
        against(model, [])


def test_sets_of_any_size_have_chances_that_sum_to_one():
    fleet, (model, _) = _fleet(), _scored()
    for announced in (["pop-a"], ["pop-a", "pop-c"], ["pop-a", "pop-b", "pop-d"], list(model.pops)):
        found = predict(model, announced)
        assert np.allclose(found.chance.sum(axis=1), 1)
        assert found.shares().sum() == pytest.approx(1)
    assert (predict(model, ["pop-a"]).chance == 1).all()
    assert _right(fleet, list(model.pops), predict(model, model.pops)) > 0.75  # 5 PoPs: chance is 20 %
    weights = np.zeros(len(model.asn))
    weights[0] = 1
    assert np.allclose(found.shares(weights), found.chance[0])


def test_what_a_prediction_rests_on():
    """AS1 answered a against b and b against c; so a against b is measured, a against c transitive. AS2 answered
    another pair; AS3 nothing, but it has providers. AS9 is not known at all."""
    fleet = _fleet()
    asns = [ASN(int(asn)) for asn in fleet.graph.by_asn[200:203]]
    experiments = (
        experiment_of("ab", [Measurement(asns[0], "a"), Measurement(ASN(4_000_000_000), "a")]),
        experiment_of("bc", [Measurement(asns[0], "b"), Measurement(asns[1], "c")]),
    )
    terrain = survey(Observations(experiments), fleet.graph)
    model = calibrate(terrain, evidence_over(terrain, experiments))
    asked = np.array([*asns, 4_000_000_009], np.uint32)
    kinds = [Provenance(each) for each in predict(model, "ac", asked).provenance]
    assert kinds == [Provenance.TRANSITIVE, Provenance.INFERRED, Provenance.INFERRED, Provenance.ASSUMED]
    ab = predict(model, "ab", asked)
    assert Provenance(ab.provenance[0]) is Provenance.MEASURED
    assert ab.chance[0, 0] == pytest.approx(MEASURED_RIGHT)
    with pytest.raises(MisuseError, match="the model has no PoP 'd'; it has a, b, c"):
        predict(model, "ad")
    with pytest.raises(MisuseError, match="no PoP is announced"):
        predict(model, [])


def test_transitivity_counts_the_pops_between():
    outcome = np.array([[1, 0, 1], [-1, 0, -1], [1, 0, -1]], np.int8)  # pairs 01, 02, 12
    assert transitive(outcome, 3, 0, 2).tolist() == [1, -1, 0]


def test_the_same_experiments_give_the_same_model():
    fleet = _fleet()
    terrain = survey(fleet.observations, fleet.graph)
    one, other = (calibrate(terrain, evidence_over(terrain, fleet.observations.experiments)) for _ in range(2))
    assert np.array_equal(one.odds, other.odds)


def test_one_pop_is_no_calibration_and_two_experiments_no_scorecard():
    fleet = _fleet()
    alone = Observations((experiment_of("a", [Measurement(ASN(1), "a")]),))
    with pytest.raises(MisuseError, match="two PoPs or more"):
        survey(alone, fleet.graph)
    few = replace(fleet.observations, experiments=fleet.observations.experiments[:2])
    with pytest.raises(MisuseError, match="needs three or more"):
        score(few, fleet.graph, np.random.default_rng(0))


def test_a_model_comes_back_from_its_file(tmp_path):
    model, card = _scored()
    path = tmp_path / "model.npz"
    assert write_calibration(model, path) == path.stat().st_size
    again = read_calibration(path)
    assert again.pops == model.pops
    assert again.scorecard == card.plain()
    assert (again.graph, again.graph_date) == (model.graph, model.graph_date)
    one, other = (predict(each, model.pops).chance for each in (model, again))
    assert np.array_equal(one, other)


def test_a_file_that_is_no_model_is_refused(tmp_path):
    model, _ = _scored()
    path = tmp_path / "model.npz"
    path.write_bytes(b"no archive")
    with pytest.raises(ParseError, match="this is no calibration"):
        read_calibration(path)
    np.savez(path, header=np.array([object()], dtype=object))
    with pytest.raises(ParseError, match="no array 'header'"):
        read_calibration(path)
    arrays = encode_calibration(model)
    for name, change, words in [
        ("odds", arrays["odds"][:-1], "odds has the shape"),
        ("asn", arrays["asn"][::-1].copy(), "not an ascending list"),
        ("level", arrays["level"] * np.nan, "not finite"),
        ("placed", arrays["placed"].astype(np.int8), "placed is int8"),
        ("reliability", arrays["reliability"][:, :1], "no list of pairs"),
        ("header", np.frombuffer(b"{", np.uint8), "no JSON"),
        ("header", np.frombuffer(b"{}", np.uint8), "this is no calibration"),
        ("header", np.frombuffer(b'{"kind":"anycastle calibration","version":0}', np.uint8), "version 0"),
    ]:
        with pytest.raises(ParseError, match=words):
            decode_calibration({**arrays, name: change}, "m")
    del arrays["odds"]
    with pytest.raises(ParseError, match="no array 'odds'"):
        decode_calibration(arrays, "m")


def test_the_next_announcement_settles_most():
    """Of three PoPs, a and b were compared by everyone, b and c by half. What is asked next is not what is known."""
    fleet = _fleet()
    known, *_ = fleet.observations.experiments  # pop-a and pop-b
    other = next(each for each in fleet.observations.experiments if each.announced == ("pop-b", "pop-c"))
    terrain = survey(replace(fleet.observations, experiments=(known, other)), fleet.graph)
    model = calibrate(terrain, evidence_over(terrain, [known, other]))
    found = propose(model)
    assert found[0].announced == ("pop-a", "pop-c")
    assert found[0].known == 0
    assert all(each.gain >= each.uncertainty for each in found)
    probes = propose_probes(model, ["pop-a", "pop-c"], 5)
    assert len(probes) == 5
    assert probes[0].uncertainty >= probes[-1].uncertainty
    heavy = np.zeros(len(model.asn))
    heavy[3] = 1.0
    assert propose_probes(model, ["pop-a", "pop-c"], 1, heavy)[0].asn == model.asn[3]
    with pytest.raises(MisuseError, match="one number above 0"):
        propose(model, np.zeros(3))
