"""The speaker against other people's daemons, judged by what each daemon shows of its own RIB."""

import asyncio
import shutil
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path

import pytest

from anycastle.io.speaker.config import NeighbourConfig, SpeakerConfig
from anycastle.io.speaker.event import SessionDown, SpeakerEvent
from anycastle.io.speaker.speaker import Speaker
from anycastle.model.asn import ASN
from anycastle.model.prefix import Family
from anycastle.session.command import Cause
from anycastle.session.config import SessionConfig
from anycastle.wire.bgp.capability import RoleValue
from tests.lab.daemons.bird import Bird
from tests.lab.daemons.daemon import ORIGINATED, OUR_V4, OUR_V6, THEIR_V4, THEIR_V6, Daemon, Seen, Setting
from tests.lab.daemons.exabgp import PROGRAM, ExaBGP
from tests.lab.daemons.frr import Frr
from tests.lab.daemons.gobgp import GoBGP
from tests.lab.daemons.openbgpd import OpenBGPD
from tests.lab.namespaces import Namespace, end, joined, needs_root
from tests.unit.io.speaker.pair import announce, established, heard

pytestmark = [pytest.mark.lab, needs_root, pytest.mark.mission("I1")]

DAEMONS = {
    "bird": (Bird, "bird"),
    "frr": (Frr, "/usr/lib/frr/bgpd"),
    "gobgp": (GoBGP, "gobgpd"),
    "openbgpd": (OpenBGPD, "bgpctl"),
    "exabgp": (ExaBGP, str(PROGRAM)),
}
GUARDS = {
    "plain": Setting(),
    "md5": Setting(password="correct-horse"),
    "gtsm": Setting(gtsm=True),
}
COMMUNITIES = ("64501:100", "64501:200:300", "rt:64501:400")
DEADLINE_S = 45.0


def speaker(setting: Setting, events: list[SpeakerEvent], **session: object) -> Speaker:
    """Ours: a session over each family, both to the upstream `peer`."""
    neighbours = []
    for family, local, address in ((Family.IPV4, OUR_V4, THEIR_V4), (Family.IPV6, OUR_V6, THEIR_V6)):
        config = SessionConfig(
            local_asn=ASN(64500),
            peer_asn=ASN(64501),
            identifier=ip_address("10.99.0.1"),
            peer=address,
            families=(family,),
            connect_retry_s=2.0,
        )
        neighbours.append(
            NeighbourConfig(
                "peer",
                ip_address(address),
                replace(config, **session),
                local_address=ip_address(local),
                password=setting.password.encode() if setting.password else None,
                ttl_security_hops=1 if setting.gtsm else None,
            )
        )
    listen = ((ip_address(OUR_V4), 179), (ip_address(OUR_V6), 179))
    return Speaker(SpeakerConfig(tuple(neighbours), listen, keep_received=True), events.append)


async def until(condition, what, daemon: Daemon | None = None) -> None:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + DEADLINE_S
    while not condition():
        shown = daemon.routes() if daemon is not None else ""
        assert loop.time() < deadline, f"not within {DEADLINE_S} s: {str(what)[-2000:]} {shown}"
        await asyncio.sleep(0.05)


@pytest.fixture
def pair(request: pytest.FixtureRequest) -> Iterator[tuple[Namespace, Namespace]]:
    worker = getattr(request.config, "workerinput", {}).get("workerid", "m")
    with joined(f"io-{worker}") as namespaces:
        yield namespaces


def daemon_of(name: str) -> Daemon:
    kind, program = DAEMONS[name]
    if shutil.which(program) is None and not Path(program).exists():
        pytest.skip(f"{program} is not installed")
    return kind()


@pytest.mark.rfc("4271", "8.2.2", "9.2")
@pytest.mark.rfc("2385", "2")
@pytest.mark.rfc("5082", "3")
@pytest.mark.mission("C1", "C2")
@pytest.mark.parametrize("guard", GUARDS)
@pytest.mark.parametrize("name", DAEMONS)
def test_announce_change_withdraw(name: str, guard: str, pair: tuple[Namespace, Namespace], tmp_path: Path) -> None:
    daemon, setting = daemon_of(name), GUARDS[guard]
    process = daemon.start(pair[1], tmp_path, setting)
    both = ("192.0.2.0/24", "2001:db8::/48")

    async def body() -> None:
        events: list[SpeakerEvent] = []
        ours = speaker(setting, events)
        await ours.start()
        await until(lambda: established(ours), events)
        ours.set_routes(announce(*both, communities=COMMUNITIES, med=50))
        expected = Seen((64500,), 50, frozenset(COMMUNITIES))
        await until(lambda: daemon.routes() == dict.fromkeys(both, expected), "announced", daemon)
        ours.set_routes(announce(*both, communities=COMMUNITIES[:1], prepend=2))
        changed = Seen((64500, 64500, 64500), None, frozenset(COMMUNITIES[:1]))
        await until(lambda: daemon.routes() == dict.fromkeys(both, changed), "changed", daemon)
        await until(lambda: set(heard(ours)) >= set(ORIGINATED), "received", daemon)
        assert {str(heard(ours)[prefix].attributes.as_path) for prefix in ORIGINATED} == {"64501"}
        ours.set_routes(announce(both[0]))
        await until(lambda: set(daemon.routes()) == {both[0]}, "one withdrawn", daemon)
        await ours.stop("test over")
        await until(lambda: daemon.routes() == {}, "withdrawn", daemon)

    try:
        pair[0].call(lambda: asyncio.run(body()))
    finally:
        end(process)


@pytest.mark.rfc("9234", "4.1", "4.2", "5")
@pytest.mark.parametrize("name", ["bird", "frr", "openbgpd"])
def test_roles(name: str, pair: tuple[Namespace, Namespace], tmp_path: Path) -> None:
    """Between peers our route carries OTC and so does theirs; a role that does not fit is named."""
    prefix = "192.0.2.0/24"
    daemon, setting = daemon_of(name), Setting(role="peer")
    process = daemon.start(pair[1], tmp_path, setting)

    async def body() -> None:
        events: list[SpeakerEvent] = []
        ours = speaker(setting, events, role=RoleValue.PEER, role_strict=True)
        await ours.start()
        await until(lambda: established(ours), events)
        ours.set_routes(announce(prefix))
        await until(lambda: daemon.routes() == {prefix: Seen((64500,), only_to_customer=64500)}, "marked", daemon)
        await until(lambda: ORIGINATED[0] in heard(ours), "received", daemon)
        assert heard(ours)[ORIGINATED[0]].attributes.only_to_customer == 64501
        await ours.stop("test over")
        await _named(setting, {"role": RoleValue.CUSTOMER}, Cause.ROLE_MISMATCH, "role is")

    try:
        pair[0].call(lambda: asyncio.run(body()))
    finally:
        end(process)


@pytest.mark.parametrize("name", DAEMONS)
def test_mismatches_are_named(name: str, pair: tuple[Namespace, Namespace], tmp_path: Path) -> None:
    """Each mismatch in turn, against a daemon set up right otherwise."""
    cases = {
        "asn": (Setting(own_asn=64502), {}, Cause.ASN_MISMATCH, "AS64502, we expect AS64501"),
        "password": (Setting(password="theirs"), {}, Cause.NO_ANSWER, "TCP-MD5 password that differs"),
        "hold": (Setting(hold_time_s=5), {"hold_time_min_s": 20}, Cause.HOLD_TIME_MISMATCH, "hold time of 5 s"),
    }
    for case, (setting, session, cause, text) in cases.items():
        folder = tmp_path / case
        folder.mkdir()
        daemon = daemon_of(name)
        process = daemon.start(pair[1], folder, setting)

        try:
            pair[0].call(lambda: asyncio.run(_named(setting, session, cause, text)))  # noqa: B023 (called at once)
        finally:
            end(process)


async def _named(setting: Setting, session: dict[str, object], cause: Cause, text: str) -> None:
    """Speak with a daemon that is set up otherwise, until we say what is wrong."""
    events: list[SpeakerEvent] = []
    ours = speaker(replace(setting, password="ours" if setting.password else None), events, **session)
    await ours.start()

    def named() -> bool:
        downs = [event for event in events if isinstance(event, SessionDown)]
        return any(event.cause is cause and text in event.reason for event in downs)

    await until(named, events)
    await ours.stop("test over")
