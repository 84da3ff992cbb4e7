"""Which PoPs announce a service, as routes come and go."""

from collections import Counter
from collections.abc import Iterable

from anycastle.model.prefix import Prefix
from anycastle.model.service import Service
from anycastle.model.stance import Stance
from anycastle.rollout.difference import Change, ChangeKind
from anycastle.rollout.live import Live


class Presence:
    """What is announced at one moment of a rollout.

    A PoP announces a service when each of its promised prefixes has a route.
    PoPs that were not heard announce nothing here, and a service that its PoP has withdrawn is not there although a
    prefix that it shares may be: what is counted on must be known.
    """

    def __init__(self, live: Live) -> None:
        self._live = live
        self._upstreams: Counter[tuple[str, Prefix]] = Counter()
        self._exported = frozenset(live.exported)
        for key in self._exported:
            self._upstreams[key.pop, key.prefix] += 1

    def apply(self, changes: Iterable[Change]) -> None:
        """Take changes as made. One that no session carries does not add to what is announced."""
        for change in changes:
            key = change.key
            if change.kind is ChangeKind.ADDED and self._live.carries(key):
                self._upstreams[key.pop, key.prefix] += 1
            elif change.kind is ChangeKind.WITHDRAWN and key in self._exported:
                self._upstreams[key.pop, key.prefix] -= 1

    def announcing(self, service: Service) -> list[str]:
        """Give the PoPs that announce a service."""
        return [pop for pop in self._candidates(service) if self._has(pop, service)]

    def _candidates(self, service: Service) -> list[str]:
        told = [pop for pop, report in self._live.reports.items() if service.name in report.services]
        return list(dict.fromkeys([*(pop for pop in service.pops if pop in self._live.reports), *told]))

    def _has(self, pop: str, service: Service) -> bool:
        report = self._live.reports[pop].services.get(service.name)
        if report is not None and report.stance is Stance.WITHDRAW:
            return False
        return all(self._upstreams[pop, prefix] > 0 for prefix in service.promised)
