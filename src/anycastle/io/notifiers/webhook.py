"""A POST of JSON to a program of the operator's own, signed with a secret that both know.

`X-Anycastle-Timestamp` is when it is sent, in seconds since 1970; `X-Anycastle-Signature` is `v1=` and the hexadecimal
HMAC-SHA256 (RFC 2104) of the timestamp, a dot, and the body. Who takes it compares in constant time and refuses what is
older than some minutes: so nobody can send it again later. `Idempotency-Key` is the same when it is sent twice.
"""

import hashlib
import hmac
from typing import Any

import msgspec

from anycastle.io.clock import now
from anycastle.io.notifiers.http import Poster
from anycastle.io.notifiers.secret import read_secret
from anycastle.io.notifiers.text import rfc3339
from anycastle.model.notify import Webhook
from anycastle.response.message import Message


class WebhookSender:
    """Posts."""

    def __init__(self, target: Webhook) -> None:
        self._target = target
        self._poster = Poster(target.ca_file)

    async def send(self, message: Message) -> None:
        """See `Sender`."""
        secret = read_secret(self._target.secret_file)
        octets = msgspec.json.encode(body_of(message))
        timestamp = str(int(now().wall))
        headers = {
            "X-Anycastle-Timestamp": timestamp,
            "X-Anycastle-Signature": signature(secret, timestamp, octets),
            "Idempotency-Key": message.key,
        }
        await self._poster.post(self._target.url, octets, headers, (secret,))

    async def close(self) -> None:
        """See `Sender`."""
        await self._poster.close()


def signature(secret: str, timestamp: str, octets: bytes) -> str:
    """Give what stands in `X-Anycastle-Signature`."""
    signed = timestamp.encode() + b"." + octets
    return f"v1={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}"


def body_of(message: Message) -> dict[str, Any]:
    """Give all that is known of a notice."""
    return {
        "version": 1,
        "key": message.key,
        "fleet": message.fleet,
        "incident": message.incident or None,
        "incident_key": message.incident_key,
        "notice": message.kind.value,
        "urgency": message.urgency.value,
        "at": rfc3339(message.at),
        "opened": rfc3339(message.opened),
        "title": message.title,
        "alert": message.alert,
        "pops": list(message.pops),
        "services": list(message.services),
        "prefixes": list(message.prefixes),
        "regions": list(message.regions),
        "folded": message.folded,
        "timeline": list(message.timeline),
    }
