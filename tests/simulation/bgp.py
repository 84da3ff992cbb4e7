"""Whole BGP networks on a virtual clock, under seeded faults.

The speakers are the real ones without their sockets (`SpeakerCore`: sessions, RIBs, policy, codec); TCP and time are
simulated, and every message crosses the wire as octets. Networks and PoPs, their relationships and timers are drawn
from one seeded generator, and so is all that goes wrong: connections are lost, directions fall silent, speakers crash
with or without a word and restart with or without graceful restart, freeze, read slowly; PoPs announce and withdraw;
operators stop sessions and ask for refreshes. In the end every RIB must be where the reference (`valley_free`) is.
"""

import heapq
import itertools
import random
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address, ip_address

from anycastle.base.ports import FAR_FUTURE, Instant
from anycastle.io.speaker.config import NeighbourConfig, SpeakerConfig
from anycastle.io.speaker.core import SpeakerCore
from anycastle.io.speaker.event import SessionDown, SessionUp, SpeakerEvent
from anycastle.io.speaker.session_core import Actions
from anycastle.model.announcement import Announcement, RouteAttributes
from anycastle.model.asn import ASN
from anycastle.model.community import GRACEFUL_SHUTDOWN, LargeCommunity
from anycastle.model.prefix import Family, parse_prefix
from anycastle.rib.action import CommunityAction, PrependTo, SuppressTo
from anycastle.rib.origination import own_route
from anycastle.rib.policy import NeighbourPolicy, NetworkPolicy, Relationship
from anycastle.rib.route import Route
from anycastle.session.command import Close, Connect, ConnectFault, Send
from anycastle.session.config import RestartConfig, SessionConfig
from anycastle.session.fsm import State
from anycastle.session.peer import BGPPeer
from anycastle.session.session import BGPSession
from anycastle.wire.bgp.capability import RoleValue
from anycastle.wire.bgp.error_codes import CeaseSubcode, ErrorCode
from anycastle.wire.bgp.message import MessageType
from tests.simulation.fleet import InvariantBroken
from tests.simulation.tcp import End, TCPNetwork
from tests.simulation.valley_free import CUSTOMER, PEER, PROVIDER, Asked, Side, Speaker, draw_world, settle

SETTLING_S = 700.0
"""Peace at the end: longer than an OPEN is awaited (240 s), then the longest wait before a new start, twice."""

CALM_S = 20.0
"""How long a network that has settled is looked at, to see that it stays so."""

LATE_S = 1.0
"""How late a deadline may be kept: a virtual clock is exact, but an audit looks only now and then."""

AT_ONCE_MAX = 1000
"""Events of one instant: far more than sessions."""

PREFIXES = ("198.18.0.0/24", "198.18.1.0/24", "2001:db8:a::/48")
FAMILIES = (Family.IPV4, Family.IPV6)
ROLES = {CUSTOMER: RoleValue.PROVIDER, PEER: RoleValue.PEER, PROVIDER: RoleValue.CUSTOMER}
"""What the neighbour is to us -> our role towards it."""


@dataclass
class Host:
    """A speaker's host: what a crash takes away, and what a restart finds again."""

    name: str
    config: SpeakerConfig
    pop: bool
    core: SpeakerCore | None = None
    incarnation: int = 0
    ends: dict[tuple[str, int], End] = field(default_factory=dict)
    dials: dict[tuple[str, int], int] = field(default_factory=dict)
    actions: deque[tuple[str, Connect | Close | Send]] = field(default_factory=deque)
    busy: bool = False
    stopped: bool = False
    """By its operator, who will start it again."""
    thawed_at: float = 0.0
    heard_at: dict[str, float] = field(default_factory=dict)
    changed_at: dict[str, float] = field(default_factory=dict)
    """Neighbour -> when its session last came up or went down."""


class NetworkSimulation:
    """Runs one seed."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.random = random.Random(seed)
        self.clock = 0.0
        self.events = 0
        self._at_once = 0
        self.counts: Counter[str] = Counter()
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._armed: dict[tuple[str, str], float] = {}
        draw = self.random
        self.duration_s = draw.uniform(30, 240)
        self.tcp = TCPNetwork(
            draw, self.at, give_up_s=draw.choice((20.0, 900.0)), queue_max=draw.choice((2_000, 1_000_000))
        )
        self.world = draw_world(draw)
        self.links = sorted((name, far) for name, speaker in self.world.items() for far in speaker.sides if name < far)
        self.hold_s = {link: draw.choice((3, 9, 30, 90)) for link in self.links}
        self.restart_s = {link: draw.choice((None, None, 5, 60)) for link in self.links}
        self.roles = {link: draw.random() < 0.5 for link in self.links}
        self.passive = {link: draw.choice((None, None, *link)) for link in self.links}
        self.wanted: dict[tuple[str, str, str], Asked] = {}
        self.hosts = {name: Host(name, self._config(speaker), speaker.pop) for name, speaker in self.world.items()}

    # -- the world ------------------------------------------------------------------------------------------------

    def _config(self, speaker: Speaker) -> SpeakerConfig:
        sides = speaker.sides.values()
        neighbours = tuple(self._neighbour(speaker, side) for side in sides)
        if speaker.pop:
            return SpeakerConfig(neighbours, keep_received=True)
        actions: dict[LargeCommunity, CommunityAction] = {}
        for side in sides:
            asn = self.world[side.far].asn
            actions[LargeCommunity(speaker.asn, 10, asn)] = PrependTo(1, ASN(asn))
            actions[LargeCommunity(speaker.asn, 11, asn)] = SuppressTo(ASN(asn))
        return SpeakerConfig(neighbours, network=NetworkPolicy(ASN(speaker.asn), actions))

    def _neighbour(self, speaker: Speaker, side: Side) -> NeighbourConfig:
        far = self.world[side.far]
        link = (min(speaker.name, far.name), max(speaker.name, far.name))
        restart = self.restart_s[link]
        session = SessionConfig(
            local_asn=ASN(speaker.asn),
            peer_asn=ASN(far.asn),
            identifier=IPv4Address(0x0A000000 + speaker.number),
            peer=far.name,
            families=FAMILIES,
            hold_time_s=self.hold_s[link],
            passive=self.passive[link] == speaker.name,
            connect_retry_s=2.0,
            role=ROLES[side.is_a] if self.roles[link] else None,
            graceful_restart=None if restart is None else RestartConfig(restart, stale_time_s=60.0),
        )
        return NeighbourConfig(
            far.name,
            _address(far),
            session,
            local_address=_address(speaker),
            next_hops={Family.IPV6: ip_address(f"2001:db8:ffff::{speaker.number:x}")},
            policy=NeighbourPolicy(far.name, ASN(far.asn), Relationship(side.is_a), prepend=side.prepend),
        )

    def at(self, delay: float, action: Callable[[], None]) -> None:
        heapq.heappush(self._queue, (self.clock + delay, next(self._order), action))

    @property
    def hours(self) -> float:
        """Simulated speaker-hours."""
        return len(self.hosts) * self.clock / 3600.0

    @property
    def now(self) -> Instant:
        return Instant(self.clock)

    def run(self) -> "NetworkSimulation":
        """Run the seed to its end. Raises `InvariantBroken`, naming the seed."""
        try:
            for host in self.hosts.values():
                self.at(self.random.uniform(0, 3), lambda host=host: self.start(host))
            self._schedule_faults()
            self.at(1.0, self._audit)
            self._play_until(self.duration_s)
            self._heal()
            self._settle()
        except Exception as error:
            what = error if isinstance(error, InvariantBroken) else f"{type(error).__name__}: {error}"
            raise InvariantBroken(f"seed {self.seed} at {self.clock:.3f} s: {what}") from error
        return self

    def _play_until(self, end: float) -> None:
        while self._queue and self._queue[0][0] <= end:
            moment, _, action = heapq.heappop(self._queue)
            self._at_once = self._at_once + 1 if moment == self.clock else 0
            if self._at_once > AT_ONCE_MAX:
                raise InvariantBroken("events without end at one instant: a deadline that does not move")
            self.clock = moment
            self.events += 1
            action()
        self.clock = end

    def _settle(self) -> None:
        """Play on in peace until all is as it shall be, or the time for that is up; then it must stay so."""
        end = self.clock + SETTLING_S
        while self.clock < end and self._unsettled() is not None:
            self._play_until(self.clock + 0.3)
        calm = self.clock + CALM_S
        self._play_until(calm)
        while (unsettled := self._unsettled()) is not None:
            if self.clock > calm + CALM_S:
                raise InvariantBroken(unsettled)
            self._play_until(self.clock + 0.3)

    # -- a speaker and its shell ----------------------------------------------------------------------------------

    def start(self, host: Host, *, restarting: bool = False) -> None:
        if host.core is not None:
            return
        host.incarnation += 1
        host.stopped = False
        self.tcp.off.discard(host.name)
        sessions = {each.name: self._engine(each, restarting=restarting) for each in host.config.neighbours}
        host.core = SpeakerCore(host.config, sessions, lambda event: self._told(host, event))
        self.tcp.listeners[host.name] = lambda end: self._accepted(host, end)
        if host.pop:
            self.perform(host, host.core.set_routes(self._announcements(host.name), self.now))
        else:
            own = self.world[host.name].prefixes
            self.perform(host, host.core.originate([own_route(parse_prefix(text)) for text in own], self.now))
        self.perform(host, host.core.start(self.now), *host.core.sessions)

    def _engine(self, config: NeighbourConfig, *, restarting: bool) -> BGPPeer:
        session, restart = config.session, config.session.graceful_restart
        if restart is not None:
            session = replace(session, graceful_restart=replace(restart, restarting=restarting))
        return BGPPeer(session, self.random)

    def _forget(self, host: Host) -> None:
        """The process is gone; what becomes of its connections the caller says."""
        host.core = None
        host.incarnation += 1
        host.ends.clear()
        host.dials.clear()
        host.heard_at.clear()
        host.changed_at.clear()
        self.tcp.listeners.pop(host.name, None)
        self._thaw(host)

    def perform(self, host: Host, actions: Actions, *touched: str) -> None:
        """Do what a core asks for, as `Speaker` does: what comes of it meanwhile waits its turn."""
        host.actions.extend(actions)
        if host.busy:
            return
        host.busy = True
        names = set(touched)
        while host.actions:
            name, action = host.actions.popleft()
            names.add(name)
            self._carry_out(host, name, action)
        host.busy = False
        for name in sorted(names):
            self._arm(host, name)
            self._check_host(host, name)

    def _carry_out(self, host: Host, name: str, action: Connect | Close | Send) -> None:
        key = (name, action.link)
        match action:
            case Connect():
                token = host.dials[key] = next(self._order)
                done = self._dialled(host, name, action.link, token)
                self.tcp.dial(host.name, _upstream(name), done)
            case Close():
                host.dials.pop(key, None)
                end = host.ends.pop(key, None)
                if end is not None:
                    end.close()
            case Send(octets=octets):
                end = host.ends.get(key)
                if end is None:
                    return
                self._check_collision(host, name, end, octets)
                if not end.write(octets):
                    self.counts["queue full"] += 1
                    end.abort()
                    assert host.core is not None
                    host.actions.extend(host.core.overrun(name, self.now))

    def _dialled(self, host: Host, name: str, link: int, token: int) -> Callable[[End | None], bool]:
        def done(end: End | None) -> bool:
            if host.core is None or host.dials.get((name, link)) != token:
                return False
            del host.dials[name, link]
            if end is None:
                actions = host.core.connection_failed(name, link, ConnectFault.REFUSED, "refused", self.now)
                self.perform(host, actions, name)
                return False
            self._own(host, name, link, end)
            self.perform(host, host.core.connected(name, link, self._local(host), self.now), name)
            return True

        return done

    def _accepted(self, host: Host, end: End) -> None:
        assert host.core is not None
        name = next(each.name for each in host.config.neighbours if each.upstream == end.far)
        link, actions = host.core.accepted(name, self._local(host), self.now)
        if link is None:
            self.counts["turned away"] += 1
            end.close()
        else:
            self._own(host, name, link, end)
        self.perform(host, actions, name)

    def _local(self, host: Host) -> IPv4Address:
        return _address(self.world[host.name])

    def _own(self, host: Host, name: str, link: int, end: End) -> None:
        def received(octets: bytes) -> None:
            if host.core is not None and host.ends.get((name, link)) is end:
                host.heard_at[name] = self.clock
                self.perform(host, host.core.received(name, link, octets, self.now), name)

        def lost(detail: str) -> None:
            if host.core is not None and host.ends.get((name, link)) is end:
                del host.ends[name, link]
                self.perform(host, host.core.disconnected(name, link, detail, self.now), name)

        end.received, end.lost = received, lost
        host.ends[name, link] = end

    def _told(self, host: Host, event: SpeakerEvent) -> None:
        match event:
            case SessionUp(upstream=upstream) | SessionDown(upstream=upstream, state=State.ESTABLISHED):
                name = next(each.name for each in host.config.neighbours if each.upstream == upstream)
                host.changed_at[name] = self.clock
                if isinstance(event, SessionUp):
                    self.counts["sessions up"] += 1
                    host.heard_at[name] = self.clock
                else:
                    self.counts[f"session lost: {event.cause.value}"] += 1
            case SessionDown(cause=cause):
                self.counts[f"attempt ended: {cause.value}"] += 1

    def _arm(self, host: Host, name: str) -> None:
        """Wake a session at its deadline, unless it is armed for an earlier moment already."""
        if host.core is None:
            return
        key, deadline = (host.name, name), host.core.sessions[name].deadline
        due = max(self.clock, deadline)
        if deadline != FAR_FUTURE and due < self._armed.get(key, FAR_FUTURE):
            self._armed[key] = due
            self.at(due - self.clock, lambda: self._wake(host, name, due))

    def _wake(self, host: Host, name: str, due: float) -> None:
        if self._armed.get((host.name, name)) != due:
            return  # an earlier moment was set since
        del self._armed[host.name, name]
        if host.core is not None and host.name not in self.tcp.frozen:  # `_thaw` arms it again
            self.perform(host, host.core.wake(name, self.now), name)

    # -- faults ---------------------------------------------------------------------------------------------------

    def _schedule_faults(self) -> None:
        host_faults = (
            self._crash, self._crash_silently, self._freeze, self._stop, self._stop_quietly, self._refresh,
        )  # fmt: skip
        link_faults = (self._cut, self._silence_one_way, self._silence, self._slow, self._blink)
        for _ in range(self.random.randint(0, 12)):
            fault = self.random.choice(host_faults)
            host = self.random.choice(list(self.hosts.values()))
            self.at(self.random.uniform(0, self.duration_s), lambda fault=fault, host=host: self._inject(fault, host))
        for _ in range(self.random.randint(0, 15)):
            link_fault, link = self.random.choice(link_faults), self.random.choice(self.links)
            self.at(self.random.uniform(0, self.duration_s), lambda f=link_fault, link=link: self._inject(f, link))
        for host in self.hosts.values():
            for _ in range(self.random.randint(1, 12) if host.pop else 0):
                self.at(self.random.uniform(0, self.duration_s), lambda host=host: self._announce(host))

    def _inject(self, fault: Callable[[object], None], victim: object) -> None:
        self.counts[fault.__name__] += 1
        fault(victim)

    def _announce(self, host: Host) -> None:
        """Announce, change or withdraw some prefixes, as an agent does: by saying all that shall be."""
        draw = self.random
        for upstream in self.world[host.name].sides:
            for prefix in PREFIXES:
                key = (host.name, upstream, prefix)
                dice = draw.random()
                if dice < 0.3:
                    self.wanted.pop(key, None)
                elif dice < 0.8:
                    self.wanted[key] = self._draw_asked(upstream)
        if host.core is not None and host.name not in self.tcp.frozen and not host.stopped:
            self.perform(host, host.core.set_routes(self._announcements(host.name), self.now))

    def _draw_asked(self, upstream: str) -> Asked:
        draw = self.random
        beside = [(upstream, self.world[far].asn) for far in self.world[upstream].sides]
        return Asked(
            draw.choice((0, 0, 1, 3)),
            draw.choice((None, 10, 20)),
            draw.random() < 0.15,
            draw.choice((None, draw.choice(beside))),
            draw.choice((None, None, draw.choice(beside))),
        )

    def _announcements(self, pop: str) -> frozenset[Announcement]:
        made = set()
        for (name, upstream, prefix), asked in self.wanted.items():
            if name == pop:
                communities = {GRACEFUL_SHUTDOWN} if asked.shutdown else set()
                for kind, to in ((10, asked.prepend_to), (11, asked.silent_to)):
                    if to is not None:
                        communities.add(LargeCommunity(self.world[to[0]].asn, kind, to[1]))
                attributes = RouteAttributes(asked.prepend, asked.med, None, frozenset(communities))
                made.add(Announcement(parse_prefix(prefix), upstream, attributes))
        return frozenset(made)

    def _crash(self, host: Host) -> None:
        """The process dies, and the kernel says so for it."""
        ends = list(host.ends.values())
        self._forget(host)
        for end in ends:
            (end.close if self.random.random() < 0.7 else end.abort)()
        self._back(host, restarting=True)

    def _crash_silently(self, host: Host) -> None:
        self._forget(host)
        for end in self.tcp.ends:
            for each in (end, end.other):
                if each.host == host.name:
                    each.vanish()
        self.tcp.off.add(host.name)
        self._back(host, restarting=True)

    def _back(self, host: Host, *, restarting: bool) -> None:
        again = restarting and self.random.random() < 0.7
        self.at(self.random.choice((0.2, 2.0, 30.0, 120.0)), lambda: self.start(host, restarting=again))

    def _freeze(self, host: Host) -> None:
        self.tcp.frozen.add(host.name)
        self.at(self.random.choice((1.0, 10.0, 120.0)), lambda: self._thaw(host))

    def _thaw(self, host: Host) -> None:
        if host.name in self.tcp.frozen:
            self.tcp.frozen.discard(host.name)
            host.thawed_at = self.clock
            if host.core is not None:
                if host.pop:
                    self.perform(host, host.core.set_routes(self._announcements(host.name), self.now))
                for name in host.core.sessions:
                    self._arm(host, name)

    def _stop(self, host: Host) -> None:
        """An operator stops the speaker in good order."""
        self._shut(host, withdraw=self.random.random() < 0.7)

    def _stop_quietly(self, host: Host) -> None:
        """An operator restarts the speaker, and neighbours with graceful restart are to keep its routes."""
        if host.core is None or host.name in self.tcp.frozen:
            return
        ends = list(host.ends.values())
        self._forget(host)
        for end in ends:
            end.close()
        self._back(host, restarting=True)

    def _shut(self, host: Host, *, withdraw: bool) -> None:
        if host.core is None or host.name in self.tcp.frozen:
            return
        for name in host.core.sessions:
            self.perform(host, host.core.stop(name, "maintenance", self.now, withdraw=withdraw), name)
        if any(session.state is not State.IDLE for session in host.core.sessions.values()):
            raise InvariantBroken(f"{host.name} was stopped and is not Idle")
        self._forget(host)
        host.stopped = True
        self._back(host, restarting=False)

    def _refresh(self, host: Host) -> None:
        """Ask for the neighbours' routes again, once or so often that a slow reader's queue fills."""
        for turn in range(self.random.choice((1, 1, 60))):
            self.at(turn * 0.05, lambda: self._refresh_once(host))

    def _refresh_once(self, host: Host) -> None:
        if host.core is None or host.name in self.tcp.frozen:
            return
        for name, session in host.core.sessions.items():
            if session.negotiated is not None:
                family = self.random.choice(FAMILIES)
                self.perform(host, host.core.request_refresh(name, family, self.now), name)

    def _cut(self, link: tuple[str, str]) -> None:
        for end in self.tcp.between(*link):
            end.reset("cut")
            end.other.reset("cut")

    def _silence_one_way(self, link: tuple[str, str]) -> None:
        self._silent_for(self.random.choice((link, link[::-1])))

    def _silence(self, link: tuple[str, str]) -> None:
        self._silent_for(link, link[::-1])

    def _silent_for(self, *directions: tuple[str, str]) -> None:
        self.tcp.silent.update(directions)
        wait = self.random.choice((1.0, 8.0, 60.0, 150.0))
        self.at(wait, lambda: self.tcp.silent.difference_update(directions))

    def _slow(self, link: tuple[str, str]) -> None:
        direction = self.random.choice((link, link[::-1]))
        self.tcp.slow.add(direction)
        self.at(self.random.choice((5.0, 40.0)), lambda: self.tcp.slow.discard(direction))

    def _blink(self, link: tuple[str, str]) -> None:
        """Connections go, one after the other, as fast as they come."""
        for turn in range(self.random.randint(2, 8)):
            self.at(turn * self.random.uniform(0.2, 3.0), lambda: self._cut(link))

    def _heal(self) -> None:
        self._expected = settle(self.world, self.wanted)
        self.tcp.silent.clear()
        self.tcp.slow.clear()
        for host in self.hosts.values():
            self._thaw(host)
            self.start(host)

    # -- invariants -----------------------------------------------------------------------------------------------

    def _check_host(self, host: Host, name: str) -> None:
        """At every step: connections match sessions, one is up at most, no route is from a neighbour that is down."""
        core = host.core
        if core is None:
            return
        peer = core.sessions[name]
        sessions = [each for each in (peer._main, peer._other) if each is not None]
        up = sum(each.state is State.ESTABLISHED for each in sessions)
        if up > 1 or bool(up) != (peer.negotiated is not None):
            raise InvariantBroken(f"{host.name}: {up} sessions with {name} are established")
        wired = {each.link for each in sessions if each.wired}
        if wired != {link for far, link in host.ends if far == name}:
            raise InvariantBroken(f"{host.name}: connections and sessions with {name} differ")
        if not wired.issuperset(link for far, link in core._local if far == name):
            raise InvariantBroken(f"{host.name} keeps connections with {name} that are gone")
        if peer.negotiated is None:
            self._check_stale(host, core, name)

    def _check_stale(self, host: Host, core: SpeakerCore, name: str) -> None:
        routes, stale = core.received_from(name), core.sessions[name].stale
        if any(not routes.is_stale(route) or route.prefix.family not in stale for route in routes):
            raise InvariantBroken(f"{host.name} has routes of {name}, which is not up")

    def _check_collision(self, host: Host, name: str, end: End, octets: bytes) -> None:
        """Of two connections the one stays that the higher BGP Identifier dialled (RFC 4271 §6.8, RFC 6286 §2.3)."""
        if octets[18] != MessageType.NOTIFICATION or octets[19:21] != _LOST_COLLISION:
            return
        self.counts["collisions"] += 1
        assert host.core is not None
        others = [each for (far, _), each in host.ends.items() if far == name and each is not end]
        if host.core.sessions[name].state is State.ESTABLISHED or any(o.dialled is end.dialled for o in others):
            return  # an established session beats a newcomer, and of two of the peer's own the later counts
        ours, theirs = self.world[host.name], self.world[end.far]
        if end.dialled is (ours.number > theirs.number):
            raise InvariantBroken(f"{host.name} closed the wrong one of two connections with {name}")

    def _audit(self) -> None:
        """Now and then: silence is noticed, stale routes end, quiet neighbours agree, and nothing loops."""
        self.at(self.random.uniform(1.0, 8.0), self._audit)
        for host in self.hosts.values():
            if host.core is None:
                continue
            for name, peer in host.core.sessions.items():
                self._check_deadlines(host, name, peer)
            if not host.pop:
                self._check_loops(host, host.core)
        for one, other in self.links:
            self._check_agreement(self.hosts[one], self.hosts[other])

    def _check_deadlines(self, host: Host, name: str, peer: BGPPeer) -> None:
        if host.name in self.tcp.frozen:
            return
        since = max(host.changed_at.get(name, 0.0), host.thawed_at)
        restart = peer.config.graceful_restart
        if peer.negotiated is not None:
            heard = max(host.heard_at[name], host.thawed_at)
            if self.clock > heard + peer.negotiated.hold_time_s + LATE_S:
                raise InvariantBroken(f"{host.name} keeps a session with {name}, silent since {heard:.3f}")
            bound_s = restart.stale_time_s if restart is not None else 0.0
        else:
            bound_s = restart.restart_time_s if restart is not None else 0.0
        if peer.stale and self.clock > since + bound_s + LATE_S:
            raise InvariantBroken(f"{host.name} keeps stale routes of {name}, unchanged since {since:.3f}")

    def _check_loops(self, host: Host, core: SpeakerCore) -> None:
        own = self.world[host.name].asn
        for route in core.rib.best:
            path = route.attributes.as_path
            asns = [asn for asn, _ in itertools.groupby(path.asns)] if path is not None else []
            if own in asns or len(asns) != len(set(asns)):
                raise InvariantBroken(f"{host.name} uses {route.prefix} by the loop {path}")

    def _check_agreement(self, one: Host, other: Host) -> None:
        """A session that is up on both ends, and with nothing under way: each knows exactly what the other sent."""
        pair = self._session(one, other)
        back = self._session(other, one)
        if pair is None or back is None or pair[1].other is not back[1]:
            return
        if any(end.outgoing for end in (pair[1], back[1])):
            return
        for sender, receiver in ((one, other), (other, one)):
            assert sender.core is not None
            assert receiver.core is not None
            sent = sender.core.sent_to(_name(sender, receiver))
            kept = receiver.core.received_from(_name(receiver, sender))
            if any(kept.is_stale(route) for route in kept):
                raise InvariantBroken(f"{receiver.name} keeps stale routes of {sender.name} on a quiet session")
            if _told_routes(sent) != _told_routes(kept):
                raise InvariantBroken(f"{sender.name} sent {_texts(sent)}, {receiver.name} has {_texts(kept)}")

    def _session(self, host: Host, far: Host) -> tuple[BGPSession, End] | None:
        if host.core is None:
            return None
        name = _name(host, far)
        peer = host.core.sessions[name]
        return (peer._main, host.ends[name, peer._main.link]) if peer.negotiated is not None else None

    def _unsettled(self) -> str | None:
        """Say what is not yet as it shall be: all sessions up and quiet, and every choice as the reference's."""
        for one, other in self.links:
            ends = self._session(self.hosts[one], self.hosts[other]), self._session(self.hosts[other], self.hosts[one])
            if ends[0] is None or ends[1] is None or ends[0][1].other is not ends[1][1]:
                return f"{one} and {other} have no session in peace"
            if ends[0][1].outgoing or ends[1][1].outgoing:
                return f"{one} and {other} are not quiet in peace"
        for host in self.hosts.values():
            assert host.core is not None
            if host.pop:
                if host.core.exported() != self._announcements(host.name):
                    return f"{host.name} does not export what is wanted in peace"
                continue
            found = {str(route.prefix): _choice(host, route) for route in host.core.rib.best}
            wanted = {prefix: (choice.path, choice.via) for prefix, choice in self._expected[host.name].items()}
            for prefix in sorted(found.keys() | wanted.keys()):
                if found.get(prefix) != wanted.get(prefix):
                    return f"{host.name} goes to {prefix} by {found.get(prefix)}, not {wanted.get(prefix)}"
        return None


_LOST_COLLISION = bytes((ErrorCode.CEASE, CeaseSubcode.CONNECTION_COLLISION_RESOLUTION))


def _address(speaker: Speaker) -> IPv4Address:
    return IPv4Address(0xC0000200 + speaker.number)


def _upstream(name: str) -> str:
    return name.partition(" ")[0]


def _name(host: Host, far: Host) -> str:
    return next(each.name for each in host.config.neighbours if each.upstream == far.name)


def _told_routes(routes: object) -> dict[object, object]:
    return {route.prefix: (route.attributes, route.next_hop) for route in routes}  # type: ignore[attr-defined]


def _texts(routes: object) -> list[str]:
    return sorted(str(route.prefix) for route in routes)  # type: ignore[attr-defined]


def _choice(host: Host, route: Route) -> tuple[tuple[int, ...], str | None]:
    path = route.attributes.as_path
    via = _upstream(route.source.name) if route.source is not None else None
    return (tuple(map(int, path.asns)) if path is not None else (), via)


def simulate(seed: int) -> NetworkSimulation:
    """Run one seed, and give the finished simulation. Raises `InvariantBroken`."""
    return NetworkSimulation(seed).run()
