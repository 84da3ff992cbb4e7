"""The router's side of RTR (RFC 8210): what happens goes in, commands come out.

Theory of operation. The client dials, asks for everything (Reset Query) or for what changed (Serial Query), and takes
the answer whole or not at all: VRPs become valid at End of Data. Then it waits for a Serial Notify or for the refresh
interval. Data outlive a lost cache until they expire; a cache that answers with another session or with Cache Reset is
asked for everything. The version is the highest that both speak: a cache that knows less says so with an Error Report
or answers in its own version, and is asked again in that one (§7).

A full answer is turned into columns every `CHUNK_VRPS`, so that 700,000 VRPs never stand in memory as objects.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Final

from anycastle.base.ports import FAR_FUTURE, Instant, after
from anycastle.kernels.vrp_table import VRPColumns, VRPTable, columns_of
from anycastle.model.asn import ASN
from anycastle.model.prefix import Family
from anycastle.model.rpki import ASPA, VRP
from anycastle.wire.rtr.codec import VERSION_MAX, Framer, RTRError, decode_pdu, encode_pdu
from anycastle.wire.rtr.pdu import (
    ASPAPDU,
    PDU,
    CacheReset,
    CacheResponse,
    EndOfData,
    ErrorCode,
    ErrorReport,
    Intervals,
    PDUType,
    PrefixPDU,
    ResetQuery,
    RouterKey,
    SerialNotify,
    SerialQuery,
)

CHUNK_VRPS: Final = 20_000
RECORDS_MAX: Final = 10_000_000
"""Records of one answer: ten times the Internet of 2025; beyond it the cache is taken to be broken."""

ANSWER_S: Final = 60.0
"""How long a cache may be silent in the middle of an answer."""

REFRESH_S: Final = (1, 86_400)
RETRY_S: Final = (1, 7_200)
EXPIRE_S: Final = (600, 172_800)
"""The bounds of RFC 8210 §6."""


class State(Enum):
    """Where the client stands."""

    IDLE = "Idle"
    DIALLING = "Dialling"
    ASKED = "Asked"
    RECEIVING = "Receiving"
    SYNCHRONISED = "Synchronised"


@dataclass(frozen=True, slots=True)
class Dial:
    """Dial the cache; answer with `connected` or `disconnected`."""


@dataclass(frozen=True, slots=True)
class Hang:
    """Close the connection once what was sent is delivered."""


@dataclass(frozen=True, slots=True)
class Say:
    """Send octets."""

    octets: bytes


@dataclass(frozen=True, slots=True)
class Synchronised:
    """A new table holds, with how it differs in numbers."""

    table: VRPTable
    aspas: dict[ASN, ASPA]
    serial: int
    announced: int
    withdrawn: int


@dataclass(frozen=True, slots=True)
class Expired:
    """The data are too old to be used: nothing is known now."""


@dataclass(frozen=True, slots=True)
class Problem:
    """The cache could not be reached, or broke the protocol; it is tried again."""

    text: str


Command = Dial | Hang | Say | Synchronised | Expired | Problem


class _Answer:
    """What an answer has brought so far."""

    def __init__(self, *, full: bool) -> None:
        self.full = full
        self.records = 0
        self.announced: dict[VRP, None] = {}
        self.withdrawn: dict[VRP, None] = {}
        self.aspas: dict[ASN, ASPA | None] = {}
        self.columns: dict[Family, list[VRPColumns]] = {Family.IPV4: [], Family.IPV6: []}

    def take(self, pdu: PrefixPDU) -> None:
        """Note a VRP. Raises `RTRError` for one that this answer says twice, or a withdrawal in a full one."""
        if self.full and not pdu.announced:
            raise RTRError(ErrorCode.WITHDRAWAL_OF_UNKNOWN_RECORD, f"{pdu.vrp} is withdrawn from nothing")
        same, other = (self.announced, self.withdrawn) if pdu.announced else (self.withdrawn, self.announced)
        if pdu.vrp in same:
            code = ErrorCode.DUPLICATE_ANNOUNCEMENT if pdu.announced else ErrorCode.WITHDRAWAL_OF_UNKNOWN_RECORD
            raise RTRError(code, f"{pdu.vrp} comes twice")
        if pdu.vrp in other:  # a serial's answer may hold what several changes did one after the other
            del other[pdu.vrp]
        else:
            same[pdu.vrp] = None
        if self.full and len(self.announced) >= CHUNK_VRPS:
            self._settle()

    def table(self) -> VRPTable:
        """Give the table of a full answer."""
        self._settle()
        return VRPTable(*(_joined(family, parts) for family, parts in self.columns.items()))

    def _settle(self) -> None:
        for family, parts in self.columns.items():
            parts.append(columns_of(family, (vrp for vrp in self.announced if vrp.prefix.family is family)))
        self.announced.clear()


class RTRClient:
    """One cache. `deadline` says when to call `wake`."""

    def __init__(self, version: int = VERSION_MAX) -> None:
        self.state = State.IDLE
        self.version = version
        self.table: VRPTable | None = None
        """The data that hold; None while there are none, or none that are fresh enough."""
        self.aspas: dict[ASN, ASPA] = {}
        self.serial: int | None = None
        self.session_id: int | None = None
        self._intervals = Intervals()
        self._answer: _Answer | None = None
        self._asked_for_all = True
        self._notified: int | None = None
        """The serial of a notification that came while an answer was under way."""
        self._framer = Framer()
        self._next = FAR_FUTURE
        self._expires = FAR_FUTURE

    @property
    def deadline(self) -> Instant:
        """When `wake` must be called at the latest."""
        return min(self._next, self._expires)

    @property
    def _resting(self) -> bool:
        return self.state is State.IDLE

    def start(self, now: Instant) -> list[Command]:
        """Begin. Does nothing in a client that already runs."""
        return self._dial(now) if self.state is State.IDLE and self._next == FAR_FUTURE else []

    def connected(self, now: Instant) -> list[Command]:
        """The connection is up."""
        if self.state is not State.DIALLING:
            return []
        self._framer = Framer()
        return self._ask(now)

    def disconnected(self, now: Instant, detail: str) -> list[Command]:
        """The connection is gone, or could not be made."""
        if self.state is State.IDLE:
            return []
        return self._rest(now, detail)

    def received(self, octets: bytes, now: Instant) -> list[Command]:
        """Octets of the cache, cut anywhere."""
        if self.state in (State.IDLE, State.DIALLING):
            return []
        commands: list[Command] = []
        self._framer.feed(octets)
        try:
            for raw in self._framer:
                version, pdu = decode_pdu(raw)
                commands += self._speak(version, pdu, raw, now)
                if self._resting:
                    break
        except RTRError as error:
            commands += self._refuse(error, now)
        return commands

    def wake(self, now: Instant) -> list[Command]:
        """Carry out what the expired timers call for."""
        commands: list[Command] = []
        if now >= self._expires:
            self._forget()
            commands.append(Expired())
            if self.state in (State.ASKED, State.RECEIVING) and not self._asked_for_all:
                commands += [Hang(), *self._again(now)]  # the answer would be a difference to what is no more
        if now >= self._next:
            match self.state:
                case State.IDLE:
                    commands += self._dial(now)
                case State.SYNCHRONISED:
                    commands += self._ask(now)
                case _:
                    commands += [Hang(), *self._rest(now, f"no answer within {ANSWER_S:g} s")]
        return commands

    def _dial(self, now: Instant) -> list[Command]:
        self.state, self._next = State.DIALLING, after(now, ANSWER_S)
        return [Dial()]

    def _ask(self, now: Instant) -> list[Command]:
        self.state, self._next = State.ASKED, after(now, ANSWER_S)
        known = self.table is not None and self.serial is not None and self.session_id is not None
        self._asked_for_all, self._notified = not known, None
        query = SerialQuery(self.session_id or 0, self.serial or 0) if known else ResetQuery()
        return [Say(encode_pdu(query, self.version))]

    def _rest(self, now: Instant, why: str) -> list[Command]:
        self.state, self._answer = State.IDLE, None
        self._next = after(now, self._intervals.retry_s)
        return [Problem(why)]

    def _forget(self) -> None:
        self.table, self.aspas, self.serial, self.session_id = None, {}, None, None
        self._expires = FAR_FUTURE

    def _refuse(self, error: RTRError, now: Instant) -> list[Command]:
        """Tell the cache what is wrong, hang up, and ask for everything the next time (§12: all errors are fatal)."""
        self._forget_serial()
        end = [Hang(), *self._rest(now, f"the cache broke the protocol: {error}")]
        if error.pdu[1:2] == bytes((PDUType.ERROR_REPORT,)):
            return end  # §5.11: no Error Report about an Error Report
        return [Say(encode_pdu(ErrorReport(error.code, error.pdu, error.text), self.version)), *end]

    def _forget_serial(self) -> None:
        self.serial = self.session_id = None

    def _speak(self, version: int, pdu: PDU, raw: bytes, now: Instant) -> list[Command]:
        if isinstance(pdu, ErrorReport):
            return self._reported(version, pdu, now)
        if isinstance(pdu, SerialNotify) and self.state is State.ASKED:
            return []  # §7: one before the version is settled means nothing; the answer is under way anyway
        if version != self.version:
            if (
                version > self.version
                or self.state is not State.ASKED
                or not isinstance(pdu, CacheResponse | CacheReset)
            ):
                raise RTRError(ErrorCode.UNEXPECTED_VERSION, f"version {version} in a session of {self.version}", raw)
            self.version = version  # §7: the cache answers in the version that it has
        self._next = after(now, ANSWER_S) if self.state is State.RECEIVING else self._next
        match pdu:
            case SerialNotify(_, serial):
                if self.state is State.SYNCHRONISED:
                    return self._ask(now)
                self._notified = serial
                return []
            case CacheResponse(session_id):
                return self._begin(session_id, raw, now)
            case CacheReset():
                self._forget_serial()
                self._asked_for_all = True
                self.state, self._next = State.ASKED, after(now, ANSWER_S)
                return [Say(encode_pdu(ResetQuery(), self.version))]
            case PrefixPDU() | ASPAPDU() | RouterKey():
                self._record(pdu, raw)
                return []
            case EndOfData():
                return self._end(pdu, raw, now)
        raise RTRError(ErrorCode.INVALID_REQUEST, f"a {type(pdu).__name__} is not for a router", raw)

    def _reported(self, version: int, report: ErrorReport, now: Instant) -> list[Command]:
        """§5.11, §12: only No Data Available leaves the session's data as they are; a version is lowered."""
        name = str(ErrorCode(report.code)) if report.code in tuple(ErrorCode) else f"error {report.code}"
        if report.code == ErrorCode.UNSUPPORTED_VERSION and self.version > 0:
            self.version = min(version, self.version - 1)
            self.state, self._answer, self._next = State.IDLE, None, now  # at once: nothing is wrong
            return [Hang()]
        if report.code != ErrorCode.NO_DATA_AVAILABLE:
            self._forget_serial()
        return [Hang(), *self._rest(now, f"the cache says {name}: {report.text}".rstrip(": "))]

    def _begin(self, session_id: int, raw: bytes, now: Instant) -> list[Command]:
        if self.state is not State.ASKED:
            raise RTRError(ErrorCode.CORRUPT_DATA, "a Cache Response that answers nothing", raw)
        if self.session_id is not None and session_id != self.session_id:
            # §5.1: another session means that the cache started anew, and its serials with it.
            self._forget_serial()
            return [Hang(), *self._again(now)]
        self.session_id = session_id
        self.state, self._next = State.RECEIVING, after(now, ANSWER_S)
        self._answer = _Answer(full=self._asked_for_all)
        return []

    def _again(self, now: Instant) -> list[Command]:
        self.state, self._answer, self._next = State.IDLE, None, now
        return []

    def _record(self, pdu: PrefixPDU | ASPAPDU | RouterKey, raw: bytes) -> None:
        answer = self._answer
        if answer is None:
            raise RTRError(ErrorCode.CORRUPT_DATA, "data outside an answer", raw)
        answer.records += 1
        if answer.records > RECORDS_MAX:
            raise RTRError(ErrorCode.INTERNAL_ERROR, f"more than {RECORDS_MAX} records in one answer", raw)
        match pdu:
            case PrefixPDU():
                answer.take(pdu)
            case ASPAPDU(announced, aspa):
                answer.aspas[aspa.customer] = aspa if announced else None
            case RouterKey():
                pass  # BGPsec is not spoken here

    def _end(self, pdu: EndOfData, raw: bytes, now: Instant) -> list[Command]:
        answer, before = self._answer, self.table
        if answer is None or pdu.session_id != self.session_id:
            raise RTRError(ErrorCode.CORRUPT_DATA, "an End of Data that ends nothing", raw)
        if answer.full or before is None:
            table = answer.table()
            aspas: dict[ASN, ASPA] = {}
            announced, withdrawn = len(table), 0 if before is None else len(before)
        else:
            table, aspas = _changed(before, answer, raw), self.aspas
            announced, withdrawn = len(answer.announced), len(answer.withdrawn)
        changes = answer.aspas.items()
        self.aspas = {**aspas, **{customer: aspa for customer, aspa in changes if aspa is not None}}
        for customer in [customer for customer, aspa in changes if aspa is None]:
            self.aspas.pop(customer, None)
        self.table, self.serial, self._answer = table, pdu.serial, None
        self._intervals = _bounded(pdu.intervals or self._intervals)
        self.state = State.SYNCHRONISED
        self._next = after(now, self._intervals.refresh_s)
        self._expires = after(now, self._intervals.expire_s)
        done = Synchronised(table, self.aspas, pdu.serial, announced, withdrawn)
        newer = self._notified is not None and self._notified != pdu.serial
        return [done, *(self._ask(now) if newer else ())]


def _changed(before: VRPTable, answer: _Answer, raw: bytes) -> VRPTable:
    """Give the table after a serial's changes. Raises `RTRError` where they do not fit what was there (§5.6)."""
    table = before.update(answer.announced, answer.withdrawn)
    if len(table) != len(before) + len(answer.announced) - len(answer.withdrawn):
        known = set(_present(before, answer.announced))
        if known:
            raise RTRError(ErrorCode.DUPLICATE_ANNOUNCEMENT, f"{min(known)} is there already", raw)
        unknown = set(answer.withdrawn) - set(_present(before, answer.withdrawn))
        raise RTRError(ErrorCode.WITHDRAWAL_OF_UNKNOWN_RECORD, f"{min(unknown)} is not there", raw)
    return table


def _present(table: VRPTable, vrps: Iterable[VRP]) -> list[VRP]:
    return [vrp for vrp in vrps if vrp in table.covering(vrp.prefix)]


def _joined(family: Family, parts: list[VRPColumns]) -> VRPColumns:
    rows = columns_of(family, ())
    for part in parts:
        rows = rows.joined(part)
    return rows


def _bounded(asked: Intervals) -> Intervals:
    """Give a cache's intervals within the bounds of §6, the expiry beyond the other two."""
    refresh_s, retry_s, expire_s = (
        min(max(value, low), high)
        for value, (low, high) in (
            (asked.refresh_s, REFRESH_S),
            (asked.retry_s, RETRY_S),
            (asked.expire_s, EXPIRE_S),
        )
    )
    return Intervals(refresh_s, retry_s, max(expire_s, refresh_s + 1, retry_s + 1))
