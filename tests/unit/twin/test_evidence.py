"""Catchments as pairwise preferences."""

import pytest

from anycastle.base.errors import MisuseError
from anycastle.model.asn import ASN
from anycastle.model.catchment import Measurement, experiment_of
from anycastle.twin.evidence import POPS_MAX, gather, pair_index, pairs_of


def _experiment(announced, answers, **about):
    return experiment_of(announced, [Measurement(ASN(asn), pop) for asn, pop in answers.items()], **about)


def test_pairs_are_found_where_they_are():
    for pops in range(2, 9):
        for at, (first, second) in enumerate(pairs_of(pops).tolist()):
            assert pair_index(pops, first, second) == at


def test_the_reached_pop_was_preferred_to_each_other_one():
    found = gather([_experiment("abc", {1: "b", 2: "c"})])
    assert found.pops == ("a", "b", "c")
    assert found.outcome.tolist() == [[-1, 0, 1], [0, -1, -1]]  # pairs ab, ac, bc
    assert found.asked.tolist() == [1, 1, 2]


def test_an_answer_is_not_replaced_by_a_later_experiment():
    found = gather([_experiment("ab", {1: "a"}), _experiment("ab", {1: "b", 2: "b"})])
    assert found.outcome[:, 0].tolist() == [1, -1]


def test_changed_announcements_do_not_count_and_asked_rows_are_there():
    found = gather([_experiment("ab", {1: "a"}), _experiment("ab", {2: "b"}, configuration="2xA")], asns=[7])
    assert found.asn.tolist() == [1, 7]
    assert found.outcome[:, 0].tolist() == [1, 0]


def test_left_out_is_every_pair_of_the_set_and_no_other():
    found = gather([_experiment("abc", {1: "a"}), _experiment("ad", {1: "a"})]).without(["a", "b"])
    known = {tuple(pair) for pair, asked in zip(found.pairs.tolist(), found.asked, strict=True) if asked}
    assert known == {(0, 2), (0, 3)}


def test_a_calibration_holds_so_many_pops():
    with pytest.raises(MisuseError, match=f"holds {POPS_MAX}"):
        gather([_experiment([f"p{each}" for each in range(POPS_MAX + 1)], {})])
