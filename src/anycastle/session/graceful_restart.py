"""The helper of a graceful restart (RFC 4724 §4.2): whose routes are kept, and until when.

Theory of operation. When the TCP connection of a session with graceful restart is lost, and no NOTIFICATION was
exchanged, the peer's routes are kept and marked stale. They end family by family: at once if the new OPEN no longer
promises the family or says that forwarding was lost; when the peer's End-of-RIB comes; when the peer is not back
within its restart time; or when it is back and End-of-RIB does not come within `RestartConfig.stale_time_s`.
"""

from collections.abc import Iterable

from anycastle.base.ports import FAR_FUTURE, Instant, after
from anycastle.model.prefix import Family
from anycastle.session.command import Cause, Command, RoutesLost, RoutesStale, StaleRoutesEnded
from anycastle.session.config import RestartConfig
from anycastle.session.negotiation import Negotiated
from anycastle.wire.bgp.capability import GracefulRestart
from anycastle.wire.bgp.family import unicast_family

_CONNECTION_LOST = (Cause.DISCONNECTED, Cause.RESTARTED)


class GracefulRestartHelper:
    """What becomes of one peer's routes when its session comes and goes."""

    def __init__(self, config: RestartConfig | None) -> None:
        self._config = config
        self._stale: set[Family] = set()
        self.deadline: Instant = FAR_FUTURE

    @property
    def stale(self) -> frozenset[Family]:
        """Families of which stale routes are kept."""
        return frozenset(self._stale)

    def lost(self, negotiated: Negotiated, cause: Cause, now: Instant) -> list[Command]:
        """The session went down."""
        kept: set[Family] = set()
        restart = negotiated.peer_restart
        if restart is not None and cause in _CONNECTION_LOST:
            kept = _promised(restart) & negotiated.families
        commands: list[Command] = [RoutesLost(family) for family in _ordered(negotiated.families - kept)]
        commands += [RoutesStale(family) for family in _ordered(kept)]
        self._stale = kept
        self.deadline = after(now, restart.restart_time_s) if kept and restart is not None else FAR_FUTURE
        return commands

    def established(self, negotiated: Negotiated, now: Instant) -> list[Command]:
        """The session is up again, or for the first time."""
        if not self._stale or self._config is None:
            return []
        restart = negotiated.peer_restart
        forwarded = _promised(restart, forwarding=True) if restart is not None else set()
        ended = self._stale - (forwarded & negotiated.families)
        self._stale -= ended
        self.deadline = after(now, self._config.stale_time_s) if self._stale else FAR_FUTURE
        return [StaleRoutesEnded(family) for family in _ordered(ended)]

    def end_of_rib(self, family: Family) -> list[Command]:
        """The peer has sent all that it has of the family."""
        if family not in self._stale:
            return []
        self._stale.discard(family)
        if not self._stale:
            self.deadline = FAR_FUTURE
        return [StaleRoutesEnded(family)]

    def wake(self, now: Instant) -> list[Command]:
        """End what waited too long."""
        return self.forget() if now >= self.deadline else []

    def forget(self) -> list[Command]:
        """End everything that is kept."""
        ended = _ordered(self._stale)
        self._stale.clear()
        self.deadline = FAR_FUTURE
        return [StaleRoutesEnded(family) for family in ended]


def _promised(restart: GracefulRestart, *, forwarding: bool = False) -> set[Family]:
    named = (each for each in restart.families if each.forwarding or not forwarding)
    known = (unicast_family(each.afi, each.safi) for each in named)
    return {family for family in known if family is not None}


def _ordered(families: Iterable[Family]) -> list[Family]:
    return sorted(families)
