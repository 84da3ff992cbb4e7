"""A Slack incoming webhook. Its URL is the secret: it is read from a file, and shown nowhere.

Slack knows no keys: what is sent twice is read twice.
Source: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks, .../reference/block-kit/blocks
"""

from typing import Any, Final

import msgspec

from anycastle.io.notifiers.http import Poster
from anycastle.io.notifiers.port import DeliveryError
from anycastle.io.notifiers.secret import read_secret
from anycastle.io.notifiers.text import facts
from anycastle.model.notify import Slack
from anycastle.response.message import Message

HEADER_MAX: Final = 150
SECTION_MAX: Final = 3000
FIELD_MAX: Final = 2000
FIELDS_MAX: Final = 10


class SlackSender:
    """Posts messages."""

    def __init__(self, target: Slack) -> None:
        self._target = target
        self._poster = Poster(target.ca_file)

    async def send(self, message: Message) -> None:
        """See `Sender`."""
        url = read_secret(self._target.url_file)
        if not url.startswith(("https://", "http://")):
            raise DeliveryError(f"{self._target.url_file}: what it holds is no URL")
        await self._poster.post(url, msgspec.json.encode(post_of(message)), {}, (url,))

    async def close(self) -> None:
        """See `Sender`."""
        await self._poster.close()


def post_of(message: Message) -> dict[str, Any]:
    """Give the post: `text` for notifications, blocks for who looks."""
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": _cut(message.headline, HEADER_MAX)}}
    ]
    if len(message.headline) > HEADER_MAX:
        blocks.append({"type": "section", "text": _markdown(message.title, SECTION_MAX)})
    fields = [_markdown(f"{name}: {text}", FIELD_MAX) for name, text in facts(message).items()]
    blocks.append({"type": "section", "fields": fields[:FIELDS_MAX]})
    if message.timeline:
        blocks.append({"type": "section", "text": _markdown("\n".join(message.timeline), SECTION_MAX)})
    return {"text": escaped(message.headline), "blocks": blocks}


def _markdown(text: str, most: int) -> dict[str, str]:
    cut = text
    while len(escaped(cut)) > most:  # what is escaped is longer, and is not to be cut within
        cut = cut[: -max(1, (len(escaped(cut)) - most) // 5)]
    return {"type": "mrkdwn", "text": escaped(cut)}


def escaped(text: str) -> str:
    """Give text in which nothing is a mention or a link."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
