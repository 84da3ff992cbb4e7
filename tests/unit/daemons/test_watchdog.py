"""The watchdog and the agent's end of it, over a real socket; the router is one that remembers."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec
import pytest

from anycastle.base.errors import WorldError
from anycastle.daemons import watchdog
from anycastle.daemons.watchdog import Charge, WatchdogClient, WatchdogDaemon
from anycastle.health.commands import LeaseTerm
from anycastle.io.event_log import EventLog
from anycastle.io.local_socket import ask
from anycastle.io.routers import DriverChoice
from anycastle.io.routers.contract import SessionStatus
from anycastle.model.announcement import Announcement, Announcements
from anycastle.model.asn import ASN
from anycastle.model.prefix import parse_prefix
from anycastle.model.service import Lease, LeaseEnd
from tests.unit.health.world import pop

DNS = Announcement(parse_prefix("192.0.2.0/24"), "transit")
WEB = Announcement(parse_prefix("198.51.100.0/24"), "transit")
SHORT = Lease(LeaseEnd.WITHDRAW, 0.3, 0.1)


@dataclass
class Router:
    """A router that does as it is told, once it has refused as often as it was to."""

    table: Announcements = frozenset({DNS, WEB})
    refusals: int = 0
    unreadable: bool = False
    applied: list[Announcements] = field(default_factory=list)

    async def start(self) -> None:
        pass

    async def apply(self, wanted: Announcements) -> None:
        if self.refusals:
            self.refusals -= 1
            raise WorldError("busy")
        self.applied.append(wanted)
        self.table = wanted

    async def exported(self) -> Announcements:
        return self.table

    async def configured(self) -> Announcements:
        if self.unreadable:
            raise WorldError("no answer")
        return self.table

    async def sessions(self) -> tuple[SessionStatus, ...]:
        return ()

    async def shut(self, text: str) -> None:
        pass

    async def close(self) -> None:
        pass


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.005)


def charge(folder: Path) -> Charge:
    choice = DriverChoice(ASN(64500), pop("ams"), folder)
    return Charge("ams", choice, folder / "watchdog.sock", folder / "events.db", folder / "watchdog.log")


def term(name: str, lease: Lease, *routes: Announcement) -> LeaseTerm:
    return LeaseTerm(name, lease, frozenset(routes))


Body = Callable[[WatchdogClient, "asyncio.Task[None]"], Awaitable[None]]


def watched(folder: Path, router: Router, body: Body) -> None:
    """Run a watchdog and a client that has reached it."""

    async def run() -> None:
        given = charge(folder)
        daemon = WatchdogDaemon("ams", router, given.socket_path, given.events_path, given.fingerprint)
        serving = asyncio.create_task(daemon.run())
        await until(given.socket_path.exists)
        client = WatchdogClient(given)
        client.renew(())
        await until(lambda: client.problem is None)
        try:
            await body(client, serving)
        finally:
            await client.discharge(())
            serving.cancel()
            await asyncio.gather(serving, client._connecting or serving, return_exceptions=True)

    asyncio.run(run())


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog, "RETRY_S", 0.02)


@pytest.mark.mission("C16", "I1")
def test_silence_ends_what_was_leased_and_the_log_says_so(tmp_path: Path) -> None:
    router = Router(refusals=3)

    async def body(client: WatchdogClient, serving: "asyncio.Task[None]") -> None:
        client.renew((term("dns", SHORT, DNS), term("web", Lease(LeaseEnd.KEEP), WEB)))
        await until(lambda: router.applied)
        assert router.applied == [{WEB}], "tried until the router took it, and once"
        client.renew((term("dns", SHORT, DNS), term("web", Lease(LeaseEnd.KEEP), WEB)))
        assert not serving.done()

    watched(tmp_path, router, body)
    with EventLog(tmp_path / "events.db", read_only=True) as log:
        (lapsed,) = log.read()
    assert (lapsed.kind, lapsed.fields["service"]) == ("lease_lapsed", "dns")
    assert lapsed.fields["silent_s"] >= 0.3


def test_what_is_not_announced_any_more_is_not_announced_by_the_watchdog(tmp_path: Path) -> None:
    router = Router(table=frozenset({DNS}))

    async def body(client: WatchdogClient, serving: "asyncio.Task[None]") -> None:
        client.renew((term("dns", SHORT, DNS), term("web", Lease(LeaseEnd.KEEP), WEB)))
        await until(lambda: router.applied)
        assert router.applied == [frozenset()]

    watched(tmp_path, router, body)


def test_a_router_that_does_not_tell_is_told_what_may_stand(tmp_path: Path) -> None:
    router = Router(unreadable=True)

    async def body(client: WatchdogClient, serving: "asyncio.Task[None]") -> None:
        client.renew((term("dns", SHORT, DNS), term("web", Lease(LeaseEnd.KEEP), WEB)))
        await until(lambda: router.applied)
        assert router.applied == [{WEB}]

    watched(tmp_path, router, body)


def test_an_agent_that_leaves_nothing_announced_lets_the_watchdog_go(tmp_path: Path) -> None:
    router = Router()

    async def body(client: WatchdogClient, serving: "asyncio.Task[None]") -> None:
        client.renew((term("dns", SHORT, DNS),))
        await client.discharge(())
        await until(serving.done)
        assert not router.applied

    watched(tmp_path, router, body)


@pytest.mark.parametrize("lease", [SHORT, Lease(LeaseEnd.WITHDRAW, 0.0)])
def test_what_an_agent_leaves_is_ended_and_then_the_watchdog_goes(tmp_path: Path, lease: Lease) -> None:
    router = Router(refusals=2)

    async def body(client: WatchdogClient, serving: "asyncio.Task[None]") -> None:
        await client.discharge((term("dns", lease, DNS),))
        await until(serving.done)
        assert router.applied == [{WEB}]

    watched(tmp_path, router, body)


def test_a_log_that_cannot_be_written_keeps_no_lease_alive(tmp_path: Path) -> None:
    router = Router()
    (tmp_path / "events.db").mkdir()

    async def body(client: WatchdogClient, serving: "asyncio.Task[None]") -> None:
        client.renew((term("dns", SHORT, DNS), term("web", replace(SHORT, end=LeaseEnd.HOLD), WEB)))
        await until(lambda: len(router.applied) == 2)
        assert router.table == frozenset()

    watched(tmp_path, router, body)


def test_an_agent_that_is_set_up_in_another_way_sends_it_away(tmp_path: Path) -> None:
    async def body(client: WatchdogClient, serving: "asyncio.Task[None]") -> None:
        other = WatchdogClient(replace(charge(tmp_path), pop="fra"))
        assert not await other._say_last(b'{"terms": [], "charge": "another"}\n')
        await until(serving.done)

    watched(tmp_path, Router(), body)


@pytest.mark.parametrize("word", [{"terms": 1}, {"terms": [{}]}, {"terms": [{"service": "dns", "end": "never"}]}])
def test_a_word_that_says_nothing_is_answered_and_changes_nothing(tmp_path: Path, word: dict[str, object]) -> None:
    router = Router()

    async def body(client: WatchdogClient, serving: "asyncio.Task[None]") -> None:
        client.renew((term("dns", SHORT, DNS),))
        with pytest.raises(WorldError, match="not understood"):
            await asyncio.to_thread(ask, tmp_path / "watchdog.sock", word)
        await until(lambda: router.applied)

    watched(tmp_path, router, body)


def test_an_agent_without_a_watchdog_starts_one_and_only_one(tmp_path: Path) -> None:
    async def run() -> None:
        client = WatchdogClient(charge(tmp_path))
        async with asyncio.timeout(30):
            while client.problem is not None:
                client.renew(())
                await asyncio.sleep(0.01)
        process = client._process
        assert process is not None
        await client.discharge(())
        assert await asyncio.to_thread(process.wait, 20) == 0
        await asyncio.gather(client._connecting or asyncio.sleep(0), return_exceptions=True)

    asyncio.run(run())
    assert (tmp_path / "watchdog.log").read_text() == ""
    assert not (tmp_path / "watchdog.sock").exists()


@pytest.mark.mission("C16")
def test_the_watchdog_is_known_to_keep_only_what_it_said_it_keeps(tmp_path: Path) -> None:
    router = Router()
    long = Lease(LeaseEnd.WITHDRAW, 60.0)
    ended, kept = term("dns", long, DNS), term("dns", Lease(LeaseEnd.KEEP), DNS)

    async def body(client: WatchdogClient, serving: "asyncio.Task[None]") -> None:
        client.renew((kept,))
        await until(lambda: client.keeps("dns"))
        client.renew((ended,))
        assert not client.keeps("dns"), "what it said last is true no more once it is told otherwise"
        await until(lambda: not client._unanswered)
        assert not client.keeps("dns")
        client.renew((kept,))
        assert not client.keeps("dns")
        await until(lambda: client.keeps("dns"))
        client.renew((term("dns", long),))
        await until(lambda: client.keeps("dns"))
        assert client._writer is not None
        client._writer.close()
        await until(lambda: client.problem is not None)
        assert not client.keeps("dns"), "the next one may be another"

    watched(tmp_path, router, body)


def test_older_terms_that_come_late_are_void(tmp_path: Path) -> None:
    router = Router()

    async def body(client: WatchdogClient, serving: "asyncio.Task[None]") -> None:
        older = msgspec.json.encode(client._word((term("dns", SHORT, DNS),))) + b"\n"
        client.renew((term("dns", Lease(LeaseEnd.KEEP), DNS), term("web", SHORT, WEB)))
        await until(lambda: client.keeps("dns"))
        assert await client._say_last(older), "another connection, on which they were under way"
        await until(lambda: router.applied)
        assert router.applied == [{DNS}], "web was ended by the newer terms, and dns was kept"

    watched(tmp_path, router, body)


def test_a_watchdog_that_does_not_answer_is_not_counted_on(tmp_path: Path) -> None:
    async def run() -> None:
        given = charge(tmp_path)
        given.socket_path.parent.mkdir(exist_ok=True)
        writers: list[asyncio.StreamWriter] = []
        silent = await asyncio.start_unix_server(lambda _, writer: writers.append(writer), str(given.socket_path))
        client = WatchdogClient(given)
        client.renew(())
        await until(lambda: client.problem is None)
        for number in range(watchdog.UNANSWERED_MAX + 10):
            client.renew((term("dns", Lease(LeaseEnd.KEEP), DNS),) if number % 2 else ())
        assert not client.keeps("dns")
        assert client.problem == "the watchdog does not read"
        assert len(client._unanswered) == watchdog.UNANSWERED_MAX
        assert client._connecting is not None
        client._connecting.cancel()
        await asyncio.gather(client._connecting, return_exceptions=True)
        silent.close()
        for writer in writers:
            writer.close()
            await asyncio.gather(writer.wait_closed(), return_exceptions=True)

    asyncio.run(run())
