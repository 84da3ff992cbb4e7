"""The messages' form, which other releases rely on."""

import msgspec
import pytest

from anycastle.base.errors import MisuseError
from anycastle.model.permit import PermitState
from anycastle.wire.link.codec import LinkError, Unknown, decode_agent, decode_controller, encode_message
from anycastle.wire.link.limits import MESSAGE_OCTETS_MAX
from anycastle.wire.link.message import (
    Assign,
    Delta,
    EventRow,
    Events,
    Grant,
    Hello,
    Message,
    Order,
    OrderRefused,
    Permits,
    PermitShape,
    Welcome,
)

SPOKEN = [
    (
        Hello([1, 2], "ams", "1.0", 1.5, term=4, log="ab"),
        '{"kind":"hello","versions":[1,2],"pop":"ams","agent_version":"1.0","clock":1.5,"term":4,"log":"ab"}',
    ),
    (
        Delta(2, 1, "00", {"services": {"dns": msgspec.Raw(b'{"stance":"announce"}')}}, {"exported": ["a"]}),
        (
            '{"kind":"delta","revision":2,"base":1,"digest":"00",'
            '"changed":{"services":{"dns":{"stance":"announce"}}},"gone":{"exported":["a"]}}'
        ),
    ),
    (
        Permits([PermitShape("dns", PermitState.USED, 3, exported=False)]),
        '{"kind":"permits","reports":[{"service":"dns","state":"used","epoch":3,"exported":false}]}',
    ),
    (
        Events("ab", 7, [EventRow(1.5, "alarm", msgspec.Raw(b'{"text":"x"}'), "cd")]),
        (
            '{"kind":"events","log":"ab","first":7,'
            '"events":[{"at":1.5,"event":"alarm","fields":{"text":"x"},"hash":"cd"}]}'
        ),
    ),
    (OrderRefused("o1", "no"), '{"kind":"order_refused","id":"o1","reason":"no"}'),
    (
        Welcome(2, 9, 3.0, 40, 256, 1.5),
        '{"kind":"welcome","version":2,"term":9,"heartbeat_s":3.0,"events_acked":40,"events_window":256,"clock":1.5}',
    ),
    (Assign("ab", b"{}"), '{"kind":"assign","digest":"ab","octets":"e30="}'),
    (Grant("dns", 3), '{"kind":"grant","service":"dns","epoch":3}'),
    (
        Order("o1", "drain", ["dns"], "alice", parameters={"soak_s": 5.0}),
        '{"kind":"order","id":"o1","order":"drain","services":["dns"],"owner":"alice","parameters":{"soak_s":5.0}}',
    ),
]


@pytest.mark.parametrize(("message", "text"), SPOKEN, ids=[type(message).__name__ for message, _ in SPOKEN])
def test_the_form_is_kept(message: Message, text: str) -> None:
    assert encode_message(message).decode() == text
    decode = decode_controller if isinstance(message, Welcome | Assign | Grant | Order) else decode_agent
    again = decode(text.encode())
    assert isinstance(again, Message)
    assert encode_message(again).decode() == text


def test_what_one_side_says_is_unknown_from_the_other() -> None:
    assert decode_agent(b'{"kind":"grant","service":"dns","epoch":3}') == Unknown("grant")
    assert decode_controller(b'{"kind":"ping","number":1,"clock":1.0}') == Unknown("ping")


def test_a_message_of_any_size_is_not_read_or_sent() -> None:
    with pytest.raises(MisuseError, match="at most"):
        encode_message(Assign("ab", bytes(MESSAGE_OCTETS_MAX)))
    with pytest.raises(LinkError, match="at most"):
        decode_agent(b" " * (MESSAGE_OCTETS_MAX + 1))


def test_the_words_of_an_error_are_short_and_name_the_place() -> None:
    with pytest.raises(LinkError, match=r"\$\.reports\[0\]\.state") as caught:
        decode_agent(b'{"kind":"permits","reports":[{"service":"a","state":"' + b"x" * 10_000 + b'","epoch":1}]}')
    assert len(str(caught.value)) <= 400
