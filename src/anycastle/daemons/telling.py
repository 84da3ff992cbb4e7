"""A watch that tells a controller on another machine what it finds."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Final

from anycastle.io.delivery import Delivery, HTTPPost
from anycastle.io.findings_outbox import FindingsOutbox

CURSOR: Final = "told.json"
"""The file of the state folder that says how far the log was told."""


@dataclass(frozen=True, slots=True)
class TellSettings:
    """Whom to tell, and as who."""

    urls: Sequence[str]
    """Of `POST /api/v1/findings/events`: one of these controllers takes what is told."""
    token_file: Path
    watch: str
    """The watch's name."""
    ca_file: Path | None = None


class TellingWatch:
    """Tells until it is closed; made within a running loop."""

    def __init__(self, settings: TellSettings, state_dir: Path) -> None:
        """Raises `WorldError` where the files cannot be used."""
        self._outbox = FindingsOutbox(state_dir / "events.db", state_dir / CURSOR, settings.watch)
        self._post = HTTPPost(settings.urls, settings.token_file, settings.ca_file)
        self._delivery = Delivery(self._outbox, self._post, Random())
        self._running = asyncio.create_task(self._delivery.run())

    @property
    def trouble(self) -> str:
        """Why the controller could not be told; empty while it goes well."""
        if self._running.done() and not self._running.cancelled():
            return f"nothing is told any more, by an error of ours: {self._running.exception()!r}"
        return self._delivery.trouble

    def status(self) -> dict[str, Any]:
        """Give how far the log was told, and what holds it up."""
        return {"sequence": self._outbox.cursor.sequence, "trouble": self.trouble}

    async def close(self) -> None:
        """End it; what was not told is told after the next start."""
        self._running.cancel()
        await asyncio.gather(self._running, return_exceptions=True)
        await self._post.close()
