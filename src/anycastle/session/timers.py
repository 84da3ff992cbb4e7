"""The session's timers (RFC 4271 §8.1.3 and §10) as deadlines on the caller's clock."""

from enum import Enum

from anycastle.base.ports import FAR_FUTURE, Instant, Randomness


class Timer(Enum):
    """One timer of a session, by its name in RFC 4271; the order settles who goes first at one instant."""

    HOLD = "HoldTimer"
    KEEPALIVE = "KeepaliveTimer"
    DELAY_OPEN = "DelayOpenTimer"
    CONNECT_RETRY = "ConnectRetryTimer"
    IDLE_HOLD = "IdleHoldTimer"


class Timers:
    """The running timers of one session."""

    def __init__(self) -> None:
        self._deadlines: dict[Timer, Instant] = {}

    def start(self, timer: Timer, at: Instant) -> None:
        """Start or restart a timer that expires at `at`."""
        self._deadlines[timer] = at

    def stop_all(self) -> None:
        """Stop every timer."""
        self._deadlines.clear()

    def running(self, timer: Timer) -> bool:
        """Tell whether the timer runs."""
        return timer in self._deadlines

    @property
    def deadline(self) -> Instant:
        """When the next timer expires; the far future when none runs."""
        return min(self._deadlines.values(), default=FAR_FUTURE)

    def pop_expired(self, now: Instant) -> Timer | None:
        """Stop and give one timer that has expired, or None."""
        for timer in Timer:
            if self._deadlines.get(timer, FAR_FUTURE) <= now:
                del self._deadlines[timer]
                return timer
        return None


def jittered(seconds: float, random: Randomness) -> float:
    """Give `seconds` times a random factor of 0.75 to 1.0 (RFC 4271 §10)."""
    return seconds * random.uniform(0.75, 1.0)
