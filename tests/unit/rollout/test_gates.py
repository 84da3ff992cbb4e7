"""Gates of a rollout: what they compare, and that no data is never a pass."""

import re
from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anycastle.base.errors import ParseError
from anycastle.base.ports import Timestamp
from anycastle.rollout.gates import (
    EXPRESSION_MAX,
    INDICATORS,
    Gate,
    GateVerdict,
    Reading,
    gate_to_ask,
    judge,
    parse_gate,
)

STEP = Timestamp(1000.0)
LATER = Timestamp(1060.0)
SUCCESS = parse_gate("announced_share >= 99.9%")
RTT = parse_gate("sessions_up_share <= 1.2 x before")


def reading(value: float, before: float | None = None, at: float = LATER) -> Reading:
    return Reading(value, Timestamp(at), before)


@pytest.mark.parametrize(
    ("text", "gate"),
    [
        ("announced_share >= 99.9%", Gate("announced_share", ">=", 0.999)),
        ("sessions_up_share<=1.2 x before", Gate("sessions_up_share", "<=", 1.2, of_before=True)),
        ("  findings == 0  ", Gate("findings", "==", 0.0)),
        ("load < 80 %", Gate("load", "<", 0.8)),
        ("loss < 0.001 %", Gate("loss", "<", 1e-5)),
        ("withdrawals > 1.5", Gate("withdrawals", ">", 1.5)),
    ],
)
def test_gates_are_read_as_operators_write_them(text, gate):
    assert parse_gate(text) == gate


@pytest.mark.parametrize(
    "text",
    ["", "announced_share", "announced_share => 1", "99 <= load", "load < high", "load < 5 x after",
     "load < 5 % x before", "load < -1", "a < 1 and b < 2", "Load < 1", "load < ١", "load < " + "9" * EXPRESSION_MAX,
     "load < 1\n2"],
)  # fmt: skip
def test_what_is_no_gate_is_refused_with_how_to_write_one(text):
    with pytest.raises(ParseError, match="is no gate; write INDICATOR"):
        parse_gate(text)


@given(
    st.builds(
        Gate,
        st.from_regex(r"[a-z][a-z0-9_]{0,20}", fullmatch=True),
        st.sampled_from(["<=", ">=", "<", ">", "=="]),
        st.just(0.0) | st.floats(1e-12, 1e22),
        st.booleans(),
    )
)
def test_a_gate_is_read_back_as_it_was_written(gate):
    assert parse_gate(str(gate)) == gate


@pytest.mark.mission("C4")
def test_all_pops_together_pass_it():
    judgement = judge(SUCCESS, ["ams", "fra"], {"ams": reading(0.9995), "fra": reading(0.999)}, STEP)
    assert (judgement.verdict, judgement.evidence) == (GateVerdict.PASS, ())


@pytest.mark.mission("C4")
def test_one_pop_breaks_it_although_of_another_nothing_is_known():
    judgement = judge(SUCCESS, ["ams", "fra"], {"fra": reading(0.9)}, STEP)
    assert judgement.verdict is GateVerdict.FAIL
    assert judgement.evidence == ("fra: announced_share is 0.9; wanted announced_share >= 0.999",)


@pytest.mark.mission("C4")
@pytest.mark.parametrize(
    ("found", "why"),
    [
        (None, "no reading of announced_share"),
        (reading(1.0, at=STEP), "the last reading of announced_share is from before the step"),
        (reading(nan), "announced_share was measured on nothing"),
        (reading(inf), "announced_share was measured on nothing"),
    ],
)
def test_no_data_is_not_a_pass(found, why):
    readings = {"ams": reading(1.0)} | ({} if found is None else {"fra": found})
    judgement = judge(SUCCESS, ["ams", "fra"], readings, STEP)
    assert (judgement.verdict, judgement.evidence) == (GateVerdict.NO_DATA, (f"fra: {why}",))


def test_of_no_pop_there_is_no_data():
    assert judge(SUCCESS, [], {"ams": reading(1.0)}, STEP).verdict is GateVerdict.NO_DATA


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        (reading(59.9, before=50.0), GateVerdict.PASS),
        (reading(60.1, before=50.0), GateVerdict.FAIL),
        (reading(10.0), GateVerdict.NO_DATA),
        (reading(10.0, before=nan), GateVerdict.NO_DATA),
        (reading(0.0, before=0.0), GateVerdict.PASS),
        (reading(0.1, before=0.0), GateVerdict.FAIL),
    ],
)
def test_a_gate_can_ask_for_what_was_before(found, verdict):
    assert judge(RTT, ["ams"], {"ams": found}, STEP).verdict is verdict


VALUES = st.floats()  # with those that are not finite


@pytest.mark.mission("C4")
@given(
    gate=st.sampled_from([SUCCESS, RTT, parse_gate("findings == 0"), parse_gate("load < 80%")]),
    pops=st.sets(st.sampled_from("abcd")),
    readings=st.dictionaries(
        st.sampled_from("abcd"), st.builds(Reading, VALUES, st.sampled_from([STEP, LATER]), st.none() | VALUES)
    ),
)
def test_it_passes_only_by_a_new_finite_value_of_every_pop_that_meets_it(gate, pops, readings):
    if judge(gate, pops, readings, STEP).verdict is GateVerdict.PASS:
        assert pops
        for pop in pops:
            found = readings[pop]
            assert found.at > STEP
            assert abs(found.value) < inf
            assert gate.holds(found.value, found.before if gate.of_before else 1.0)


def test_an_indicator_that_does_not_exist_is_refused_with_the_nearest_and_the_list() -> None:
    with pytest.raises(ParseError, match=r"'anounced_share'; did you mean 'announced_share'\? \(there are"):
        gate_to_ask("anounced_share >= 100%")
    with pytest.raises(ParseError) as refused:
        gate_to_ask("rtt_ms_p95 <= 1.2 x before")
    assert all(name in str(refused.value) for name in INDICATORS)
    assert "did you mean" not in str(refused.value)


@pytest.mark.parametrize("name", INDICATORS)
def test_one_that_exists_is_taken(name: str) -> None:
    assert gate_to_ask(f"{name} >= 50%") == Gate(name, ">=", 0.5)


def test_the_example_of_what_to_write_is_a_gate_that_exists() -> None:
    with pytest.raises(ParseError) as refused:
        gate_to_ask("?")
    examples = re.findall(r"'([a-z_]+ [<>=]+ [^']+)'", str(refused.value))
    assert len(examples) == 2
    assert all(gate_to_ask(example) for example in examples)
