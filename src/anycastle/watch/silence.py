"""Who has been silent, and for how long: the feeds' own health, which comes before what they say."""

from dataclasses import dataclass
from typing import Final

from anycastle.base.ports import Timestamp
from anycastle.watch.fact import FeedSilence, Peer

FEED_SILENT_S: Final = 60.0
"""A feed that answers pings every fifteen seconds has by then missed four."""

PEERS_MAX: Final = 20_000
"""Peers whose last word is remembered, over all feeds; RIS has some 1,500."""


@dataclass(slots=True)
class _Voice:
    heard: Timestamp
    silent: bool = False


class SilenceWatch:
    """Remembers when each feed and peer was last heard, and says when that is too long ago, and when it is over."""

    def __init__(self, feed_limit_s: float = FEED_SILENT_S, peer_limit_s: float | None = None) -> None:
        self._limits = (feed_limit_s, peer_limit_s)
        self._voices: dict[tuple[str, Peer | None], _Voice] = {}

    def expect(self, feed: str, now: Timestamp) -> None:
        """Say that a feed is to be heard from now on."""
        self._voices.setdefault((feed, None), _Voice(now))

    def heard(self, feed: str, peer: Peer | None, at: Timestamp) -> list[FeedSilence]:
        """Take a sign of life; gives the end of a silence that was told of."""
        key = (feed, peer)
        voice = self._voices.get(key)
        if voice is None:
            if len(self._voices) < PEERS_MAX:
                self._voices[key] = _Voice(at)
            return []
        silent_s = at - voice.heard
        voice.heard = max(voice.heard, at)
        if not voice.silent:
            return []
        voice.silent = False
        return [FeedSilence(at, feed, peer, silent_s, silent=False)]

    def check(self, now: Timestamp) -> list[FeedSilence]:
        """Give each silence that became too long since the last check."""
        found = []
        for (feed, peer), voice in self._voices.items():
            limit_s = self._limits[peer is not None]
            if limit_s is not None and not voice.silent and now - voice.heard >= limit_s:
                voice.silent = True
                found.append(FeedSilence(now, feed, peer, now - voice.heard, silent=True))
        return found

    def silences(self, now: Timestamp) -> list[tuple[str, Peer | None, float]]:
        """Give how long each feed (no peer) and each peer has been silent, in seconds."""
        return [(feed, peer, max(0.0, now - voice.heard)) for (feed, peer), voice in self._voices.items()]
