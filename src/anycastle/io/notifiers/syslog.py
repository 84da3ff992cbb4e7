"""A syslog message (RFC 5424) for each notice. Syslog acknowledges nothing: taken is what the kernel has."""

import asyncio
from pathlib import Path
from typing import Final

import msgspec

from anycastle.base.errors import WorldError
from anycastle.io.notifiers.port import DeliveryError
from anycastle.io.notifiers.webhook import body_of
from anycastle.io.syslog import SyslogSender, framed, header
from anycastle.model.notify import Syslog
from anycastle.response.message import Message
from anycastle.response.signal import Urgency

CRITICAL: Final = 2
WARNING: Final = 4
NOTICE: Final = 5


class SyslogNotifier:
    """Sends, each by a connection of its own, in a thread."""

    def __init__(self, target: Syslog) -> None:
        self._target = target

    async def send(self, message: Message) -> None:
        """See `Sender`."""
        await asyncio.to_thread(self._send, framed(octets_of(message)))

    async def close(self) -> None:
        """See `Sender`."""

    def _send(self, octets: bytes) -> None:
        ca_file = None if self._target.ca_file is None else Path(self._target.ca_file)
        try:
            with SyslogSender(self._target.place, ca_file) as sender:
                sender.send(octets)
        except WorldError as error:
            raise DeliveryError(str(error)) from error


def octets_of(message: Message) -> bytes:
    """Give the message without its length: severity by urgency, the notice's kind as MSGID, all else as JSON."""
    severity = NOTICE if message.over else CRITICAL if message.urgency is Urgency.PAGE else WARNING
    return header(severity, message.at, message.fleet, f"notice_{message.kind.value}") + msgspec.json.encode(
        body_of(message)
    )
