"""Whatever is said is heard as it was said; whatever is heard raises nothing but what is declared."""

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from anycastle.session.link_report import ReportBook, Sections, message_of, take
from anycastle.wire.link.codec import LinkError, Unknown, decode_agent, decode_controller, encode_message
from anycastle.wire.link.message import Delta, Message, Report
from tests.property.wire.link_values import agent_messages, controller_messages, names

states = st.dictionaries(names, st.dictionaries(names, st.binary(min_size=1, max_size=3).map(lambda b: b'"%d"' % b[0])))


@given(agent_messages)
def test_what_agents_say_comes_back(message: Message) -> None:
    comes_back(message, decode_agent)


@given(controller_messages)
def test_what_controllers_say_comes_back(message: Message) -> None:
    comes_back(message, decode_controller)


def comes_back(message: Message, decode: Callable[[bytes], Message | Unknown]) -> None:
    octets = encode_message(message)
    again = decode(octets)
    assert type(again) is type(message)
    assert isinstance(again, Message)
    assert encode_message(again) == octets


@given(st.binary() | agent_messages.map(encode_message), st.data())
def test_any_octets_are_a_message_or_an_error(octets: bytes, data: st.DataObject) -> None:
    cut = octets[: data.draw(st.integers(0, len(octets)))]
    for decode in (decode_agent, decode_controller):
        try:
            decode(cut)
        except LinkError:
            continue


@given(st.lists(states, min_size=1, max_size=6), st.sampled_from([1, 2]))
def test_a_report_brings_the_other_side_to_the_same_state(steps: list[Sections], version: int) -> None:
    told, heard = ReportBook(), ReportBook()
    for state in steps:
        message = message_of(told, state, version)
        if message is None:
            continue
        decoded = decode_agent(encode_message(message))
        assert isinstance(decoded, Report | Delta)
        assert take(heard, decoded) is not None
        assert heard.sections == {name: dict(entries) for name, entries in state.items() if entries}
        assert heard.digest == told.digest
