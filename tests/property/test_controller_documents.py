import json

from hypothesis import given
from hypothesis import strategies as st

from anycastle.base.ports import Timestamp
from anycastle.io.controller_json import decode, encode, kept_of, rollout_plain
from anycastle.model.prefix import parse_prefix
from anycastle.rollout.desired import DefinitionKey, Desired, Unit
from anycastle.rollout.gates import Gate, parse_gate
from anycastle.rollout.intent import RouteKey
from anycastle.rollout.kept import AgentOrder, Frozen, Glass, Kept
from anycastle.rollout.orders import AgentOrderKind, RolloutPolicy
from anycastle.rollout.rollout import Rollout, RolloutState

names = st.text("abc-é0", min_size=1, max_size=5)
texts = st.text(max_size=20)
times = st.floats(0, 1e10).map(Timestamp)
seconds = st.floats(0, 1e6)
prefixes = st.integers(0, 255).map(lambda n: parse_prefix(f"198.18.{n}.0/24"))
units: st.SearchStrategy[Unit] = st.one_of(
    st.builds(RouteKey, names, names, prefixes), st.builds(DefinitionKey, names, names)
)
gates: st.SearchStrategy[Gate] = st.sampled_from(["a >= 99.9%", "b <= 1.2 x before", "c == 0"]).map(parse_gate)
desired = st.builds(Desired, names, st.dictionaries(units, names, max_size=8))


@st.composite
def rollouts(draw: st.DrawFn) -> Rollout:
    before = draw(st.dictionaries(units, names, min_size=1, max_size=12))
    cut = draw(st.integers(0, len(before)))
    listed = list(before)
    steps = tuple(frozenset(part) for part in (listed[:cut], listed[cut:]) if part)
    return Rollout(
        number=draw(st.integers(1, 10**6)),
        revision=draw(names),
        steps=steps,
        before=before,
        prefixes=draw(st.frozensets(prefixes, max_size=3)),
        who=draw(texts),
        reason=draw(texts),
        policy=RolloutPolicy(draw(seconds), draw(seconds), tuple(draw(st.lists(gates, max_size=3)))),
        marks=tuple(draw(st.lists(texts, max_size=2))),
        approved_by=draw(st.none() | texts),
        state=draw(st.sampled_from(RolloutState)),
        step=draw(st.integers(0, len(steps))),
        since=draw(times),
        paused_by=draw(st.none() | texts),
        why=draw(texts),
    )


orders = st.builds(
    AgentOrder, st.integers(1, 10**6), names, st.sampled_from(AgentOrderKind), st.lists(names).map(tuple), texts, texts,
    seconds, seconds, st.none() | times,
)  # fmt: skip
frozen = st.builds(Frozen, texts, texts, times)
glasses = st.builds(Glass, texts, texts, seconds, times, st.none() | texts, times)


@given(st.one_of(desired, rollouts(), orders, frozen, glasses, st.integers(0, 10**9)))
def test_a_part_reads_as_it_was_written(part: Desired | Rollout | AgentOrder | Frozen | Glass | int) -> None:
    assert decode(encode(part)) == part


@given(
    st.builds(
        Kept,
        desired,
        st.lists(rollouts(), max_size=3).map(lambda made: {each.number: each for each in made}),
        st.lists(orders, max_size=3).map(lambda made: {each.number: each for each in made}),
        st.none() | frozen,
        st.none() | glasses,
        st.integers(0, 10**9),
    )
)
def test_what_was_kept_is_found_again(kept: Kept) -> None:
    documents = {key: encode(part) for key, part in kept.documents().items()}
    assert kept_of(documents, Desired("none")) == kept


@given(rollouts())
def test_a_rollout_is_plain_for_others(rollout: Rollout) -> None:
    plain = rollout_plain(rollout)
    assert json.loads(json.dumps(plain)) == plain
    assert [each["units"] for each in plain["steps"]] == [len(step) for step in rollout.steps]
