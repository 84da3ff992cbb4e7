"""Messages, and the sending of one."""

import asyncio
from dataclasses import replace

from anycastle.base.ports import Timestamp
from anycastle.io.notifiers.table import sender_of
from anycastle.model.notify import Target
from anycastle.response.message import Message
from anycastle.response.notification import NoticeKind
from anycastle.response.signal import Urgency

AT = Timestamp(1_700_000_000.25)
PAGE = Message(
    "00000007", "net/3", "net", 3, NoticeKind.PAGE, Urgency.PAGE, AT, Timestamp(AT - 4),
    "fra is gone <@here> & silent", "pop_down",
    ("fra",), ("dns", "web"), ("192.0.2.0/24",), ("eu",), 0, False, ("alert: gone", "notified: page"),
)  # fmt: skip
OVER = replace(PAGE, key="00000009", kind=NoticeKind.CLEARED, at=Timestamp(AT + 600))
LONG = replace(PAGE, title="<&>" * 2000, timeline=("<&>" * 2000,) * 10, services=tuple("s" * 60 for _ in range(20)))


def send(target: Target, *messages: Message) -> None:
    """Send messages, one after the other."""

    async def body() -> None:
        sender = sender_of(target)
        try:
            for each in messages:
                await sender.send(each)
        finally:
            await sender.close()

    asyncio.run(body())
