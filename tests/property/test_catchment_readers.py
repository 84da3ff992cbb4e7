"""Arbitrary text gives experiments or a `ParseError`, and nothing else."""

import json
from contextlib import suppress

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from anycastle.base.errors import MisuseError, ParseError
from anycastle.io.catchments.atlas import read_atlas
from anycastle.io.catchments.collector_paths import parse_collector_paths
from anycastle.io.catchments.table import parse_table
from anycastle.io.catchments.verfploeter import parse_name, parse_round
from anycastle.model.asn import ASN
from anycastle.model.catchment import Measurement, experiment_of
from anycastle.twin.evidence import gather
from anycastle.twin.shift import parse_change
from anycastle.twin.strengths import logistic, offset_to

HEADINGS = st.sampled_from(
    [
        "announced,pop,asn\n",
        "announced,pop,prefix,weight\n",
        "client_id,source_address,source_address_asn,send_receive_time_diff\n",
        "",
    ]
)
WORDS = st.sampled_from(
    ["a", "b", "a+b", "AS1", "1", "1.2.3.0/24", "1.2.3.4", "-1", "nan", '"', "\n", ",", "\x00", "é"]
)
TEXTS = st.one_of(st.text(max_size=200), st.lists(WORDS, max_size=60).map("".join))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["result", "answers", "TYPE", "RDATA", "abuf", "from", "asn_v4", "x"]), inner, max_size=5
        )
    ),
    max_leaves=12,
)


@given(HEADINGS, TEXTS)
def test_any_table(heading, text):
    with suppress(ParseError):
        parse_table(heading + text, "t", lambda _: 1)


@given(HEADINGS, TEXTS)
def test_any_round(heading, text):
    with suppress(ParseError):
        parse_round(heading + text, "t", "baseline", ("a", "b"), "")


@given(st.text(max_size=60))
def test_any_name(text):
    with suppress(ParseError):
        parse_name(text, "t")
    with suppress(MisuseError):
        parse_change(text)


@given(st.one_of(TEXTS, st.text(alphabet="0123456789, {}\tr\n", max_size=200)))
def test_any_collector_path(text):
    with suppress(ParseError):
        for each in parse_collector_paths(text, "t", ["a"], ASN(7)):
            assert each.path
            assert 7 not in each.path[1:]


@given(st.lists(JSON, max_size=4))
@settings(max_examples=60)
def test_any_atlas_results(tmp_path_factory, rows):
    path = tmp_path_factory.getbasetemp() / "atlas.json"
    path.write_text(json.dumps(rows))
    with suppress(ParseError):
        read_atlas(path, "([a-z]+)", lambda _: 1)


@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from("abc")), max_size=20))
def test_evidence_is_what_was_answered(answers):
    experiment = experiment_of("abc", [Measurement(ASN(asn), pop) for asn, pop in answers])
    found = gather([experiment])
    for asn, pop in zip(experiment.asn, experiment.pop, strict=True):
        row = found.outcome[np.searchsorted(found.asn, asn)]
        for (first, second), said in zip(found.pairs.tolist(), row, strict=True):
            assert said == (1 if pop == first else -1 if pop == second else 0)


@given(st.lists(st.floats(-50, 50), min_size=1, max_size=30), st.floats(0.003, 0.997))
def test_an_offset_is_found_for_any_odds(odds, share):
    values = np.array(odds)
    assert abs(float(logistic(values + offset_to(values, share)).mean()) - share) < 1e-4
