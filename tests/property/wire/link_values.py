"""Messages of the link, drawn at random."""

import msgspec
from hypothesis import strategies as st

from anycastle.model.permit import PermitState
from anycastle.wire.link import message as m
from anycastle.wire.link.limits import COUNT_MAX, EVENTS_MAX

counts = st.integers(0, COUNT_MAX)
texts = st.text(st.characters(codec="utf-8"), max_size=40)
names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)
clocks = st.floats(0, 1e11)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=6,
)
raws = values.map(lambda value: msgspec.Raw(msgspec.json.encode(value)))
objects = st.dictionaries(names, values, max_size=3).map(lambda value: msgspec.Raw(msgspec.json.encode(value)))
sections = st.dictionaries(names, st.dictionaries(names, raws, max_size=3), max_size=3)
permits = st.builds(m.PermitShape, names, st.sampled_from(PermitState), counts, st.booleans(), st.booleans())
rows = st.builds(m.EventRow, clocks, names, objects, st.text("0123456789abcdef", max_size=64))
byes = st.builds(m.Bye, texts, st.floats(0, 86_400), texts)

agent_messages = st.one_of(
    st.builds(m.Hello, st.lists(counts, min_size=1, max_size=16), names, texts, clocks, counts, texts, texts),
    st.builds(m.Report, counts, counts, names, sections),
    st.builds(
        m.Delta, counts, counts, names, sections, st.dictionaries(names, st.lists(names, max_size=3), max_size=3)
    ),
    st.builds(m.Permits, st.lists(permits, max_size=4)),
    st.builds(m.Events, names, counts, st.lists(rows, min_size=1, max_size=min(EVENTS_MAX, 4))),
    st.builds(m.Taken, names),
    st.builds(m.Refused, names, texts),
    st.builds(m.OrderDone, names),
    st.builds(m.OrderRefused, names, texts),
    st.builds(m.Ping, counts, clocks),
    byes,
)
controller_messages = st.one_of(
    st.builds(m.Welcome, counts, counts, st.floats(0.05, 3600), counts, st.integers(1, 100_000), clocks),
    st.builds(m.Assign, names, st.binary(max_size=64)),
    st.builds(m.Grant, names, counts),
    st.builds(m.Revoke, names, counts),
    st.builds(
        m.Order, names, names, st.lists(names, max_size=3), texts, texts,
        st.dictionaries(names, st.floats(allow_nan=False, allow_infinity=False), max_size=3),
    ),
    st.builds(m.EventsAcked, counts),
    st.builds(m.ReportAcked, counts),
    st.just(m.ReportWanted()),
    st.builds(m.Pong, counts, clocks, clocks),
    byes,
)  # fmt: skip
