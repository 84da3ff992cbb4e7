"""An Alertmanager's API v2: an incident is one alert, which stays the same until it is over.

Prometheus says again and again what fires, and Alertmanager forgets what is not said again. We say each notice once,
so an alert ends a week later unless a notice ends it or prolongs it before.

Source: https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml
"""

from typing import Any, Final

import msgspec

from anycastle.io.notifiers.http import Poster
from anycastle.io.notifiers.secret import read_secret
from anycastle.io.notifiers.text import facts, rfc3339
from anycastle.model.notify import Alertmanager
from anycastle.response.message import Message
from anycastle.response.signal import Urgency

ALERT: Final = "AnycastleIncident"
LASTS_S: Final = 7 * 86_400.0
STORM_LASTS_S: Final = 3_600.0
"""Of what is about no incident: nothing will say that it is over."""


class AlertmanagerSender:
    """Posts alerts."""

    def __init__(self, target: Alertmanager) -> None:
        self._target = target
        self._poster = Poster(target.ca_file)

    async def send(self, message: Message) -> None:
        """See `Sender`."""
        token = None if self._target.token_file is None else read_secret(self._target.token_file)
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        secrets = () if token is None else (token,)
        url = f"{self._target.url}/api/v2/alerts"
        await self._poster.post(url, msgspec.json.encode(alerts_of(message)), headers, secrets)

    async def close(self) -> None:
        """See `Sender`."""
        await self._poster.close()


def alerts_of(message: Message) -> list[dict[str, Any]]:
    """Give what is posted: the alert; and, once a ticket has become a page, the end of the ticket's alert.

    Labels tell alerts apart, so nothing stands in them that changes in an incident's life save its urgency.
    """
    ends = message.at if message.over else message.at + (LASTS_S if message.incident else STORM_LASTS_S)
    told = [_alert(message, message.urgency, ends)]
    if message.was_ticket:
        told.append(_alert(message, Urgency.TICKET, message.at))
    return told


def _alert(message: Message, urgency: Urgency, ends: float) -> dict[str, Any]:
    return {
        "labels": {
            "alertname": ALERT,
            "fleet": message.fleet,
            "incident": message.incident_key,
            "severity": urgency.value,
        },
        "annotations": {"summary": message.title, "notice": message.kind.value, **facts(message)},
        "startsAt": rfc3339(message.opened),
        "endsAt": rfc3339(ends),
    }
