"""VRPs that are kept fresh for whoever annotates by them: from an export that is read again, or from a cache."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from typing import Final, Protocol

from anycastle.base.errors import AnycastleError
from anycastle.base.ports import Instant, Timestamp
from anycastle.io.clock import now
from anycastle.io.rpki.cache_place import CachePlace
from anycastle.io.rpki.export import RPKIData, read_export
from anycastle.io.rpki.rtr import RTRFeed
from anycastle.kernels.vrp_table import VRPTable
from anycastle.model.asn import ASN
from anycastle.model.prefix import Prefix
from anycastle.model.rpki import ASPA, Validity
from anycastle.session.rtr_client import Expired, Problem, Synchronised
from anycastle.watch.roas import last_expiry

EXPORT_REFRESH_S: Final = 600.0
"""How often an export is read again: validators write one every ten to sixty minutes."""

EXPORT_EXPIRES_S: Final = 7200.0
"""How long the last export that could be read stands: RTR's default for its data (RFC 8210 §6)."""

REMEMBERED_MAX: Final = 10_000
"""Answers remembered until the next table."""


class CurrentVRPs:
    """The VRPs of this moment, or none: then every origin is unknown."""

    def __init__(self, on_change: Callable[[], None] = lambda: None) -> None:
        """`on_change` is called when there are other VRPs than before."""
        self.table: VRPTable | None = None
        self._on_change = on_change
        self.aspas: Mapping[ASN, ASPA] = {}
        self._of_now = True
        self._remembered: dict[tuple[Prefix, ASN], Validity] = {}
        self._expiries: dict[tuple[Prefix, ASN], Timestamp | None] = {}

    def set(self, table: VRPTable | None, aspas: Mapping[ASN, ASPA] | None = None, *, of_now: bool = True) -> None:
        """Take a new table with its ASPAs, or that there is none any more.

        One that is not `of_now`, but of some other day, tells no end of its VRPs.
        """
        self.table = table
        self.aspas = {} if aspas is None else aspas
        self._of_now = of_now
        self._remembered.clear()
        self._expiries.clear()
        self._on_change()

    def validity(self, prefix: Prefix, origin: ASN) -> Validity:
        """Give the validity of an origin; never raises, and never waits."""
        if self.table is None:
            return Validity.UNKNOWN
        key = prefix, origin
        known = self._remembered.get(key)
        if known is None:
            known = self.table.validity(prefix, origin)
            if len(self._remembered) < REMEMBERED_MAX:
                self._remembered[key] = known
        return known

    def expiry(self, prefix: Prefix, origin: ASN) -> Timestamp | None:
        """Give when the last VRP ends that makes an origin valid; None where none does, or its end is not known."""
        if self.table is None or not self._of_now:
            return None
        key = prefix, origin
        if key not in self._expiries and len(self._expiries) < REMEMBERED_MAX:
            self._expiries[key] = last_expiry(self.table, prefix, origin)
        return self._expiries.get(key)

    def providers(self, customer: ASN) -> frozenset[ASN] | None:
        """Give all that an AS says are its providers; None where it says nothing."""
        aspa = self.aspas.get(customer)
        return None if aspa is None else aspa.providers


class RPKISource(Protocol):
    """Something that keeps `CurrentVRPs` fresh until it is cancelled."""

    name: str
    trouble: str
    connections: int

    @property
    def connected(self) -> bool:
        """Whether there are VRPs."""
        ...

    async def run(self) -> None:
        """Keep fresh until cancelled."""
        ...


class ExportSource:
    """An export, read at the start and again every `EXPORT_REFRESH_S`, in a thread."""

    def __init__(self, name: str, current: CurrentVRPs) -> None:
        self.name = f"rpki {name}"
        self.trouble = ""
        self.connections = 0
        self._export = name
        self._current = current
        self._read_at: Instant | None = None
        self._wanted = asyncio.Event()
        self._done = asyncio.Event()

    @property
    def connected(self) -> bool:
        """Whether there are VRPs."""
        return self._current.table is not None

    async def run(self) -> None:
        """Keep fresh until cancelled; what cannot be read leaves the last table standing for a while."""
        while True:
            try:
                self._wanted.clear()
                data: RPKIData = await asyncio.to_thread(read_export, self._export)
            except AnycastleError as error:
                self.trouble = str(error)
                if self._read_at is not None and now().monotonic - self._read_at > EXPORT_EXPIRES_S:
                    self._current.set(None)
            else:
                self._take(data, now().wall)
            if not self._wanted.is_set():  # else it was asked for meanwhile, and what was read may be older
                self._done.set()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(EXPORT_REFRESH_S):
                    await self._wanted.wait()

    async def read_again(self) -> None:
        """Read the export now, and come back when that is done; `trouble` says what became of it."""
        self._done.clear()
        self._wanted.set()
        await self._done.wait()

    def _take(self, data: RPKIData, wall: Timestamp) -> None:
        """Take what was read, unless the validator that wrote it has stopped long ago."""
        if data.built is not None and wall - data.built > EXPORT_EXPIRES_S:
            self._current.set(None)
            self.trouble = f"it was written {(wall - data.built) / 3600:.0f} h ago: its validator has stopped"
            return
        self._current.set(data.vrps, data.aspas)
        self.trouble, self._read_at = "", now().monotonic
        self.connections += 1


class RTRSource:
    """A cache that speaks RTR."""

    def __init__(self, place: CachePlace, current: CurrentVRPs) -> None:
        self.name = f"rtr {place.host}:{place.port}"
        self.trouble = ""
        self.connections = 0
        self._current = current
        self._feed = RTRFeed(place, self._heard)

    @property
    def connected(self) -> bool:
        """Whether there are VRPs."""
        return self._current.table is not None

    async def run(self) -> None:
        """Keep fresh until cancelled."""
        self._feed.start()
        try:
            await asyncio.Event().wait()
        finally:
            await self._feed.close()

    def _heard(self, event: Synchronised | Expired | Problem) -> None:
        match event:
            case Synchronised(table, aspas):
                self._current.set(table, aspas)
                self.connections += 1
                self.trouble = ""
            case Expired():
                self._current.set(None)
            case Problem(text):
                self.trouble = text
