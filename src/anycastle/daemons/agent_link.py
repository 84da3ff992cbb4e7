"""The agent on its link: what it tells controllers of itself, and how it does what they say.

That a permit was given up is told only once nothing can use it any more: it is on disk, and the watchdog has said that
it keeps the service. Until then the report leaves the service out, and a controller counts on nothing. A command for a
service that is gone is answered: the PoP holds no permit for it and exports nothing of it.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

from anycastle import __version__
from anycastle.base.errors import MisuseError, WorldError
from anycastle.base.ports import Instant, Timestamp
from anycastle.daemons.agent import AgentDaemon, status
from anycastle.io.agent_sections import sections_of
from anycastle.io.clock import now
from anycastle.io.link.client import LinkClient
from anycastle.io.link.files import LinkSettings
from anycastle.io.link.host import LogRows
from anycastle.io.log_tail import LogTail
from anycastle.io.order_file import OrderFile
from anycastle.model.event import Alarm, ControllerLost, ControllerMet
from anycastle.model.permit import PermitReport, PermitState
from anycastle.session.link_agent import AgentFacts
from anycastle.session.link_clock import Skew
from anycastle.session.link_orders import Answer
from anycastle.session.link_report import Sections
from anycastle.wire.link.message import Order

GONE_MAX: Final = 1000
"""Services that are not served here and were commanded of; the oldest is forgotten first."""


@dataclass(frozen=True, slots=True)
class _Met:
    """The controller that is spoken with."""

    address: str
    term: int
    version: int
    at: Instant
    wall: Timestamp


class AgentLink:
    """The host of an agent's link. Nothing that fails in here ends the agent."""

    def __init__(
        self,
        daemon: AgentDaemon,
        settings: LinkSettings,
        *,
        events_path: Path,
        orders_path: Path,
        random: Random | None = None,
        local_address: str | None = None,
    ) -> None:
        self._daemon = daemon
        self._tail = LogTail(events_path)
        self._order_file = OrderFile(orders_path)
        self._gone: dict[str, PermitReport] = {}
        self._met: _Met | None = None
        self._skew: Skew | None = None
        self._trouble: str | None = "no controller was reached yet"
        self._alone_told = False
        self._skewed = False
        self.client = LinkClient(
            self, settings.addresses, settings.files, orders=self._load_orders(), random=random,
            local_address=local_address,
        )  # fmt: skip
        self._show()

    def start(self) -> None:
        """Begin to dial, and tell what changes."""
        self._tail.find_name()
        self._daemon.on_change = self.client.changed
        self.client.start()

    async def stop(self) -> None:
        """Say bye."""
        self._daemon.on_change = None
        await self.client.stop()
        self._tail.close()

    def reload(self, settings: LinkSettings) -> None:
        """Use other controllers and files from the next dialling on; a session that there is goes on."""
        self.client.redirect(settings.addresses, settings.files)

    # -- what is told ---------------------------------------------------------------------------------------------

    def facts(self) -> AgentFacts | None:
        """Give what a hello says; None before the router's exports were read."""
        engine = self._daemon.engine
        if not engine.booted:
            return None
        digest = "" if self._daemon.assignment is None else self._daemon.assignment.digest
        return AgentFacts(self._daemon.pop, __version__, engine.leader_term, digest, self._tail.name)

    def sections(self) -> Sections:
        """Give the agent's status, cut into entries."""
        return sections_of(status(self._daemon))

    def permit_reports(self) -> tuple[Sequence[PermitReport], bool]:
        """Give the reports that nothing can belie any more, and whether these are all."""
        reports = self._daemon.engine.permit_reports()
        sure = [report for report in reports if self._is_sure(report)]
        served = {report.service for report in reports}
        self._gone = {name: report for name, report in self._gone.items() if name not in served}
        return [*sure, *self._gone.values()], len(sure) == len(reports)

    def _is_sure(self, report: PermitReport) -> bool:
        """Tell whether neither a crash nor the watchdog can withdraw what is reported without a permit."""
        if report.state is not PermitState.NONE or not report.exported:
            return True  # a controller relies on nothing that it says
        watchdog = self._daemon.watchdog
        return (watchdog is None or watchdog.keeps(report.service)) and self._daemon.is_durable()

    async def read_events(self, after: int, limit: int) -> LogRows:
        """Read the log, beside the loop."""
        return await asyncio.to_thread(self._tail.read, after, limit)

    # -- coming and going -----------------------------------------------------------------------------------------

    def met(self, term: int, version: int) -> str | None:
        """Ask the engine whether a controller of this term may be spoken with."""
        engine = self._daemon.engine
        granted, commands = engine.controller_met(term, now())
        self._daemon.perform(commands)
        if not granted:
            booting = "the agent does not know yet what its router announces"
            return f"term {term} was superseded by {engine.leader_term}" if engine.booted else booting
        instant, wall = now()
        self._met = _Met(self.client.engine.address, term, version, instant, wall)
        self._trouble, self._alone_told = None, False
        self._daemon.record(ControllerMet(self._met.address, term, version))
        self._show()
        return None

    def lost(self, why: str) -> None:
        """Go on alone."""
        met, self._met = self._met, None
        self._trouble, self._alone_told = why, True
        if met is not None:
            self._daemon.record(ControllerLost(met.address, why, now().monotonic - met.at))
        self._show()
        self._daemon.perform(self._daemon.engine.controller_lost(now()))

    def trouble(self, text: str) -> None:
        """Show what is wrong, and record it the first time since a controller was met."""
        self._trouble = text
        if not self._alone_told:
            self._alone_told = True
            self._daemon.record(Alarm("controller", self._daemon.pop, text))
        self._show()

    def measured(self, skew: Skew) -> None:
        """Show the difference of the clocks, and record when it becomes too large."""
        self._skew = skew
        if skew.too_large and not self._skewed:
            text = f"the controller's clock is {skew.offset_s:+.3f} s from ours, to within {skew.error_s:.3f} s"
            self._daemon.record(Alarm("clock-skew", self._daemon.pop, text))
        self._skewed = skew.too_large
        self._show()

    def _show(self) -> None:
        met, skew = self._met, self._skew
        problem = self.client.broken or self._trouble
        if problem is None and skew is not None and skew.too_large:
            problem = f"the clocks differ by {skew.offset_s:+.1f} s"
        self._daemon.link = {
            "connected": met is not None,
            "leader": None if met is None else met.address,
            "term": self._daemon.engine.leader_term,
            "since": None if met is None else met.wall,
            "version": None if met is None else met.version,
            "skew": None if skew is None else {"offset_s": skew.offset_s, "error_s": skew.error_s},
            "problem": problem,
        }

    # -- what is commanded ----------------------------------------------------------------------------------------

    def granted(self, service: str, epoch: int) -> None:
        """Take a permit; one for a service that is not here is answered."""
        self._permit(service, epoch, granted=True)

    def revoked(self, service: str, epoch: int) -> None:
        """Give a permit up, if it can be; one for a service that is not here is answered."""
        self._permit(service, epoch, granted=False)

    def _permit(self, service: str, epoch: int, *, granted: bool) -> None:
        engine = self._daemon.engine
        try:
            take = engine.permit_granted if granted else engine.permit_revoked
            self._daemon.perform(take(service, epoch, now()))
        except MisuseError:
            self._gone.pop(service, None)
            self._gone[service] = PermitReport(service, PermitState.NONE, epoch, exported=False)
            while len(self._gone) > GONE_MAX:
                del self._gone[next(iter(self._gone))]

    def take_assignment(self, octets: bytes) -> None:
        """Live by an assignment."""
        self._daemon.assign(octets)

    def carry_out(self, order: Order) -> None:
        """Drain or undrain."""
        engine, parameters = self._daemon.engine, dict(order.parameters)
        match order.order:
            case "drain":
                expires = parameters.pop("expires", None)
                settings = _settings(parameters, "soak_s", "wait_s")
                at = None if expires is None else Timestamp(expires)
                commands = engine.drain(order.services, order.owner, order.reason, now(), expires=at, **settings)
            case "undrain":
                _settings(parameters)
                commands = engine.undrain(order.services, order.owner, order.reason, now())
            case _:
                raise MisuseError(f"this release knows no order {order.order!r}")
        self._daemon.perform(commands)

    def keep_orders(self, orders: Sequence[Answer]) -> None:
        """Put what became of orders on disk."""
        self._order_file.save(orders)

    def _load_orders(self) -> list[Answer]:
        """Give the orders of the past; a damaged file is told, and does not keep the agent from serving."""
        try:
            return self._order_file.load()
        except WorldError as error:
            self._daemon.record(Alarm("orders-unreadable", self._daemon.pop, str(error)))
            return []


def _settings(parameters: Mapping[str, float], *known: str) -> dict[str, float]:
    unknown = sorted(set(parameters).difference(known))
    if unknown:
        raise MisuseError(f"this release knows no parameter {', '.join(unknown)} of this order")
    return dict(parameters)
