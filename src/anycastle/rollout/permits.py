"""The controller's side of withdraw permits: who may hold one, and who must not.

Theory of operation. A PoP is *relied on* for a service when it is known to hold no permit, and to export it: it can
not withdraw of its own. A permit is granted only where those relied on meet the floor without the one that gets it.
All else counts as if it had withdrawn: who holds or uses a permit, who was sent one and has not said so, who was
asked to give one up and has not, who has not been heard of. So nothing depends on what a controller remembers: one
that starts anew, also from an old backup, relies on nobody until he has spoken, and takes the epoch of a grant from
what the agent reported.

Two things agents do for it. They speak with one controller at a time and void what an earlier session sends late; and
they keep on disk the highest *term* of a controller they ever spoke with, and refuse a lower one. Each controller that
begins to lead takes a term of its own. Then no two controllers can grant on the same PoPs: of those that the highest
term relied on at its last grant, none can have got a permit from anybody since.

A permit that is idle can move. It is asked back when the floor is in danger (it was raised, or a PoP is gone for
another reason than a permit), and when another PoP wants one that the slack does not allow; the last in the service's
order gives first. Asked back means nothing before the agent has agreed: one that is being used is not given up.
A PoP that announces a service although nothing desires it there any more, or the service at all, is one like all
others: it needs a permit to leave, and until then it is relied on.
A PoP whose session has just ended counts for nothing where permits are granted, but none is asked back for it yet.
What is given back for a PoP that wants one is saved up for it: given to others that want none, it would be asked back
of them again, and so on for ever, where the one that wants serves more than each of them.
A permit that waits for another, because a withdrawal needs both, moves only to a PoP that is first by name: two PoPs
that each hold what the other waits for would else exchange them for ever.
"""

from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from enum import Enum
from heapq import heappop, heappush

from anycastle.base.ports import FAR_FUTURE, Instant, after
from anycastle.model.fleet import Fleet
from anycastle.model.permit import PermitReport, PermitState
from anycastle.model.service import Floor, Service

BATCH_S = 0.02
"""What comes within this span is dealt with together: a controller that starts hears all its agents at once."""

BATCH_PER_POP_S = 0.0002
"""And for each PoP of a service: a deal's cost goes with their number, and permits are dealt before they are needed."""

ASK_AGAIN_S = 5.0
"""How long a grant or a revocation may go unanswered, or a refusal stands, before it is sent anew."""

ASK_TOGETHER_S = 0.25
"""What would be sent anew within this span of what is due goes with it: whether the floor stands is asked once."""

AWAITED_S = 10.0
"""How long a PoP without a session may be on its way to its next one: three tries of an agent's. A controller that
starts would else take all idle permits from the first PoPs that it hears, just when they may be needed."""


@dataclass(frozen=True, slots=True)
class Grant:
    """Tell a PoP that it may withdraw a service."""

    pop: str
    service: str
    epoch: int


@dataclass(frozen=True, slots=True)
class Revoke:
    """Ask a PoP to give its permit up."""

    pop: str
    service: str
    epoch: int


PermitCommand = Grant | Revoke


class Asked(Enum):
    """What an agent was sent last and has not answered."""

    NOTHING = "nothing"
    GRANT = "grant"
    REVOCATION = "revocation"


@dataclass(frozen=True, slots=True)
class Holding:
    """What is known of one PoP's permit for one service."""

    reported: PermitReport
    epoch: int
    """Of the last command; a report of an earlier one was on its way when it was sent."""
    asked: Asked = Asked.NOTHING
    again_at: Instant = FAR_FUTURE

    @property
    def relied_on(self) -> bool:
        """Whether the PoP can not withdraw of its own, and announces."""
        report = self.reported
        return report.state is PermitState.NONE and self.asked is Asked.NOTHING and report.exported

    @property
    def idle(self) -> bool:
        """Whether there is a permit that could be given up at once, and was not refused lately."""
        report = self.reported
        unasked = self.asked is Asked.NOTHING and self.again_at == FAR_FUTURE
        return report.state is PermitState.HELD and unasked and report.exported

    def after(self, report: PermitReport, now: Instant) -> "Holding":
        """Give the holding after a report; one from before the last command says nothing of the permit."""
        if report.epoch < self.epoch:
            return replace(self, reported=replace(report, state=self.reported.state))
        refused = self.asked is Asked.REVOCATION and report.state is not PermitState.NONE
        again_at = after(now, ASK_AGAIN_S) if refused else self.again_at if self.asked is Asked.NOTHING else FAR_FUTURE
        return Holding(report, report.epoch, again_at=again_at)

    def command(self, pop: str) -> PermitCommand:
        """Give what the agent was sent last."""
        kind = Grant if self.asked is Asked.GRANT else Revoke
        return kind(pop, self.reported.service, self.epoch)


class PermitLedger:
    """Deals permits over the sessions that agents have with this controller. `deadline` says when to call `wake`.

    Inputs only change what is known; `wake` deals, once for all that came within `BATCH_S`.
    """

    def __init__(self, fleet: Fleet) -> None:
        self._holdings: dict[str, dict[str, Holding]] = {}
        """Service -> PoP with a session -> what is known."""
        self._services: dict[str, Service] = {}
        self._capacity: dict[str, float] = {}
        self._heard = False
        self._awaited: dict[str, Instant] = {}
        """PoP without a session -> how long no permit is asked back for want of it."""
        self._awaited_until = FAR_FUTURE
        """When the first of them is awaited no longer."""
        self._changed: set[str] = set()
        self._deal_at = FAR_FUTURE
        self._due: list[tuple[Instant, str, str]] = []
        """A heap of (when to ask again, service, PoP); an entry whose holding says another time means nothing."""
        self.change_fleet(fleet, FAR_FUTURE)

    @property
    def deadline(self) -> Instant:
        """The instant at which `wake` has something to do."""
        return min(self._deal_at, self._ask_at)

    @property
    def _ask_at(self) -> Instant:
        return min(self._due[0][0] if self._due else FAR_FUTURE, self._awaited_until)

    # -- inputs ---------------------------------------------------------------------------------------------------

    def joined(self, pop: str, reports: Iterable[PermitReport], now: Instant) -> None:
        """Take a new session's first words: all that was known of the PoP is void."""
        self.left(pop, now)
        self.reported(pop, reports, now)

    def reported(self, pop: str, reports: Iterable[PermitReport], now: Instant) -> None:
        """Take what changed at a PoP, or its answers to commands."""
        if not self._heard:
            self._heard = True
            self._await(self._capacity, now)
        self._awaited.pop(pop, None)
        for report in reports:
            pops = self._holdings.setdefault(report.service, {})
            before = pops.get(pop)
            holding = Holding(report, report.epoch) if before is None else before.after(report, now)
            if holding != before:  # else all was dealt by it already: agents repeat what they said
                self._put(report.service, pop, holding)
                self._note(report.service, now)

    def left(self, pop: str, now: Instant) -> None:
        """Take that a PoP's session ended: nothing is known of it any more."""
        for name, pops in self._holdings.items():
            if pops.pop(pop, None) is not None:
                self._await((pop,), now)
                self._note(name, now)

    def change_fleet(self, fleet: Fleet, now: Instant) -> None:
        """Take other floors, capacities, services."""
        self._services = {service.name: service for service in fleet.services}
        self._capacity = {pop.name: pop.capacity for pop in fleet.pops}
        for name in self._services:
            self._note(name, now)

    def wake(self, now: Instant) -> list[PermitCommand]:
        """Deal what is to be dealt, and ask again what was not answered."""
        commands = self._ask_again(now) if now >= self._ask_at else []
        if now >= self._deal_at:
            changed, self._changed, self._deal_at = self._changed, set(), FAR_FUTURE
            for name in sorted(changed):
                commands += self._deal(self._service(name), now)
        return commands

    # -- what is known --------------------------------------------------------------------------------------------

    def holding(self, service: str, pop: str) -> Holding | None:
        """Give what is known of a PoP's permit; None for one that has not been heard."""
        return self._holdings.get(service, {}).get(pop)

    def relied_on(self, service: Service) -> list[str]:
        """Give the PoPs that can not withdraw of their own, in the service's order."""
        return [pop for pop, holding in self._known(service) if holding.relied_on]

    def _capacities(self, pops: Iterable[str]) -> dict[str, float]:
        return {pop: self._capacity.get(pop, 0.0) for pop in pops}

    def _known(self, service: Service) -> list[tuple[str, Holding]]:
        """Give what is known, in the service's order; PoPs that are to leave it, and have not, come last."""
        known = self._holdings.get(service.name, {})
        listed = [(pop, known[pop]) for pop in service.pops if pop in known]
        if len(listed) < len(known):
            listed += [(pop, known[pop]) for pop in sorted(known.keys() - set(service.pops))]
        return listed

    def _service(self, name: str) -> Service:
        """Give a service as it is desired; one that nobody desires any more has no floor."""
        known = self._services.get(name)
        return known if known is not None else Service(name, (), (), (), (), floor=Floor(0, 0.0))

    # -- deciding -------------------------------------------------------------------------------------------------

    def _await(self, pops: Iterable[str], now: Instant) -> None:
        self._awaited |= dict.fromkeys(pops, after(now, AWAITED_S))
        self._awaited_until = min(self._awaited_until, after(now, AWAITED_S))

    def _stop_awaiting(self, now: Instant) -> None:
        if now < self._awaited_until:
            return
        still = {pop: until for pop, until in self._awaited.items() if until > now}
        self._awaited_until = min(still.values(), default=FAR_FUTURE)
        if len(still) < len(self._awaited):
            self._awaited = still
            for name in self._services:
                self._note(name, now)

    def _note(self, service: str, now: Instant) -> None:
        self._changed.add(service)
        batch_s = max(BATCH_S, BATCH_PER_POP_S * len(self._holdings.get(service, ())))
        self._deal_at = min(self._deal_at, after(now, batch_s))

    def _put(self, service: str, pop: str, holding: Holding) -> None:
        before = self._holdings[service].get(pop)
        self._holdings[service][pop] = holding
        if holding.again_at != FAR_FUTURE and (before is None or before.again_at != holding.again_at):
            heappush(self._due, (holding.again_at, service, pop))

    def _deal(self, service: Service, now: Instant) -> Iterator[PermitCommand]:
        """Give what is to be granted or asked back for one service."""
        known = dict(self._known(service))
        relied = [pop for pop, holding in known.items() if holding.relied_on]
        if not self._floor_stands(service, relied):
            yield from self._ask_back(service, [*relied, *self._coming_back(service)], _idle(known), now)
            return
        wanting = [pop for pop in relied if known[pop].reported.wanted]
        granted = self._spares(service, wanting, relied)
        used = [pop for pop in granted if pop in wanting]
        left = set(relied).difference(used)
        helped = self._helped(service, known, left, [pop for pop in wanting if pop in left])
        for pop in granted if helped is None else used:  # else what comes back for one goes to those that want nothing
            yield self._ask(service, pop, Asked.GRANT, now)
        if helped is not None:
            yield from self._ask_back(service, left - {helped}, _idle(known, wanted_by=helped), now)

    def _helped(
        self, service: Service, known: dict[str, Holding], left: AbstractSet[str], refused: list[str]
    ) -> str | None:
        """Give the first that wants a permit and could have one, were idle ones given back; None where none could."""
        coming = [pop for pop, holding in known.items() if holding.asked is Asked.REVOCATION]
        first = next(iter(self._spares(service, refused, [*left, *coming, *_idle(known)])), None)
        if first not in refused:
            return None
        stands = self._floor_stands(service, [*(left - {first}), *coming, *_idle(known, wanted_by=first)])
        return first if stands else None

    def _still_spared(self, name: str) -> bool:
        """Tell whether what was granted may be: the floor may have been raised while the grant went unanswered."""
        service = self._service(name)
        return self._floor_stands(service, [*self.relied_on(service), *self._coming_back(service)])

    def _coming_back(self, service: Service) -> list[str]:
        """Give the PoPs that lost their sessions a moment ago."""
        known = self._holdings.get(service.name, {})
        return [pop for pop in service.pops if pop in self._awaited and pop not in known]

    def _floor_stands(self, service: Service, pops: Iterable[str]) -> bool:
        return service.floor.met_by(list(self._capacities(pops).values()))

    def _spares(self, service: Service, first: Sequence[str], pops: Iterable[str]) -> list[str]:
        """Give those among some PoPs that the floor can do without, all together; the first are asked first."""
        return service.floor.spares(self._capacities([*first, *pops]))

    def _ask_back(
        self, service: Service, standing: Iterable[str], idle: list[str], now: Instant
    ) -> Iterator[PermitCommand]:
        """Ask idle permits back, from the last in order, until the floor stands with those that were asked before."""
        asked = [pop for pop, holding in self._known(service) if holding.asked is Asked.REVOCATION]
        capacities = list(self._capacities([*standing, *asked]).values())
        while idle and not service.floor.met_by(capacities):
            pop = idle.pop()
            capacities.append(self._capacity.get(pop, 0.0))
            yield self._ask(service, pop, Asked.REVOCATION, now)

    def _ask(self, service: Service, pop: str, asked: Asked, now: Instant) -> PermitCommand:
        before = self._holdings[service.name][pop]
        holding = replace(before, epoch=before.epoch + 1, asked=asked, again_at=after(now, ASK_AGAIN_S))
        self._put(service.name, pop, holding)
        return holding.command(pop)

    def _ask_again(self, now: Instant) -> list[PermitCommand]:
        """Send anew what was not answered; what was refused may be asked for again."""
        commands: list[PermitCommand] = []
        spared: dict[str, bool] = {}
        self._stop_awaiting(now)
        while self._due and self._due[0][0] <= now + ASK_TOGETHER_S:
            at, name, pop = heappop(self._due)
            holding = self.holding(name, pop)
            if holding is None or holding.again_at != at:
                continue
            if holding.asked is Asked.NOTHING:
                self._put(name, pop, replace(holding, again_at=FAR_FUTURE))
                self._note(name, now)
                continue
            if holding.asked is Asked.GRANT and name not in spared:
                spared[name] = self._still_spared(name)  # what is asked here changes nothing of it
            if holding.asked is Asked.GRANT and not spared[name]:
                commands.append(self._ask(self._service(name), pop, Asked.REVOCATION, now))
            else:
                self._put(name, pop, replace(holding, again_at=after(now, ASK_AGAIN_S)))
                commands.append(holding.command(pop))
        return commands


def _idle(known: dict[str, Holding], wanted_by: str = "") -> list[str]:
    """Give the PoPs whose permit may be asked back: of those that wait for another one, only PoPs after `wanted_by`."""
    return [pop for pop, holding in known.items() if holding.idle and (not holding.reported.wanted or wanted_by < pop)]
