"""The short simulation of BGP networks, and the proof that it can fail."""

from collections.abc import Callable, Iterable, Mapping

import pytest

from anycastle.base.ports import FAR_FUTURE, Instant
from anycastle.model.prefix import Family, Prefix
from anycastle.rib import decision, policy, table
from anycastle.rib.adj_rib_in import AdjRIBIn
from anycastle.rib.adj_rib_out import AdjRIBOut, Changes
from anycastle.rib.decision import Step
from anycastle.rib.route import Route
from anycastle.session.command import Command
from anycastle.session.graceful_restart import GracefulRestartHelper
from anycastle.session.peer import BGPPeer
from anycastle.session.session import BGPSession
from anycastle.session.timers import Timer, Timers
from tests.simulation.bgp import simulate
from tests.simulation.fleet import InvariantBroken
from tests.simulation.valley_free import ANYCAST, CUSTOMER, PEER, PROVIDER, Asked, Choice, Side, Speaker, settle

SEEDS = range(1000, 1012)
SHARDS = 4


@pytest.mark.mission("C17")
@pytest.mark.rfc("4271", "6.5", "6.8", "9.1", "9.2")
@pytest.mark.parametrize("shard", range(SHARDS))
def test_no_invariant_breaks(shard: int) -> None:
    for seed in SEEDS[shard::SHARDS]:
        simulate(seed)


def test_a_seed_replays() -> None:
    first, again = simulate(1000), simulate(1000)
    assert (first.events, first.clock, first.counts) == (again.events, again.clock, again.counts)


def test_the_reference_prefers_customers_and_lets_nobody_through_for_free() -> None:
    """Two transits that are peers, a PoP below each, and a client below the first: each keeps to its own customer."""
    sides = {
        "as0": {"as1": PEER, "pop0": CUSTOMER, "as2": CUSTOMER},
        "as1": {"as0": PEER, "pop1": CUSTOMER},
        "as2": {"as0": PROVIDER},
        "pop0": {"as0": PROVIDER},
        "pop1": {"as1": PROVIDER},
    }
    world = {
        name: Speaker(
            name,
            ANYCAST if name.startswith("pop") else 64600 + number,
            number,
            name.startswith("pop"),
            {far: Side(far, kind) for far, kind in known.items()},
        )
        for number, (name, known) in enumerate(sides.items())
    }
    prefix = "192.0.2.0/24"
    both = {("pop0", "as0", prefix): Asked(prepend=2), ("pop1", "as1", prefix): Asked()}
    far = settle(world, both)
    assert far["as0"][prefix] == Choice((ANYCAST,) * 3, "pop0", CUSTOMER), "a customer's route, however long"
    assert far["as2"][prefix].path == (64600, *(ANYCAST,) * 3)
    one = settle(world, {("pop1", "as1", prefix): Asked()})
    assert one["as2"][prefix].path == (64600, 64601, ANYCAST)
    world["as2"].sides["as3"] = Side("as3", PEER)
    world["as3"] = Speaker("as3", 64603, 9, pop=False, sides={"as2": Side("as2", PEER)})
    assert prefix not in settle(world, both)["as3"], "a peer is not told what a provider sent"


def prefer_the_longer_path(monkeypatch: pytest.MonkeyPatch) -> None:
    def length(route: Route) -> int:
        return -(route.attributes.as_path.length if route.attributes.as_path is not None else 0)

    longer = Step("AS_PATH length", "", decision._lowest(length))
    steps = tuple(longer if step.name == "AS_PATH length" else step for step in decision.STEPS)
    monkeypatch.setattr(decision, "STEPS", steps)


def forget_to_withdraw(monkeypatch: pytest.MonkeyPatch) -> None:
    apply = AdjRIBOut.apply

    def forgetful(self: AdjRIBOut, wanted: Mapping[Prefix, Route | None]) -> Changes:
        return Changes(apply(self, wanted).announced)

    monkeypatch.setattr(AdjRIBOut, "apply", forgetful)


def run_no_hold_timer(monkeypatch: pytest.MonkeyPatch) -> None:
    start = Timers.start

    def start_others(self: Timers, timer: Timer, at: Instant) -> None:
        if timer is not Timer.HOLD:
            start(self, timer, at)

    monkeypatch.setattr(Timers, "start", start_others)


def keep_the_wrong_one_of_two_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    loser = BGPPeer._loser

    def wrong(self: BGPPeer, main: BGPSession, other: BGPSession) -> BGPSession | None:
        lost = loser(self, main, other)
        return lost if lost is None or not other.wired else main if lost is other else other

    monkeypatch.setattr(BGPPeer, "_loser", wrong)


def keep_stale_routes_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    def sleep(self: GracefulRestartHelper, now: Instant) -> list[Command]:
        if now >= self.deadline:
            self.deadline = FAR_FUTURE
        return []

    monkeypatch.setattr(GracefulRestartHelper, "wake", sleep)


def keep_the_routes_of_a_lost_session(monkeypatch: pytest.MonkeyPatch) -> None:
    def keep(_self: AdjRIBIn, _family: Family) -> set[Prefix]:
        return set()

    monkeypatch.setattr(AdjRIBIn, "delete", keep)


def leak(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy, "_TAKES_ALL", tuple(policy.Relationship))
    monkeypatch.setattr(policy, "check_sent", lambda attributes, _peer_role, _own_asn: attributes)
    monkeypatch.setattr(policy, "check_received", lambda attributes, _peer_role, _asn: attributes)


def take_a_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    take = policy.import_route

    def careless(
        route: Route, neighbour: policy.NeighbourPolicy, network: policy.NetworkPolicy
    ) -> Route | policy.Refused:
        taken = take(route, neighbour, network)
        return route if isinstance(taken, policy.Refused) and "our own" in taken.reason else taken

    monkeypatch.setattr(table, "import_route", careless)


def lose_octets_between_two_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    received = BGPSession.received

    def forgetful(self: BGPSession, octets: bytes, now: Instant) -> list[Command]:
        return received(self, octets[: len(octets) // 19 * 19] if len(octets) < 19 else octets, now)

    monkeypatch.setattr(BGPSession, "received", forgetful)


def simulate_all(seeds: Iterable[int]) -> None:
    for seed in seeds:
        simulate(seed)


MUTANTS: tuple[Callable[[pytest.MonkeyPatch], None], ...] = (
    prefer_the_longer_path,
    forget_to_withdraw,
    run_no_hold_timer,
    keep_the_wrong_one_of_two_connections,
    keep_stale_routes_for_ever,
    keep_the_routes_of_a_lost_session,
    leak,
    take_a_loop,
    lose_octets_between_two_segments,
)


@pytest.mark.parametrize("mutate", MUTANTS)
def test_a_broken_engine_is_caught(
    mutate: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    mutate(monkeypatch)
    with pytest.raises(InvariantBroken, match=r"^seed \d+ at "):
        simulate_all(range(40))
