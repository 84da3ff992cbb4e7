"""The link's two ends, spoken together on a virtual clock: broken sessions, versions, skew, slow readers."""

import dataclasses
from random import Random

import msgspec
import pytest

from anycastle.base.ports import Instant, Now, Timestamp
from anycastle.model.permit import PermitReport, PermitState
from anycastle.session import link_command as do
from anycastle.session.link_agent import PAUSE_LAST_S, READY_POLL_S, UNREADY_S, AgentFacts, LinkAgent, State
from anycastle.session.link_controller import ControllerSession, Terms
from anycastle.session.link_orders import INTERRUPTED, REMEMBERED_MAX, OrderBook
from anycastle.wire.link.codec import decode_agent, decode_controller, encode_message
from anycastle.wire.link.limits import COUNT_MAX, EVENTS_WINDOW, ORDERS_MAX
from anycastle.wire.link.message import (
    Bye,
    Delta,
    Events,
    Grant,
    Hello,
    Order,
    OrderRefused,
    Permits,
    Pong,
    Report,
    Revoke,
    Welcome,
)
from tests.unit.session.link_pair import WALL, Controller, Pair

DNS = PermitReport("dns", PermitState.HELD, 3, exported=True)


def told(pair: Pair, kind: type) -> list:  # type: ignore[type-arg]
    return [message for message in map(decode_agent, pair.said_octets) if isinstance(message, kind)]


def joined(**changes: object) -> tuple[Pair, Controller]:
    controller = Controller("one")
    pair = Pair(controller, **changes)  # type: ignore[arg-type]
    pair.permits = [DNS]
    pair.start().run(2)
    assert pair.agent.state is State.JOINED
    return pair, controller


@pytest.mark.mission("I10")
def test_a_session_tells_state_permits_and_events() -> None:
    controller = Controller("one", term=7)
    pair = Pair(controller)
    pair.permits = [DNS]
    pair.log = ["a", "b", "c"]

    pair.start().run(2)

    assert pair.agent.state is State.JOINED
    assert pair.term == 7
    assert controller.permits == {"dns": DNS}
    assert controller.sections == pair.sections
    assert controller.stored["log-a"] == ["a", "b", "c"]


def test_first_words_on_permits_are_whole_and_then_only_what_changed() -> None:
    pair, controller = joined()
    pair.permits = [DNS, PermitReport("web", PermitState.NONE, 0, exported=True)]
    pair.changed()
    pair.run(1)
    assert [[shape.service for shape in each.reports] for each in told(pair, Permits)] == [["dns"], ["web"]]
    assert set(controller.permits) == {"dns", "web"}


def test_an_agent_without_services_joins_all_the_same() -> None:
    controller = Controller("one")
    Pair(controller).start().run(2)
    assert controller.session is not None
    assert controller.session.state.value == "joined"


def test_what_may_not_be_told_yet_is_looked_at_again() -> None:
    pair, controller = joined()
    pair.complete, pair.permits = False, []
    pair.changed()
    pair.run(1)
    pair.permits, pair.complete = [dataclasses.replace(DNS, epoch=4, state=PermitState.NONE)], True
    pair.run(0.3)
    assert controller.permits["dns"].state is PermitState.NONE


class TestVersions:
    """The highest that both speak; a release speaks its own and the one before it."""

    def change(self, pair: Pair) -> None:
        pair.sections["services"]["web"] = b"1"
        pair.changed()
        pair.run(1)
        pair.sections = {"services": {"web": b"2"}, "routes": {"192.0.2.0/24": b"{}"}}
        pair.changed()
        pair.run(1)

    @pytest.mark.parametrize(
        ("agent", "controller", "common"),
        [((1, 2), (1, 2), 2), ((1,), (1, 2), 1), ((1, 2), (1,), 1), ((2,), (1, 2), 2), ((1, 2, 9), (1, 2), 2)],
    )
    def test_each_with_the_release_before(
        self, agent: tuple[int, ...], controller: tuple[int, ...], common: int
    ) -> None:
        pair, far = joined(versions=agent)
        pair = Pair(far := Controller("one", terms=Terms(controller)), versions=agent)
        pair.permits = [DNS]
        pair.start().run(2)

        self.change(pair)

        assert pair.agent.version == common
        assert far.sections == pair.sections
        assert [type(each) for each in told(pair, (Report, Delta))] == (  # type: ignore[arg-type]
            [Report, Delta, Delta] if common == 2 else [Report, Report, Report]
        )

    def test_none_in_common_is_said_and_tried_again(self) -> None:
        pair = Pair(Controller("one", terms=Terms((2, 3))), versions=(1,))
        pair.start().run(30)
        troubles = [command.text for command in pair.heard if isinstance(command, do.Trouble)]
        assert troubles[0].endswith("no version in common: the controller speaks 2, 3, the agent 1")
        assert len(troubles) > 3

    def test_a_delta_in_version_1_breaks_the_protocol(self) -> None:
        session = welcomed(versions=(1,))
        assert "a delta in a session of version 1" in end(session, Delta(1, 0, "x"))

    def test_a_version_that_was_not_offered_is_not_spoken(self) -> None:
        agent = LinkAgent(["one"], Random(1), versions=(1,))
        agent.start(NOW)
        agent.connected(AgentFacts("ams", "1"), NOW)
        commands = agent.received(encode_message(Welcome(2, 1, 3.0, 0, 10, 0.0)), NOW)
        assert any("version 2 was not offered" in getattr(command, "text", "") for command in commands)


class TestWhoLeads:
    def test_one_that_does_not_lead_names_who_does(self) -> None:
        follower, leader = Controller("one", leads=False, leader="two"), Controller("two", term=3)
        pair = Pair(follower, leader)
        pair.start().run(1)
        assert leader.session is not None
        assert pair.agent.address == "two"

    def test_two_that_name_each_other_are_not_followed_for_ever(self) -> None:
        one = Controller("one", leads=False, leader="two")
        two = Controller("two", leads=False, leader="one")
        pair = Pair(one, two)
        pair.start().run(60)
        dials = [command for command in pair.heard if isinstance(command, do.Dial)]
        assert len(dials) < 20

    def test_an_older_term_is_refused_and_the_other_found(self) -> None:
        old, new = Controller("one", term=4), Controller("two", term=5)
        pair = Pair(old, new)
        pair.term = 5
        pair.start().run(5)
        assert old.session is None
        assert not old.permits
        assert new.session is not None
        assert any("term 4 was superseded by 5" in c.text for c in pair.heard if isinstance(c, do.Trouble))

    def test_addresses_are_tried_in_turn_with_growing_pauses(self) -> None:
        dead, alive = Controller("one", alive=False), Controller("two", alive=False)
        pair = Pair(dead, alive)
        pair.start().run(40)
        dials = [command.address for command in pair.heard if isinstance(command, do.Dial)]
        assert dials[:4] == ["one", "two", "one", "two"]
        assert 6 <= len(dials) <= 16
        alive.alive = True
        pair.run(2 * PAUSE_LAST_S + 1)
        assert pair.agent.state is State.JOINED

    def test_other_addresses_are_dialled_from_the_next_time_on(self) -> None:
        pair, controller = joined()
        other = Controller("two")
        pair.controllers["two"] = other
        pair.agent.redirect(["two"])
        pair.run(5)
        assert controller.session is not None, "the session that there is goes on"
        pair.cut(0.0, 0.0)
        pair.run(3)
        assert other.session is not None


class TestSilence:
    def test_a_peer_that_is_silent_for_three_heartbeats_is_lost_on_either_side(self) -> None:
        pair, controller = joined()
        pair.cut()
        pair.run(5.5)  # the last sign of life is up to one heartbeat old
        assert not controller.left
        pair.run(4)
        assert controller.left == ["nothing was heard for 3 heartbeats"]
        lost = [command.why for command in pair.heard if isinstance(command, do.Lose)]
        assert lost == ["nothing was heard of the controller for 3 heartbeats"]

    def test_a_calm_session_lives_on(self) -> None:
        pair, controller = joined()
        pair.run(600)
        assert not controller.left

    def test_the_stop_says_bye_and_dials_no_more(self) -> None:
        pair, controller = joined()
        pair.perform(pair.agent.stop())
        pair.run(60)
        assert controller.left == ["the agent says: the agent stops"]
        assert pair.agent.state is State.STOPPED
        assert pair.agent.start(pair.now) == []

    def test_an_agent_that_came_back_ends_its_old_session(self) -> None:
        pair, controller = joined()
        pair.cut(agent_hears_s=0.0)
        pair.run(2)
        assert controller.left == ["the agent came back"]
        assert controller.session is not None


class TestClocks:
    @pytest.mark.parametrize("skew_s", [0.0, 0.9, -30.0, 3600.0])
    def test_the_offset_is_within_its_error(self, skew_s: float) -> None:
        pair = Pair(Controller("one"), delay_s=0.2)
        pair.skew_s = skew_s
        pair.start().run(60)
        skew = pair.agent.skew
        assert skew is not None
        assert abs(skew.offset_s - skew_s) <= skew.error_s + 1e-6
        assert skew.too_large == (abs(skew_s) > 1.5)

    def test_a_clock_that_is_set_is_seen_at_the_next_answer(self) -> None:
        pair, _ = joined()
        pair.run(30)
        pair.skew_s = 0.0
        before = pair.agent.skew
        assert before is not None
        assert not before.too_large
        meter = pair.agent._clocks
        moved = Now(pair.now.monotonic, Timestamp(pair.now.wall + 100))
        assert meter.answered(moved, WALL + pair.clock, moved).too_large


class TestEvents:
    def test_none_is_lost_or_doubled_over_lost_sessions(self) -> None:
        pair, controller = joined()
        for number in range(2000):
            pair.log.append(f"e{number}")
            if number % 97 == 0:
                pair.cut(0.0, 0.1)
            pair.run(0.02)
        pair.run(30)
        assert controller.stored["log-a"] == pair.log

    def test_a_slow_store_is_told_no_more_than_the_window(self) -> None:
        pair, controller = joined()
        controller.slow_s = 5.0
        pair.log += [f"e{number}" for number in range(5000)]
        pair.run(5)
        assert sum(len(each.events) for each in told(pair, Events)) == EVENTS_WINDOW
        controller.slow_s = 0.0
        pair.run(60)
        assert controller.stored["log-a"] == pair.log

    def test_a_log_that_begins_after_the_hello_is_told_from_its_first(self) -> None:
        pair, controller = joined()
        pair.log += ["a", "b"]
        pair.run(2)
        assert controller.stored["log-a"] == ["a", "b"]

    def test_another_log_in_the_same_session_waits_for_the_next(self) -> None:
        pair, controller = joined()
        pair.log += ["a", "b"]
        pair.run(2)
        pair.log_name, pair.log = "log-b", ["x", "y", "z"]
        pair.run(5)
        assert "log-b" not in controller.stored
        pair.cut(0.0, 0.0)
        pair.run(5)
        assert controller.stored == {"": [], "log-a": ["a", "b"], "log-b": ["x", "y", "z"]}

    def test_a_controller_that_knows_less_than_it_did_is_told_again(self) -> None:
        pair, controller = joined()
        pair.log += [f"e{number}" for number in range(100)]
        pair.run(5)
        controller.stored["log-a"] = controller.stored["log-a"][:10]
        pair.restart(controller)
        pair.run(10)
        assert controller.stored["log-a"] == pair.log


class TestBackPressure:
    def test_a_connection_that_takes_no_more_is_told_nothing_but_signs_of_life(self) -> None:
        pair, controller = joined()
        pair.agent.blocked()
        before = len(pair.said_octets)
        for number in range(500):
            pair.log.append(f"e{number}")
            pair.sections["services"]["dns"] = str(number).encode()
            pair.permits = [dataclasses.replace(DNS, epoch=number)]
            pair.changed()
            pair.run(0.01)
        kinds = {type(decode_agent(octets)).__name__ for octets in pair.said_octets[before:]}
        assert kinds <= {"Ping"}
        pair.perform(pair.agent.drained(pair.now))
        pair.run(5)
        assert controller.sections == pair.sections
        assert controller.permits["dns"].epoch == 499
        assert controller.stored["log-a"] == pair.log

    def test_one_report_is_under_way_at_a_time(self) -> None:
        pair = Pair(Controller("one"), delay_s=1.0)
        pair.start().run(6)
        for number in range(400):
            pair.sections["services"]["dns"] = str(number).encode()
            pair.changed()
            pair.run(0.01)
        assert len(told(pair, Delta)) <= 4

    def test_what_waits_for_an_agent_that_does_not_read_is_the_latest_of_each(self) -> None:
        pair, controller = joined()
        session = controller.session
        assert session is not None
        session.blocked()
        for epoch in range(1000):
            assert session.command(Grant("dns", epoch)) == []
            assert session.command(Revoke("web", epoch)) == []
            assert session.assign(str(epoch), b"x" * 1000) == []
        pair.send(controller, lambda session: session.drained())
        pair.run(1)
        assert pair.obeyed == [Grant("dns", 999), Revoke("web", 999)]
        assert pair.assignment == "999"

    def test_events_beyond_the_window_end_the_session(self) -> None:
        session = welcomed(terms=Terms(events_window=3))
        pair = Pair(Controller("one"))
        pair.log = ["a"] * 4
        rows = Events("log", 1, list(_rows(4)))
        assert "more than 3 events under way" in end(session, rows)

    def test_a_gap_in_the_events_ends_the_session(self) -> None:
        assert "events from 2, and 0 was the last one told" in end(welcomed(), Events("log", 2, _rows(1)))


class TestOrders:
    def order(self, number: int = 1) -> Order:
        return Order(f"o{number}", "drain", ["dns"], "alice", "because", {"soak_s": 1.0})

    def test_an_order_is_carried_out_once_and_answered_again(self) -> None:
        pair, controller = joined()
        pair.order(controller, self.order())
        pair.run(1)
        pair.order(controller, self.order())
        pair.run(1)
        pair.cut(0.0, 0.0)
        pair.run(5)
        pair.order(controller, self.order())
        pair.run(1)
        pair.crash_agent()
        pair.run(15)
        pair.order(controller, self.order())
        pair.run(1)
        assert pair.executed == ["o1"]
        assert controller.answers == [("o1", None)] * 4

    def test_a_refusal_is_repeated_too(self) -> None:
        pair, controller = joined()
        pair.refuses["o1"] = "ams serves no service 'dns'"
        for _ in range(2):
            pair.order(controller, self.order())
            pair.run(1)
        assert controller.answers == [("o1", "ams serves no service 'dns'")] * 2

    def test_one_that_was_begun_when_the_agent_ended_is_not_begun_again(self) -> None:
        agent = LinkAgent(["one"], Random(1))
        _join(agent)
        begun = agent.received(encode_message(self.order()), NOW)
        assert isinstance(begun[0], do.CarryOut)
        again = LinkAgent(["one"], Random(1), orders=begun[0].orders)
        _join(again)
        said = again.received(encode_message(self.order()), NOW)
        assert isinstance(said[0], do.Say)
        assert decode_agent(said[0].octets) == OrderRefused("o1", INTERRUPTED)

    def test_too_many_under_way_are_refused_by_both_sides(self) -> None:
        agent = LinkAgent(["one"], Random(1))
        _join(agent)
        for number in range(ORDERS_MAX):
            assert isinstance(agent.received(encode_message(self.order(number)), NOW)[0], do.CarryOut)
        said = agent.received(encode_message(self.order(ORDERS_MAX)), NOW)[0]
        assert isinstance(said, do.Say)
        assert isinstance(decode_agent(said.octets), OrderRefused)

        pair, controller = joined()
        pair.cut()
        for number in range(ORDERS_MAX + 1):
            pair.order(controller, self.order(number))
        assert controller.answers == [(f"o{ORDERS_MAX}", f"ams has {ORDERS_MAX} orders under way")]

    def test_an_assignment_that_is_refused_says_why(self) -> None:
        pair, controller = joined()
        pair.refuses["bad"] = "it would withdraw dns"
        pair.send(controller, lambda session: session.assign("bad", b"{}"))
        pair.run(1)
        pair.send(controller, lambda session: session.assign("good", b"{}"))
        pair.run(1)
        assert controller.taken == [("bad", "it would withdraw dns"), ("good", None)]


class TestReports:
    def test_a_base_that_is_not_there_is_asked_for(self) -> None:
        pair, controller = joined()
        assert controller.session is not None
        controller.session._book.revision = 0
        pair.sections["services"]["dns"] = b"2"
        pair.changed()
        pair.run(1)
        assert controller.sections == pair.sections
        assert [type(each) for each in told(pair, (Report, Delta))] == [Report, Delta, Report]  # type: ignore[arg-type]

    def test_a_digest_that_does_not_fit_is_found(self) -> None:
        pair, controller = joined()
        assert controller.session is not None
        controller.session._book._put("services", "ghost", b"1")
        pair.sections["services"]["dns"] = b"2"
        pair.changed()
        pair.run(1)
        assert controller.sections == pair.sections


class TestProtocol:
    """What the other side may not say ends the session; what a later release may say does not."""

    def test_unknown_kinds_and_fields_are_passed_over(self) -> None:
        session = welcomed()
        hello = b'{"kind":"teleport","to":"mars"}'
        assert session.received(hello, NOW) == []
        assert session.unknown == 1
        agent = LinkAgent(["one"], Random(1))
        _join(agent)
        assert agent.received(b'{"kind":"teleport"}', NOW) == []
        assert agent.received(b'{"kind":"event_acked","upto":0}', NOW) == []
        grant = agent.received(b'{"kind":"grant","service":"dns","epoch":1,"colour":"red"}', NOW)
        assert grant == [do.Obey(Grant("dns", 1))]

    @pytest.mark.parametrize(
        "octets",
        [
            b"",
            b"\xff",
            b"[]",
            b"{}",
            b'{"kind":7}',
            b'{"kind":"ping"}',
            b'{"kind":"ping","number":-1,"clock":1.0}',
            b'{"kind":"ping","number":1,"clock":1e300}',
            b'{"kind":"ping","number":%d,"clock":1.0}' % (COUNT_MAX + 1),
            b'{"kind":"events","log":"l","first":1,"events":[]}',
            b'{"kind":"hello","versions":[1],"pop":"ams","agent_version":"1","clock":1.0}',
        ],
    )
    def test_what_cannot_be_read_ends_the_session(self, octets: bytes) -> None:
        session = welcomed()
        commands = session.received(octets, NOW)
        assert [type(command) for command in commands] == [do.Say, do.Hang, do.Left]
        assert session.received(octets, NOW) == []

    def test_another_pops_name_is_refused(self) -> None:
        session = ControllerSession("fra", NOW)
        commands = session.received(encode_message(Hello([1, 2], "ams", "1", 0.0)), NOW)
        assert commands[-1] == do.Left("the certificate is that of fra: it does not speak for ams", joined=False)

    def test_nothing_counts_before_the_welcome(self) -> None:
        for octets in (encode_message(Permits([])), b'{"kind":"teleport"}'):
            session = ControllerSession("ams", NOW)
            assert isinstance(session.received(octets, NOW)[-1], do.Left)

    def test_a_hello_that_does_not_come_is_not_waited_for(self) -> None:
        session = ControllerSession("ams", NOW)
        late = Now(session.deadline, Timestamp(0.0))
        assert session.wake(NOW) == []
        assert session.wake(late)[-1] == do.Left("no hello within 10 s", joined=False)

    @pytest.mark.parametrize("octets", [b"", b"{}", b'{"kind":"welcome"}', b'{"kind":"events_acked","upto":9}'])
    def test_a_controller_that_breaks_it_is_left(self, octets: bytes) -> None:
        agent = LinkAgent(["one"], Random(1))
        _join(agent)
        commands = agent.received(octets, NOW)
        assert isinstance(commands[0], do.Say)
        assert isinstance(decode_agent(commands[0].octets), Bye)
        assert [type(command) for command in commands[1:]] == [do.Hang, do.Lose]


@pytest.mark.mission("I10")
@pytest.mark.parametrize("seed", range(40))
def test_whatever_breaks_it_ends_in_agreement(seed: int) -> None:
    """Sessions that are cut anywhere, agents and controllers that start anew, slow stores, changes of who leads."""
    random = Random(seed)
    shared: dict[str, list[str]] = {}
    one = Controller("one", stored=shared, slow_s=random.choice((0.0, 0.5)))
    two = Controller("two", stored=shared, leads=False, leader="one", terms=Terms(random.choice(((1,), (1, 2)))))
    pair = Pair(one, two, seed=seed, delay_s=random.choice((0.005, 0.3)))
    pair.start()
    orders = 0
    for step in range(random.randint(30, 120)):
        pair.log += [f"{step}.{number}" for number in range(random.choice((0, 1, 200)))]
        pair.sections.setdefault(f"section{random.randint(0, 2)}", {})[f"entry{random.randint(0, 3)}"] = str(
            step
        ).encode()
        if random.random() < 0.2:
            pair.sections.pop(f"section{random.randint(0, 2)}", None)
        pair.permits = [dataclasses.replace(DNS, epoch=step)]
        pair.changed()
        leader = one if one.leads else two
        match random.randint(0, 7):
            case 0:
                pair.cut(random.choice((None, 0.0, 5.0)), random.choice((None, 0.0, 5.0)))
            case 1:
                pair.crash_agent()
            case 2:
                pair.restart(leader)
            case 3:
                for each in (one, two):
                    each.leads = not each.leads
                leader.leader, new = (two, one)[leader is two].address, (two, one)[leader is two]
                new.term = leader.term + 1
                pair.restart(leader)
            case 4 if leader.session is not None:
                orders += 1
                order = Order(f"o{random.randint(1, orders)}", "drain", ["dns"], "alice")
                pair.order(leader, order)
        pair.run(random.choice((0.01, 1.0, 15.0)))
    one.alive = two.alive = True
    pair.run(60)
    leader = one if one.leads else two
    assert leader.session is not None
    assert shared["log-a" if pair.log else ""] == pair.log
    assert leader.sections == {name: entries for name, entries in pair.sections.items() if entries}
    assert leader.permits == {"dns": pair.permits[0]}
    assert len(pair.executed) == len(set(pair.executed))


NOW = Now(Instant(10.0), Timestamp(WALL))


def welcomed(versions: tuple[int, ...] = (1, 2), terms: Terms = Terms()) -> ControllerSession:
    session = ControllerSession("ams", NOW, terms)
    session.received(encode_message(Hello(list(versions), "ams", "1", 0.0, log="log")), NOW)
    session.welcome(1, 0, NOW)
    return session


def end(session: ControllerSession, message: msgspec.Struct) -> str:
    commands = session.received(encode_message(message), NOW)  # type: ignore[arg-type]
    said = commands[0]
    assert isinstance(said, do.Say)
    bye = decode_controller(said.octets)
    assert isinstance(bye, Bye)
    assert [type(command) for command in commands[1:]] == [do.Hang, do.Left]
    return bye.reason


def _join(agent: LinkAgent) -> None:
    agent.start(NOW)
    agent.connected(AgentFacts("ams", "1"), NOW)
    agent.received(encode_message(Welcome(2, 1, 3.0, 0, 10, 0.0)), NOW)
    agent.met(None, NOW)
    assert agent.state is State.JOINED


def _rows(count: int) -> list:  # type: ignore[type-arg]
    from anycastle.wire.link.message import EventRow

    return [EventRow(WALL, "alarm", msgspec.Raw(b"{}")) for _ in range(count)]


def test_an_agent_that_may_not_speak_yet_is_asked_soon_and_told_of_only_where_it_lasts() -> None:
    agent, clock = LinkAgent(["one"], Random(1)), 100.0

    def at(instant: float) -> Now:
        return Now(Instant(instant), Timestamp(WALL + instant))

    def unready_for(seconds: float) -> list[do.AgentCommand]:
        nonlocal clock
        said, end = list[do.AgentCommand](), clock + seconds
        while clock < end:
            said += agent.unready("the router is not read", at(clock))
            assert 0.0 < agent.deadline - clock <= READY_POLL_S
            clock = agent.deadline
            assert agent.wake(at(clock)) == [do.Dial("one")]
        return said

    assert agent.start(at(clock)) == [do.Dial("one")]
    assert unready_for(UNREADY_S / 2) == []
    agent.connected(AgentFacts("ams", "1.0"), at(clock))
    agent.disconnected("it went", at(clock))
    clock = agent.deadline
    assert agent.wake(at(clock)) == [do.Dial("one")]
    assert unready_for(UNREADY_S / 2) == [], "what was before it could speak does not count"
    assert set(unready_for(UNREADY_S)) == {do.Trouble("the router is not read")}


def test_what_the_shell_says_of_a_session_that_is_over_changes_nothing() -> None:
    """Connections and engines end in their own time: words about what was are late, and no mistake."""
    pair, controller = joined()
    agent, now = pair.agent, pair.now
    agent.disconnected("cut", now)
    assert agent.state is State.RESTING
    bye = encode_message(Bye("late"))
    assert agent.connected(AgentFacts("ams", "1.0"), now) == agent.unready("not yet", now) == []
    assert agent.disconnected("cut again", now) == agent.received(bye, now) == agent.met(None, now) == []
    assert agent.looked(pair.sections, [DNS], now) == agent.events_read("log-a", 1, [], now) == []
    assert agent.assignment_answered("d1", None) == []
    assert agent.state is State.RESTING
    session = controller.session
    assert session is not None
    session.disconnected("cut")
    assert session.welcome(1, 0, now) == session.dismiss("late") == []


def test_an_order_that_ends_without_a_session_is_kept_and_told_in_the_next() -> None:
    pair, _ = joined()
    pair.agent.disconnected("cut", pair.now)
    (kept,) = pair.agent.order_answered("7", None)
    assert isinstance(kept, do.KeepOrders)
    assert [(answer.id, answer.done) for answer in kept.orders] == [("7", True)]


def test_a_second_welcome_and_a_late_pong() -> None:
    pair, _ = joined()
    agent = pair.agent
    assert agent.received(encode_message(Pong(99, 0.0, 0.0)), pair.now) == []
    commands = agent.received(encode_message(Welcome(2, 1, 5.0, 0, 10, 0.0)), pair.now)
    assert any(isinstance(each, do.Lose) and "second welcome" in each.why for each in commands)


def test_without_addresses_nobody_is_dialled() -> None:
    pair, _ = joined()
    pair.agent.redirect([])
    pair.agent.redirect([])
    pair.agent.disconnected("cut", pair.now)
    late = Now(Instant(pair.clock + 2 * PAUSE_LAST_S), Timestamp(WALL))
    assert pair.agent.wake(late) == []


def test_answers_are_remembered_up_to_a_number_and_never_those_that_are_awaited() -> None:
    book = OrderBook()
    for number in range(REMEMBERED_MAX):
        book.begin(str(number))
    book.begin("one more")
    assert book.under_way == REMEMBERED_MAX + 1, "none is forgotten that may not have been carried out"
    book.end("5", None)
    book.begin("another")
    assert book.answer("5") is None
    assert book.under_way == REMEMBERED_MAX + 1
