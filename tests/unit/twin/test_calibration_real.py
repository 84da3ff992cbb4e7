"""Calibration on the PEERING experiments of 2019, and shifts on Verfploeter rounds: figures' direction, with floors.

The whole run is `python -m bench calibration`; here four experiments are left out, without samples.
"""

import os
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from anycastle.io.as_graph import load_graph
from anycastle.io.catchments.peering import read_peering
from anycastle.io.catchments.sources import read_rounds
from anycastle.io.ip_ranges import country_of_asns, read_ip_ranges
from anycastle.twin.calibration import Observations, evidence_over, survey
from anycastle.twin.scorecard import grade, leave_out
from anycastle.twin.shift import predict_shifts

REPOSITORY = Path(__file__).parents[3]
DATA = Path(os.environ.get("ANYCASTLE_DATA", REPOSITORY.parent / "shared" / "data"))
PEERING, ROUNDS = DATA / "peering2019", DATA / "anycast" / "verfploeter"
GRAPH = DATA / "as-graph" / "20150201.as-rel.txt.bz2"
LEFT_OUT = (
    "amsterdam01+ufmg01",
    "clemson01+phoenix01",
    "seattle01+ufmg01",
    "seattle01+uw01",
)


@cache
def _outcomes():
    folder = read_peering(PEERING, leave_out=("isi01",))
    ranges = read_ip_ranges(DATA / "asn" / "asn-ipv4-num.csv.gz")
    countries = country_of_asns(ranges, read_ip_ranges(DATA / "asn" / "asn-country-ipv4-num.csv.gz"))
    observations = Observations(folder.experiments, folder.paths, folder.neighbours, countries)
    terrain = survey(observations, load_graph(GRAPH).graph)
    evidence = evidence_over(terrain, observations.experiments)
    chosen = [each for each in folder.experiments if each.method == "ping" and each.name in LEFT_OUT]
    return folder, [leave_out(terrain, evidence, each, np.random.default_rng(1), sample=0) for each in chosen]


@pytest.mark.mission("C12", "M10")
@pytest.mark.skipif(
    not (PEERING.is_dir() and GRAPH.is_file()), reason="no PEERING experiments here; see ANYCASTLE_DATA"
)
def test_experiments_that_were_left_out_are_predicted():
    folder, outcomes = _outcomes()
    assert sum(each.method == "ping" for each in folder.experiments) == 17
    assert len(folder.paths) > 2000
    card = grade(outcomes)
    right = {line.experiment: line.accuracy for line in card.lines}
    assert set(right) == set(LEFT_OUT)
    majority = {line.experiment: 1 - line.smaller_side for line in card.lines}
    assert right["amsterdam01+ufmg01"] > majority["amsterdam01+ufmg01"] + 0.06
    assert right["clemson01+phoenix01"] > majority["clemson01+phoenix01"] + 0.02
    assert right["seattle01+uw01"] > majority["seattle01+uw01"] + 0.05
    assert right["seattle01+ufmg01"] > majority["seattle01+ufmg01"] + 0.04
    assert np.mean(list(right.values())) > 0.86
    assert card.plain()["all"]["confident_accuracy"] > 0.93


@pytest.mark.mission("M10")
@pytest.mark.skipif(not ROUNDS.is_dir(), reason="no Verfploeter rounds here; see ANYCASTLE_DATA")
def test_shifts_of_prepends_are_predicted_and_those_of_communities_hardly():
    found = predict_shifts(read_rounds([ROUNDS]))
    assert len(found) == 18
    prepends = [each for each in found if each.configuration[0].isdigit()]
    communities = [each for each in found if each not in prepends]
    assert np.mean([each.error_points for each in prepends]) < 1.5
    assert np.mean([each.unmoved_error_points for each in prepends]) > 3
    assert np.mean([each.error_points for each in communities]) < np.mean(
        [each.unmoved_error_points for each in communities]
    )
