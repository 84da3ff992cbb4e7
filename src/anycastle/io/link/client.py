"""The agent's client: dials what its engine says, and carries out what it commands for a host.

The credentials are looked at for each dialling, so a certificate that was renewed is shown the next time. What breaks
in here, by our own fault, ends the session and not the agent: the link begins anew after `BROKEN_S`.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from random import Random
from typing import Final

from anycastle.base.errors import AnycastleError, ParseError, WorldError
from anycastle.base.ports import FAR_FUTURE
from anycastle.io.clock import now
from anycastle.io.link.channel import Channel
from anycastle.io.link.credentials import Credentials, FileStamp, peer_of, read_credentials, stamps_of
from anycastle.io.link.files import CredentialFiles
from anycastle.io.link.host import LinkHost
from anycastle.io.link.tls_stream import TLSStream
from anycastle.io.system_words import system_words
from anycastle.model.controller_access import host_and_port
from anycastle.model.identity import Role
from anycastle.session.link_agent import LinkAgent
from anycastle.session.link_command import (
    AgentCommand,
    CarryOut,
    Dial,
    Hang,
    KeepOrders,
    Look,
    Lose,
    Measured,
    Meet,
    Obey,
    ReadEvents,
    Say,
    Trouble,
)
from anycastle.session.link_orders import Answer
from anycastle.wire.link.limits import VERSIONS
from anycastle.wire.link.message import Assign, Grant, Order, Revoke

BROKEN_S: Final = 30.0
"""How long the agent serves alone after the link broke by a fault of ours."""

UNREADY: Final = "the agent does not know yet what its router announces"

DIAL_S: Final = 8.0


class LinkClient:
    """One agent's link. Call `changed` whenever what is told may have changed."""

    def __init__(
        self,
        host: LinkHost,
        addresses: Sequence[str],
        files: CredentialFiles,
        *,
        orders: Iterable[Answer] = (),
        random: Random | None = None,
        local_address: str | None = None,
        versions: Sequence[int] = VERSIONS,
    ) -> None:
        self.host = host
        self.files = files
        self.credentials: Credentials | None = None
        """What was shown last."""
        self._stamps: tuple[FileStamp, ...] = ()
        self.broken: str | None = None
        """What broke in here last, until the link began anew."""
        self._random = random or Random()
        self._local_address = local_address
        self._versions = versions
        self.engine = LinkAgent(addresses, self._random, orders=orders, versions=versions)
        self._addresses = list(addresses)
        self._channel: Channel | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._begun = False

    def start(self) -> None:
        """Begin to dial."""
        self._begun = True
        self._do(lambda: self.engine.start(now()))

    async def stop(self) -> None:
        """Say bye, and do nothing more."""
        self._do(self.engine.stop)
        self._begun = False
        if self._timer is not None:
            self._timer.cancel()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def changed(self) -> None:
        """Take that the agent's state or permits may have changed."""
        self.engine.changed(now())
        self._set_timer()

    def redirect(self, addresses: Sequence[str], files: CredentialFiles) -> None:
        """Use other addresses and files from the next dialling on."""
        self._addresses, self.files = list(addresses), files
        self.engine.redirect(addresses)
        self._do(lambda: self.engine.start(now()))

    # -- the engine -----------------------------------------------------------------------------------------------

    def _do(self, decide: Callable[[], Sequence[AgentCommand]]) -> None:
        """Let the engine decide, and carry it out. Nothing that fails on the way leaves here."""
        try:
            for command in decide():
                self._carry_out(command)
        except Exception as error:  # noqa: BLE001  the agent must serve on, whatever is wrong with its link
            self._break(error)
        self._set_timer()

    def _break(self, error: Exception) -> None:
        self.broken = f"the link broke and begins anew in {BROKEN_S:g} s: {error!r}"
        joined = self.engine.version > 0
        self._drop()
        orders = self.engine.orders
        self.engine = LinkAgent(self._addresses, self._random, orders=orders, versions=self._versions)
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(BROKEN_S, self._begin_anew)
        try:
            (self.host.lost if joined else self.host.trouble)(self.broken)
        except Exception as another:  # noqa: BLE001  as above
            self.broken = f"{self.broken}; and then {another!r}"

    def _begin_anew(self) -> None:
        self._timer, self.broken = None, None
        if self._begun:
            self._do(lambda: self.engine.start(now()))

    def _carry_out(self, command: AgentCommand) -> None:
        match command:
            case Dial(address):
                self._spawn(lambda: self._dial(address))
            case Say(octets):
                if self._channel is not None:
                    self._channel.say(octets)
            case Hang():
                self._drop()
            case Meet(term, version):
                refusal = self.host.met(term, version)
                self._do(lambda: self.engine.met(refusal, now()))
            case Lose(why):
                self._channel = None
                self.host.lost(why)
            case Trouble(text):
                self._channel = None
                self.host.trouble(text)
            case Measured(skew):
                self.host.measured(skew)
            case Look(state, permits):
                self._look(state=state, permits=permits)
            case ReadEvents(after, limit):
                self._spawn(lambda: self._read_events(after, limit))
            case Obey(message):
                self._obey(message)
            case CarryOut(order, orders):
                self._order(order, orders)
            case KeepOrders(orders):
                self._keep(orders)

    def _look(self, *, state: bool, permits: bool) -> None:
        reports, complete = self.host.permit_reports() if permits else (None, True)
        sections = self.host.sections() if state else None
        self._do(lambda: self.engine.looked(sections, reports, now(), complete=complete))

    def _obey(self, message: Grant | Revoke | Assign) -> None:
        match message:
            case Grant(service, epoch):
                self.host.granted(service, epoch)
            case Revoke(service, epoch):
                self.host.revoked(service, epoch)
            case Assign(digest, octets):
                refusal: str | None = None
                try:
                    self.host.take_assignment(octets)
                except AnycastleError as error:
                    refusal = str(error)
                self._do(lambda: self.engine.assignment_answered(digest, refusal))
        self.changed()

    def _order(self, order: Order, orders: Sequence[Answer]) -> None:
        refusal: str | None = None
        try:
            self.host.keep_orders(orders)
            self.host.carry_out(order)
        except AnycastleError as error:
            refusal = str(error)
        except Exception as error:  # noqa: BLE001  answered, and told: an order never ends the session
            refusal = f"the agent failed: {error!r}"
        self._do(lambda: self.engine.order_answered(order.id, refusal))
        self.changed()

    def _keep(self, orders: Sequence[Answer]) -> None:
        try:
            self.host.keep_orders(orders)
        except WorldError as error:
            self.host.trouble(f"what became of orders could not be noted: {error}")

    async def _read_events(self, after: int, limit: int) -> None:
        engine = self.engine
        try:
            read = await self.host.read_events(after, limit)
        except WorldError as error:
            self.host.trouble(str(error))
            self._do(lambda: engine.events_read("", after + 1, (), now()))
            return
        if engine is self.engine:
            self._do(lambda: engine.events_read(read.log, read.first, read.rows, now()))

    # -- the connection -------------------------------------------------------------------------------------------

    async def _dial(self, address: str) -> None:
        if self.host.facts() is None:
            self._unready()
            return
        try:
            host, port = host_and_port(address)
            credentials = self._current_credentials()
            stream = TLSStream(credentials.context, server_name=host)
            owner = _Connection(self)
            owner.channel = self._channel = Channel.of_client(stream, address, owner, self._admit)
            local = None if self._local_address is None else (self._local_address, 0)
            async with asyncio.timeout(DIAL_S):
                await asyncio.get_running_loop().create_connection(lambda: stream, host, port, local_addr=local)
        except TimeoutError:
            self._undialled(f"{address}: no connection within {DIAL_S:g} s")
        except OSError as error:
            self._undialled(f"{address}: {system_words(error)}")
        except (WorldError, ParseError) as error:
            self._undialled(f"{address}: {error}")

    def _current_credentials(self) -> Credentials:
        """Read the credentials where their files have changed. Raises `WorldError`."""
        stamps = stamps_of(self.files)
        if self.credentials is None or stamps != self._stamps:
            self.credentials = read_credentials(self.files, Role.POP)
            self._stamps = stamps  # taken before the reading: what changes meanwhile is read the next time
        return self.credentials

    def _undialled(self, why: str) -> None:
        self._channel = None
        self._do(lambda: self.engine.disconnected(why, now()))

    def _unready(self) -> None:
        self._do(lambda: self.engine.unready(UNREADY, now()))

    def _admit(self, stream: TLSStream) -> str | None:
        """Tell why a controller is refused: its host's name was compared, its fleet is ours to compare."""
        identity = peer_of(stream.certificate).identity
        ours = self.credentials.identity if self.credentials is not None else None
        if identity.role is not Role.CONTROLLER or ours is None or identity.fleet != ours.fleet:
            return f"{identity} is no controller of {ours.fleet if ours else 'this fleet'}"
        return None

    def opened(self, channel: Channel) -> None:
        """Say hello."""
        facts = self.host.facts()
        if facts is None:
            self._drop()
            self._unready()
        elif channel is self._channel:
            self._do(lambda: self.engine.connected(facts, now()))

    def received(self, channel: Channel, octets: bytes) -> None:
        """Take a message of the connection that counts."""
        if channel is self._channel:
            self._do(lambda: self.engine.received(octets, now()))

    def blocked(self, channel: Channel) -> None:
        """The controller does not read fast enough."""
        if channel is self._channel:
            self.engine.blocked()

    def drained(self, channel: Channel) -> None:
        """It reads again."""
        if channel is self._channel:
            self._do(lambda: self.engine.drained(now()))

    def closed(self, channel: Channel, why: str) -> None:
        """The connection that counted is gone."""
        if channel is self._channel:
            self._channel = None
            self._do(lambda: self.engine.disconnected(f"{self.engine.address}: {why}", now()))

    def _drop(self) -> None:
        channel, self._channel = self._channel, None
        if channel is not None:
            channel.hang()

    def _spawn(self, begin: Callable[[], Coroutine[object, object, None]]) -> None:
        task: asyncio.Task[None] = asyncio.get_running_loop().create_task(self._guarded(begin))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _guarded(self, begin: Callable[[], Coroutine[object, object, None]]) -> None:
        try:
            await begin()  # only here: a task that is cancelled before its turn has begun nothing
        except Exception as error:  # noqa: BLE001  as in `_do`
            self._break(error)

    # -- time -----------------------------------------------------------------------------------------------------

    def _set_timer(self) -> None:
        if self.broken is not None or not self._begun:
            return
        if self._timer is not None:
            if self._timer.when() <= self.engine.deadline:
                return
            self._timer.cancel()
            self._timer = None
        if self.engine.deadline != FAR_FUTURE:
            self._timer = asyncio.get_running_loop().call_at(self.engine.deadline, self._wake)

    def _wake(self) -> None:
        self._timer = None
        self._do(lambda: self.engine.wake(now()))


class _Connection:
    """What of one channel reaches the client; an older channel's last words do not count."""

    channel: Channel

    def __init__(self, client: LinkClient) -> None:
        self._client = client

    def channel_reached(self) -> None:
        self.channel.begin()

    def channel_opened(self) -> None:
        self._client.opened(self.channel)

    def channel_received(self, octets: bytes) -> None:
        self._client.received(self.channel, octets)

    def channel_blocked(self) -> None:
        self._client.blocked(self.channel)

    def channel_drained(self) -> None:
        self._client.drained(self.channel)

    def channel_closed(self, why: str) -> None:
        self._client.closed(self.channel, why)
