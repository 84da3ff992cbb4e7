"""The machine's two clocks."""

import time

from anycastle.base.ports import Instant, Now, Timestamp


def now() -> Now:
    """Read both clocks."""
    return Now(Instant(time.monotonic()), Timestamp(time.time()))
