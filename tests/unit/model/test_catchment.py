"""Measured catchments as values and columns."""

import numpy as np
import pytest

from anycastle.base.errors import MisuseError
from anycastle.model.asn import ASN
from anycastle.model.catchment import Measurement, experiment_of


def test_columns_are_ascending_and_the_greatest_weight_wins():
    found = experiment_of(
        ("lhr", "ams"),
        [
            Measurement(ASN(20), "lhr", 1),
            Measurement(ASN(10), "ams", 1),
            Measurement(ASN(20), "ams", 1.5),
            Measurement(ASN(20), "lhr", 1),
        ],
    )
    assert found.announced == ("ams", "lhr")
    assert found.asn.tolist() == [10, 20]
    assert found.pop.tolist() == [0, 1]
    assert found.weight.tolist() == [1.0, 2.0]
    assert found.share("ams") == 0.5
    assert found.name == "ams+lhr"


def test_even_weights_go_to_the_first_pop_whatever_the_order():
    answers = [Measurement(ASN(1), "b"), Measurement(ASN(1), "a")]
    assert experiment_of("ab", answers).pop.tolist() == experiment_of("ab", answers[::-1]).pop.tolist() == [0]


def test_what_cannot_be_is_refused():
    with pytest.raises(MisuseError, match="AS5 reached 'c', which is not announced"):
        experiment_of("ab", [Measurement(ASN(5), "c")])
    with pytest.raises(MisuseError, match="0 PoPs"):
        experiment_of([], [])
    with pytest.raises(MisuseError, match="'c' was not announced"):
        experiment_of("ab", []).share("c")


def test_an_empty_experiment_has_no_share():
    empty = experiment_of("ab", [])
    assert empty.share("a") == 0.0
    assert empty.asn.dtype == np.uint32
