"""PagerDuty's Events API v2: one alert for each incident, by its `dedup_key`.

Source: https://developer.pagerduty.com/docs/send-alert-event (fields, lengths and answers)
"""

from typing import Any, Final

import msgspec

from anycastle.io.notifiers.http import Poster
from anycastle.io.notifiers.secret import read_secret
from anycastle.io.notifiers.text import facts, rfc3339
from anycastle.model.notify import PagerDuty
from anycastle.response.message import Message
from anycastle.response.signal import Urgency

SUMMARY_MAX: Final = 1024
DEDUP_KEY_MAX: Final = 255


class PagerDutySender:
    """Posts events."""

    def __init__(self, target: PagerDuty) -> None:
        self._target = target
        self._poster = Poster(target.ca_file)

    async def send(self, message: Message) -> None:
        """See `Sender`."""
        key = read_secret(self._target.key_file)
        await self._poster.post(self._target.url, msgspec.json.encode(event_of(message, key)), {}, (key,))

    async def close(self) -> None:
        """See `Sender`."""
        await self._poster.close()


def event_of(message: Message, routing_key: str) -> dict[str, Any]:
    """Give the event: `trigger`, or `resolve` of one that is over."""
    told: dict[str, Any] = {
        "routing_key": routing_key,
        "event_action": "resolve" if message.over else "trigger",
        "dedup_key": message.incident_key[-DEDUP_KEY_MAX:],
    }
    if message.over:
        return told
    details = {**facts(message), "notice": message.kind.value, "timeline": list(message.timeline)}
    payload = {
        "summary": message.headline[:SUMMARY_MAX],
        "source": ", ".join(message.pops) or message.fleet,
        "severity": "critical" if message.urgency is Urgency.PAGE else "warning",
        "timestamp": rfc3339(message.at),
        "component": ", ".join(message.services),
        "group": message.fleet,
        "class": message.alert,
        "custom_details": details,
    }
    given = {name: value for name, value in payload.items() if value}
    return {**told, "payload": given, "client": "Anycastle"}
