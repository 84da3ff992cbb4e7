"""The BIRD driver: a real BIRD in a namespace, two more as its neighbours."""

import asyncio
import os
import re
import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from ipaddress import IPv4Address, ip_address
from pathlib import Path
from types import MappingProxyType

import pytest

from anycastle.base.errors import WorldError
from anycastle.io.routers import DriverChoice
from anycastle.io.routers.bird_config import bird_snippet, removal_of_stale
from anycastle.io.routers.contract import RouterDriver, SessionState
from anycastle.model.announcement import NOTHING
from anycastle.model.asn import ASN
from anycastle.model.community import Community, LargeCommunity, StandardCommunity, parse_community
from anycastle.model.pop import Location, PoP, Router
from anycastle.model.prefix import Prefix, parse_prefix
from anycastle.model.upstream import Neighbour, Upstream, UpstreamKind
from tests.lab.driver_contract import (
    V4,
    V6,
    DriverContract,
    Received,
    all_established,
    announcements,
    awaited,
    converse,
    expect_received,
    until,
)
from tests.lab.namespaces import Namespace, end, needs_root, run

pytestmark = [
    pytest.mark.lab,
    needs_root,
    pytest.mark.skipif(
        shutil.which("bird", path="/usr/sbin:/usr/bin") is None, reason="needs the Debian package bird2"
    ),
]

OWN = ASN(64500)
ASNS = {"t1": ASN(64601), "t2": ASN(64602)}

COMMON = """
log "{folder}/{name}.log" all;
timeformat log iso long us;
protocol device {{}}
template bgp session {{
  hold time 9; keepalive time 3;
  connect delay time 1; connect retry time 1; error wait time 1, 1;
  {graceful};
}}
"""

OPERATORS = """router id 10.98.0.1;
{common}
{snippet}
{sessions}
"""

SESSION = """protocol bgp {name}_{version} from session {{
  local {local} as {local_asn};
  neighbor {remote} as {remote_asn};
  {channel} {{ import {imports}; export {exports}; }};
}}
"""


def addresses(upstream: str, version: int) -> tuple[str, str]:
    number = sorted(ASNS).index(upstream) + 1
    return (f"10.98.{number}.1", f"10.98.{number}.2") if version == 4 else (f"fd98:{number}::1", f"fd98:{number}::2")


def session(name: str, version: int, *, ours: bool, imports: str, exports: str) -> str:
    near, far = addresses(name, version)
    return SESSION.format(
        name=name,
        version=version,
        channel=f"ipv{version}",
        local=near if ours else far,
        remote=far if ours else near,
        local_asn=OWN if ours else ASNS[name],
        remote_asn=ASNS[name] if ours else OWN,
        imports=imports,
        exports=exports,
    )


class Bird:
    """One BIRD in its namespace."""

    def __init__(self, folder: Path, name: str, *options: str) -> None:
        self.options = options
        self.namespace = Namespace(f"dr-{name}")
        self.config = folder / f"{name}.conf"
        self.socket = folder / f"{name}.ctl"
        self._log = folder / f"{name}.out"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = ("bird", "-f", *self.options, "-c", str(self.config), "-s", str(self.socket))
        self.socket.unlink(missing_ok=True)
        self._process = self.namespace.spawn(*command, log=self._log)
        assert until(self.answers, bool), self._log.read_text()

    def answers(self) -> bool:
        done = subprocess.run(["birdc", "-s", str(self.socket), "show", "status"], capture_output=True, check=False)
        return done.returncode == 0

    def kill(self) -> None:
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def stop(self) -> None:
        if self._process is not None:
            end(self._process)

    def ask(self, *command: str) -> str:
        return run("birdc", "-s", str(self.socket), *command)


class BirdRig:
    """The router under test and its two neighbours."""

    def __init__(self, folder: Path, graceful: bool) -> None:
        self.folder = folder
        self.run_dir = folder / "run"
        self.graceful = "graceful restart on" if graceful else "graceful restart off"
        self.router = Bird(folder, "pop", *(("-R",) if graceful else ()))  # -R: a start is a graceful restart
        self.neighbours = {name: Bird(folder, name) for name in ASNS}
        self.pop = PoP(
            "fra",
            "Frankfurt",
            Location(50.1, 8.7),
            "europe",
            Router("bird", IPv4Address("10.98.0.1"), MappingProxyType({"control_socket": str(self.router.socket)})),
            tuple(
                Upstream(
                    name,
                    UpstreamKind.TRANSIT,
                    asn,
                    tuple(Neighbour(ip_address(addresses(name, version)[1])) for version in (4, 6)),
                )
                for name, asn in ASNS.items()
            ),
        )
        self.file = self.run_dir / "bird" / "announcements.conf"

    # -- building --

    def build(self) -> None:
        for bird in (self.router, *self.neighbours.values()):
            run("ip", "netns", "del", bird.namespace.name, check=False)
            run("ip", "netns", "add", bird.namespace.name)
            bird.namespace.run("ip", "link", "set", "lo", "up")
        for name, bird in self.neighbours.items():
            ends = (self.router.namespace, name), (bird.namespace, "pop")
            (left, left_name), (right, right_name) = ends
            veth = ("type", "veth", "peer", "name", right_name, "netns", right.name)
            run("ip", "link", "add", left_name, "netns", left.name, *veth)
            for position, (namespace, device) in enumerate(ends):
                for version, length in ((4, 30), (6, 64)):
                    address = f"{addresses(name, version)[position]}/{length}"
                    nodad = ("nodad",) if version == 6 else ()
                    namespace.run("ip", "addr", "add", address, "dev", device, *nodad)
                namespace.run("ip", "link", "set", device, "up")
        self.write_router()
        for name, bird in self.neighbours.items():
            self.write_neighbour(name)
            bird.start()
        self.router.start()

    def tear_down(self) -> None:
        for bird in (self.router, *self.neighbours.values()):
            bird.stop()
            run("ip", "netns", "del", bird.namespace.name, check=False)

    def common(self, name: str) -> str:
        return COMMON.format(folder=self.folder, name=name, graceful=self.graceful)

    def write_router(self, *, extra: str = "", exports: str | None = None, snippet: str | None = None) -> None:
        """Write bird.conf as an operator would: the snippet pasted, then the sessions."""
        sessions = "".join(
            session(name, version, ours=True, imports="none", exports=exports or f"where anycastle_export_{name}()")
            for name in ASNS
            for version in (4, 6)
        )
        pasted = snippet if snippet is not None else bird_snippet(OWN, self.pop, self.file)
        text = OPERATORS.format(common=self.common("pop"), snippet=pasted, sessions=sessions)
        self.router.config.write_text(text + extra)

    def write_neighbour(self, name: str) -> None:
        sessions = "".join(session(name, v, ours=False, imports="all", exports="none") for v in (4, 6))
        number = sorted(ASNS).index(name) + 2
        self.neighbours[name].config.write_text(f"router id 10.98.0.{number};{self.common(name)}{sessions}")

    # -- the contract's rig --

    def driver(self) -> RouterDriver:
        return DriverChoice(OWN, self.pop, self.run_dir).make()

    def received(self, upstream: str) -> dict[Prefix, Received]:
        text = self.neighbours[upstream].ask("show", "route", "all")
        return dict(_route(entry) for entry in re.split(r"\n(?=\S*[.:]\S*/\d+ )", text)[1:])

    def messages(self, upstream: str) -> int:
        text = self.neighbours[upstream].ask("show", "protocols", "all", f'"{upstream}_*"')
        return sum(int(count) for count in re.findall(r"Import (?:updates|withdraws): +(\d+)", text))

    def changes(self, upstream: str) -> int:
        text = self.neighbours[upstream].ask("show", "protocols", "all", f'"{upstream}_*"')
        return sum(int(count) for count in re.findall(r"Import (?:updates|withdraws): .* (\d+)$", text, re.MULTILINE))

    def withdrawals(self, upstream: str) -> int:
        text = self.neighbours[upstream].ask("show", "protocols", "all", f'"{upstream}_*"')
        return sum(int(count) for count in re.findall(r"Import withdraws: .* (\d+)$", text, re.MULTILINE))

    def stop_session(self, upstream: str) -> None:
        self.neighbours[upstream].ask("disable", f'"{upstream}_*"')

    def start_session(self, upstream: str) -> None:
        self.neighbours[upstream].ask("enable", f'"{upstream}_*"')

    def restart_router(self, between: Callable[[], None] = lambda: None) -> None:
        self.router.kill()
        between()
        self.router.start()


def _route(entry: str) -> tuple[Prefix, Received]:
    """Read one route of `show route all`, as a neighbour prints it."""
    fields = dict(re.findall(r"\tBGP\.(\w+): (.*)", entry))
    path = fields["as_path"].split()
    assert set(path) == {str(OWN)}
    found: set[Community] = set()
    for numbers in re.findall(r"\((\d+),(\d+)\)", fields.get("community", "")):
        found.add(StandardCommunity(*map(int, numbers)))
    for numbers in re.findall(r"\((\d+), (\d+), (\d+)\)", fields.get("large_community", "")):
        found.add(LargeCommunity(*map(int, numbers)))
    for kind, high, low in re.findall(r"\((\w+), (\w+), (\w+)\)", fields.get("ext_community", "")):
        octets = f"0x{int(high, 16):08x}{int(low, 16):08x}" if kind == "generic" else ""
        found.add(parse_community(octets or f"{kind.replace('ro', 'soo')}:{high}:{low}"))
    med = fields.get("med")
    return parse_prefix(entry.split(maxsplit=1)[0]), Received(
        len(path) - 1, None if med is None else int(med), frozenset(found)
    )


@pytest.fixture(scope="module", params=[False, True], ids=["plain", "graceful-restart"])
def lab(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BirdRig]:
    rig = BirdRig(tmp_path_factory.mktemp("bird"), request.param)
    try:
        rig.build()
        yield rig
    finally:
        rig.tear_down()


@pytest.fixture
def rig(lab: BirdRig) -> Iterator[BirdRig]:
    """The lab, set back to how an operator would have it."""
    yield lab
    lab.file.unlink(missing_ok=True)
    lab.write_router()
    if not lab.router.answers():
        lab.router.start()
    lab.router.ask("configure")
    lab.router.ask("enable", '"t*"')


class TestContract(DriverContract):
    """BIRD keeps the contract."""


@pytest.mark.mission("I1", "C2")
class TestOperator:
    """What people do to their router beside us."""

    def test_an_error_elsewhere_is_reported_with_its_place_and_tried_again(self, rig: BirdRig) -> None:
        async def body(driver: RouterDriver) -> None:
            await driver.apply(announcements(V4))
            expect_received(rig, "t1", {V4: Received()})
            rig.write_router(extra="protocol static mine { ipv4; rout 203.0.113.0/24 blackhole; }\n")
            with pytest.raises(WorldError, match=rf"{rig.router.config}:\d+:\d+ syntax error") as caught:
                await driver.apply(announcements(V6))
            assert caught.value.retryable
            assert await driver.exported() == announcements(V4)
            assert set(rig.received("t1")) == {V4}
            rig.write_router()
            await driver.apply(announcements(V6))
            expect_received(rig, "t1", {V6: Received()})

        converse(rig, body)

    def test_after_an_error_the_operators_own_configure_does_what_is_wanted(self, rig: BirdRig) -> None:
        async def body(driver: RouterDriver) -> None:
            await driver.apply(announcements(V4))
            expect_received(rig, "t1", {V4: Received()})
            rig.write_router(extra="nonsense\n")
            with pytest.raises(WorldError):
                await driver.apply(NOTHING)
            rig.write_router()
            rig.router.ask("configure")
            expect_received(rig, "t1", {})

        converse(rig, body)

    def test_an_edit_of_our_file_by_hand_is_never_overwritten(self, rig: BirdRig) -> None:
        async def body(driver: RouterDriver) -> None:
            await driver.apply(announcements(V4))
            edited = rig.file.read_text().replace("anycastle_t1_prepend = 0", "anycastle_t1_prepend = 3")
            rig.file.write_text(edited)
            for wanted in (NOTHING, announcements(V4), announcements(V6)):
                with pytest.raises(WorldError, match="edited by hand") as caught:
                    await driver.apply(wanted)
            assert "anycastle_t1_prepend = 3" in str(caught.value)
            assert rig.file.read_text() == edited
            with pytest.raises(WorldError, match="edited by hand"):
                await rig.driver().start()
            rig.file.unlink()
            await driver.apply(announcements(V6))
            expect_received(rig, "t1", {V6: Received()})

        converse(rig, body)

    def test_a_configure_by_hand_changes_nothing_of_ours(self, rig: BirdRig) -> None:
        async def body(driver: RouterDriver) -> None:
            await driver.apply(announcements(V4, V6))
            for upstream in ASNS:
                expect_received(rig, upstream, {V4: Received(), V6: Received()})
            before = rig.messages("t1")
            rig.write_router(extra="protocol static mine { ipv4; route 203.0.113.0/24 blackhole; }\n")
            rig.router.ask("configure")
            await driver.apply(announcements(V4, V6))
            assert await driver.exported() == announcements(V4, V6)
            assert rig.messages("t1") == before

        converse(rig, body)

    def test_a_session_disabled_by_hand_stays_so_and_is_told(self, rig: BirdRig) -> None:
        async def body(driver: RouterDriver) -> None:
            await driver.apply(announcements(V4, V6))
            rig.router.ask("disable", '"t1_*"')
            await driver.apply(announcements(V4))
            states = {(s.upstream, s.state) for s in await driver.sessions()}
            assert states == {("t1", SessionState.DOWN), ("t2", SessionState.ESTABLISHED)}
            assert await driver.exported() == announcements(V4, upstreams=("t2",))
            expect_received(rig, "t2", {V4: Received()})
            rig.router.ask("enable", '"t1_*"')
            await all_established(driver)
            expect_received(rig, "t1", {V4: Received()})

        converse(rig, body)

    def test_our_protocol_disabled_by_hand_is_seen_and_healed(self, rig: BirdRig) -> None:
        async def body(driver: RouterDriver) -> None:
            await driver.apply(announcements(V4, V6))
            expect_received(rig, "t1", {V4: Received(), V6: Received()})
            rig.router.ask("disable", "anycastle4")
            expect_received(rig, "t1", {V6: Received()})
            assert await driver.exported() == announcements(V6)
            await driver.apply(announcements(V4, V6))
            expect_received(rig, "t1", {V4: Received(), V6: Received()})
            assert await driver.exported() == announcements(V4, V6)

        converse(rig, body)

    def test_a_filter_that_holds_a_route_back_is_seen(self, rig: BirdRig) -> None:
        async def body(driver: RouterDriver) -> None:
            rig.write_router(exports="where net != 192.0.2.0/24 && anycastle_export_t1()")
            await driver.apply(announcements(V4, V6, upstreams=("t1",)))
            expect_received(rig, "t1", {V6: Received()})
            assert await driver.exported() >= announcements(V6, upstreams=("t1",))
            assert not {route for route in await driver.exported() if route.prefix == V4}

        converse(rig, body)

    def test_another_source_of_our_prefix_is_seen(self, rig: BirdRig) -> None:
        async def body(driver: RouterDriver) -> None:
            await driver.apply(announcements(V4))
            mine = "protocol static mine { ipv4 { preference 10; }; route 192.0.2.0/24 blackhole; }\n"
            rig.write_router(extra=mine, exports='where proto = "mine"')
            await driver.apply(NOTHING)
            expect_received(rig, "t1", {V4: Received()})
            assert await driver.exported() == announcements(V4)
            assert await driver.configured() == NOTHING

        converse(rig, body)

    def test_a_large_table_is_asked_prefix_by_prefix(self, rig: BirdRig, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("anycastle.io.routers.bird._WALK_ROUTES_MAX", -1)

        async def body(driver: RouterDriver) -> None:
            wanted = announcements(V4, V6, prepend=2)
            await driver.apply(wanted)
            assert await awaited(driver.exported, lambda found: found == wanted) == wanted
            again = rig.driver()  # knows the prefixes from the file alone
            await again.start()
            assert await again.configured() == await again.exported() == wanted
            await again.close()
            await driver.apply(NOTHING)
            assert await driver.exported() == await driver.configured() == NOTHING

        converse(rig, body)

    def test_a_missing_snippet_is_said(self, rig: BirdRig) -> None:
        async def main() -> None:
            driver = rig.driver()
            rig.write_router(snippet="", exports="none")
            rig.router.ask("configure")
            try:
                with pytest.raises(WorldError, match="no function anycastle_export_t1 for upstream t1"):
                    await driver.start()
                with pytest.raises(WorldError, match="does not include"):
                    await driver.apply(announcements(V4))
            finally:
                await driver.close()

        asyncio.run(main())

    def test_graceful_restart_is_told(self, rig: BirdRig) -> None:
        async def body(driver: RouterDriver) -> None:
            expected = rig.graceful.endswith("on")
            assert {session.graceful_restart for session in await driver.sessions()} == {expected}

        converse(rig, body)


@pytest.mark.mission("I1", "C2")
class TestRestart:
    """BIRD goes away and comes back."""

    def test_while_the_agent_lives_a_restart_brings_the_route_back_before_the_session(self, rig: BirdRig) -> None:
        async def body(driver: RouterDriver) -> None:
            await driver.apply(announcements(V4, V6))
            for upstream in ASNS:
                expect_received(rig, upstream, {V4: Received(), V6: Received()})
            await driver.exported()  # the sign of life
            withdrawals = rig.withdrawals("t1")
            rig.restart_router(lambda: remove_stale(rig))
            assert await driver.configured() == announcements(V4, V6)  # with nothing told to BIRD since
            await all_established(driver)
            for upstream in ASNS:
                expect_received(rig, upstream, {V4: Received(), V6: Received()})
            if rig.graceful.endswith("on"):  # the neighbours kept the routes all the time
                assert rig.withdrawals("t1") == withdrawals

        converse(rig, body)

    def test_without_an_agent_a_restart_does_not_bring_a_dead_service_back(self, rig: BirdRig) -> None:
        async def body(driver: RouterDriver) -> None:
            await driver.apply(announcements(V4, V6))
            expect_received(rig, "t1", {V4: Received(), V6: Received()})

        converse(rig, body)
        long_ago = time.time() - 60
        os.utime(rig.file, (long_ago, long_ago))  # the agent has been dead for a minute
        rig.restart_router(lambda: remove_stale(rig))

        async def look() -> None:
            driver = rig.driver()
            await driver.start()
            assert await driver.configured() == NOTHING
            await all_established(driver)
            assert await driver.exported() == NOTHING
            await driver.close()

        asyncio.run(look())
        for upstream in ASNS:
            expect_received(rig, upstream, {})

    def test_bird_starts_without_our_file(self, rig: BirdRig) -> None:
        rig.restart_router(lambda: rig.file.unlink(missing_ok=True))

        async def body(driver: RouterDriver) -> None:
            await driver.apply(announcements(V4))
            expect_received(rig, "t1", {V4: Received()})

        converse(rig, body)

    def test_a_router_that_is_away_is_a_retryable_error(self, rig: BirdRig) -> None:
        async def main() -> None:
            driver = rig.driver()
            for ask in (driver.start, driver.exported, driver.configured, driver.sessions):
                with pytest.raises(WorldError, match="BIRD does not answer") as caught:
                    await ask()
                assert caught.value.retryable
            await driver.close()

        rig.router.kill()
        try:
            asyncio.run(main())
        finally:
            rig.router.start()

    def test_a_frozen_router_is_a_retryable_error(self, rig: BirdRig, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("anycastle.io.routers.bird_socket._TIMEOUT_S", 0.2)
        process = rig.router._process
        assert process is not None

        async def main() -> None:
            driver = rig.driver()
            await driver.start()
            process.send_signal(signal.SIGSTOP)
            try:
                with pytest.raises(WorldError, match="no answer") as caught:
                    await driver.sessions()
                assert caught.value.retryable
            finally:
                process.send_signal(signal.SIGCONT)
            assert len(await awaited(driver.sessions, bool)) == 4
            await driver.close()

        asyncio.run(main())


def remove_stale(rig: BirdRig) -> None:
    subprocess.run(shlex.split(removal_of_stale(str(rig.file.parent), 10)), check=True)
