"""When failures of several services give reason to doubt all others, and so to ask them sooner."""

from anycastle.base.ports import Instant, after

DOUBT_S = 1.0
"""Failures of two services within this span are taken for one cause; and so often at most are others asked sooner."""


class Doubt:
    """Remembers who failed last."""

    def __init__(self, now: Instant) -> None:
        self._last: tuple[str, Instant] | None = None
        self._again_from = now

    def failed(self, service: str, now: Instant) -> bool:
        """Take that a hard check of a service has failed; tell whether the others are to be asked sooner."""
        before, self._last = self._last, (service, now)
        if before is None or before[0] == service or now - before[1] > DOUBT_S or now < self._again_from:
            return False
        self._again_from = after(now, DOUBT_S)
        return True
