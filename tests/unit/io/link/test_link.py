"""The link over real sockets: who is let in, what breaks, and what does not."""

import asyncio
import ssl
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from anycastle.base.errors import MisuseError, WorldError
from anycastle.base.ports import Timestamp
from anycastle.io.clock import now
from anycastle.io.link.credentials import read_credentials
from anycastle.io.link.files import CredentialFiles
from anycastle.io.link.host import Elsewhere
from anycastle.io.pki.authority import create
from anycastle.model.identity import Role
from anycastle.model.permit import PermitReport, PermitState
from anycastle.session.link_agent import AgentFacts, State
from anycastle.wire.link.limits import EVENTS_WINDOW
from anycastle.wire.link.message import EventRow, Grant, Order, Revoke
from tests.unit.io.link.rig import HOST, Agent, Rig, run, until

DNS = PermitReport("dns", PermitState.HELD, 1, exported=True)


@pytest.mark.mission("I10")
def test_all_of_it_over_one_session(tmp_path: Path) -> None:
    async def body(rig: Rig) -> None:
        agent, client = await rig.joined()
        controller = rig.controller
        agent.reports = [DNS]
        agent.log = [EventRow(1.0, "alarm", msgspec.Raw(b'{"text":"%d"}' % number)) for number in range(700)]
        client.changed()
        await until(lambda: len(controller.stored.get("ams", [])) == 700)
        await until(lambda: controller.permits["ams"] == [DNS] and controller.sections["ams"] == agent.sections())
        assert rig.listener.command("ams", Grant("dns", 2))
        assert rig.listener.command("ams", Revoke("dns", 3))
        assert rig.listener.assign("ams", "good", b"octets")
        rig.listener.order("ams", Order("o1", "drain", ["dns"], "alice"))
        rig.listener.order("ams", Order("o2", "break", ["dns"], "alice"))
        await until(lambda: len(controller.answers) == 2 and len(controller.taken) >= 1)
        assert agent.commands == [("dns", 2), ("dns", -3)]
        assert controller.answers[0] == ("ams", "o1", None)
        assert "a bug of the agent" in (controller.answers[1][2] or "")
        await until(lambda: agent.skews)
        assert abs(agent.skews[-1].offset_s) <= agent.skews[-1].error_s + 0.01
        assert client.engine.state is State.JOINED, "an order that fails ends nothing"

    run(tmp_path, body)


class Starting(Agent):
    """It knows its router only after it was asked for its facts a few times."""

    asked = 0

    def facts(self) -> AgentFacts | None:
        self.asked += 1
        return super().facts() if self.asked > 3 else None


def test_an_agent_that_starts_joins_once_it_knows_its_router_and_raises_no_alarm(tmp_path: Path) -> None:
    async def body(rig: Rig) -> None:
        agent = Starting("ams")
        rig.dial(agent)
        await until(lambda: "ams" in rig.controller.joined)
        assert agent.asked > 3
        assert agent.troubles == []

    run(tmp_path, body)


class TestWhoIsLetIn:
    """An agent speaks for its PoP alone, and only while its certificate is good."""

    def refused(self, folder: Path, make: Callable[[Rig], CredentialFiles], words: str) -> None:
        async def body(rig: Rig) -> None:
            agent = Agent("ams")
            rig.dial(agent, make(rig))
            await until(lambda: agent.troubles)
            await asyncio.sleep(0)
            assert words in agent.troubles[0]
            assert not rig.controller.joined

        run(folder, body)

    @pytest.mark.mission("I10")
    def test_another_pops_certificate(self, tmp_path: Path) -> None:
        self.refused(tmp_path, lambda rig: rig.fleet.agent_files("fra"), "it does not speak for ams")

    def test_an_expired_one(self, tmp_path: Path) -> None:
        long_ago = Timestamp(now().wall - 100 * 86_400)
        self.refused(tmp_path, lambda rig: rig.fleet.agent_files("ams", at=long_ago), "certificate expired")

    def test_one_that_is_not_valid_yet(self, tmp_path: Path) -> None:
        soon = Timestamp(now().wall + 86_400)
        self.refused(tmp_path, lambda rig: rig.fleet.agent_files("ams", at=soon), "refuses our certificate")

    def test_a_revoked_one(self, tmp_path: Path) -> None:
        def make(rig: Rig) -> CredentialFiles:
            files = rig.fleet.agent_files("ams")
            rig.fleet.authority.revoke("pop/ams", "stolen", now().wall)
            rig.listener.reload(read_credentials(rig.fleet.controller_files(), Role.CONTROLLER))
            return files

        self.refused(tmp_path, make, "was revoked")

    def test_one_of_another_authority_or_self_signed(self, tmp_path: Path) -> None:
        def make(rig: Rig) -> CredentialFiles:
            other = create(tmp_path / "other", "edge", now().wall)
            certificate, key = other.issue(Role.POP, "ams", tmp_path / "other-agents", now().wall)
            return CredentialFiles(rig.fleet.folder / "pki" / "bundle.pem", certificate, key)

        self.refused(tmp_path, make, "refuses our certificate")

    def test_a_pop_of_another_fleet_under_the_same_authority(self, tmp_path: Path) -> None:
        def make(rig: Rig) -> CredentialFiles:
            rig.fleet.authority._index.fleet = "west"
            files = rig.fleet.agent_files("ams")
            rig.fleet.authority._index.fleet = "edge"
            return files

        self.refused(tmp_path, make, "is no controller of west")

    def test_a_controllers_own_certificate_is_no_agents(self, tmp_path: Path) -> None:
        def make(rig: Rig) -> CredentialFiles:
            files = rig.fleet.controller_files()
            return CredentialFiles(files.authorities, files.certificate, files.key)

        self.refused(tmp_path, make, "not of a pop")

    def test_no_certificate_and_old_tls(self, tmp_path: Path) -> None:
        async def body(rig: Rig) -> None:
            bundle = rig.fleet.folder / "pki" / "bundle.pem"
            for version in (ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_2):
                context = ssl.create_default_context(cafile=bundle)
                context.maximum_version = version
                with pytest.raises((ssl.SSLError, ConnectionError)):
                    await talk(rig.port, context)
            assert not rig.controller.joined

        run(tmp_path, body)

    def test_an_agent_does_not_take_another_agent_for_a_controller(self, tmp_path: Path) -> None:
        async def body(rig: Rig) -> None:
            rig.fleet.agent_files("fra")
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(rig.fleet.agent_files("fra").certificate, rig.fleet.agent_files("fra").key)
            server = await asyncio.start_server(lambda *_: None, HOST, 0, ssl=context)
            rig.port = server.sockets[0].getsockname()[1]
            agent = Agent("ams")
            rig.dial(agent)
            await until(lambda: agent.troubles)
            assert "certificate is refused" in agent.troubles[0]
            server.close()

        run(tmp_path, body)


class TestRotation:
    def test_a_revoked_session_ends_when_the_list_is_read_and_others_go_on(self, tmp_path: Path) -> None:
        async def body(rig: Rig) -> None:
            agent, _ = await rig.joined("ams")
            other, _ = await rig.joined("fra")
            rig.fleet.authority.revoke("pop/ams", "stolen", now().wall)
            assert rig.listener.reload(read_credentials(rig.fleet.controller_files(), Role.CONTROLLER)) == ["ams"]
            await until(lambda: agent.losses)
            assert rig.controller.left == [("ams", "the certificate was revoked")]
            assert not other.losses
            assert [each.pop for each in rig.listener.sessions] == ["fra"]

        run(tmp_path, body)

    def test_a_renewed_certificate_is_shown_at_the_next_dialling(self, tmp_path: Path) -> None:
        async def body(rig: Rig) -> None:
            agent, client = await rig.joined()
            before = client.credentials
            files = rig.fleet.agent_files("ams")
            rig.fleet.authority.renew(files.certificate, now().wall, days=20)
            assert not agent.losses
            rig.listener.dismiss_all(Elsewhere("rotate"))
            await until(lambda: len(rig.controller.joined) == 2)
            assert before is not None
            assert client.credentials is not None
            assert client.credentials.life != before.life

        run(tmp_path, body)

    def test_the_authority_is_changed_without_a_moment_of_distrust(self, tmp_path: Path) -> None:
        async def body(rig: Rig) -> None:
            agent, _ = await rig.joined()
            fleet = rig.fleet

            async def come_back() -> None:
                joins = len(rig.controller.joined)
                rig.listener.dismiss_all(Elsewhere("rotate"))
                await until(lambda: len(rig.controller.joined) > joins)

            fleet.authority.rotate(now().wall)
            rig.listener.reload(read_credentials(fleet.controller_files(), Role.CONTROLLER))
            await come_back()  # old certificates on both sides
            fleet.authority.renew(fleet.controller_files().certificate, now().wall)
            rig.listener.reload(read_credentials(fleet.controller_files(), Role.CONTROLLER))
            await come_back()  # a new controller's, an old agent's
            with pytest.raises(MisuseError, match="not renewed yet: anycastle://edge/pop/ams"):
                fleet.authority.retire(now().wall)
            fleet.authority.renew(fleet.agent_files("ams").certificate, now().wall)
            fleet.authority.retire(now().wall)
            rig.listener.reload(read_credentials(fleet.controller_files(), Role.CONTROLLER))
            await come_back()
            assert not agent.troubles

        run(tmp_path, body)

    def test_a_list_that_is_out_of_date_is_told_and_used(self, tmp_path: Path) -> None:
        async def body(rig: Rig) -> None:
            rig.fleet.agent_files("fra")
            rig.fleet.authority.revoke("pop/fra", "stolen", now().wall)
            rig.fleet.authority.write_crl(Timestamp(now().wall - 40 * 86_400))
            credentials = read_credentials(rig.fleet.controller_files(), Role.CONTROLLER)
            rig.listener.reload(credentials)
            assert any("out of date" in problem for problem in credentials.problems(now().wall))
            await rig.joined("ams")
            agent = Agent("fra")
            rig.dial(agent)
            await until(lambda: agent.troubles)
            assert "was revoked" in agent.troubles[0]

        run(tmp_path, body)

    def test_a_list_that_another_signed_is_refused(self, tmp_path: Path) -> None:
        async def body(rig: Rig) -> None:
            other = create(tmp_path / "other", "edge", now().wall)
            files = rig.fleet.controller_files()
            assert files.revoked is not None
            files.revoked.write_bytes((other.folder / "crl.pem").read_bytes()[:-60] + b"xx")
            with pytest.raises(WorldError, match=r"crl\.pem"):
                read_credentials(files, Role.CONTROLLER)

        run(tmp_path, body)


class TestWhatBreaks:
    def test_a_controller_that_is_killed_is_found_again_and_told_what_it_missed(self, tmp_path: Path) -> None:
        async def body(rig: Rig) -> None:
            agent, _ = await rig.joined()
            for connection in tuple(rig.listener._connections):
                connection.channel.stream.abort()
            rig.listener._server.close()  # type: ignore[union-attr]
            agent.log = [EventRow(1.0, "alarm", msgspec.Raw(b"{}"))] * 10
            await until(lambda: agent.losses)
            rig.controller.term = 2
            await rig.listen()
            await until(lambda: len(rig.controller.stored.get("ams", [])) == 10)
            assert agent.term == 2

        run(tmp_path, body)

    def test_a_fault_of_the_controller_in_one_session_ends_that_one(self, tmp_path: Path) -> None:
        async def body(rig: Rig) -> None:
            agent, client = await rig.joined("ams")
            other, _ = await rig.joined("fra")
            rig.controller.fails = True
            agent.reports = [DNS]
            client.changed()
            await until(lambda: agent.losses)
            assert "the controller failed" in agent.losses[0]
            assert rig.complaints
            assert "a bug of the controller" in rig.complaints[0]
            assert not other.losses

        run(tmp_path, body)

    @pytest.mark.mission("I1")
    def test_a_fault_of_the_agents_link_ends_no_more_than_the_session(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("anycastle.io.link.client.BROKEN_S", 0.05)

        async def body(rig: Rig) -> None:
            agent, client = await rig.joined()
            agent.breaks = True
            client.changed()
            await until(lambda: agent.losses)
            assert "a bug of the agent" in agent.losses[0]
            agent.breaks = False
            await until(lambda: len(rig.controller.joined) >= 2)

        run(tmp_path, body)

    def test_a_slow_store_leaves_no_more_than_the_window_in_memory(self, tmp_path: Path) -> None:
        async def body(rig: Rig) -> None:
            agent, _ = await rig.joined()
            rig.controller.gate = asyncio.Event()
            agent.log = [EventRow(1.0, "alarm", msgspec.Raw(b"{}"))] * 3000
            await until(lambda: rig.listener._pops["ams"].session._events_told == EVENTS_WINDOW)  # type: ignore[union-attr]
            await asyncio.sleep(0.7)  # longer than the log is left alone: nothing more is read
            assert rig.listener._pops["ams"].session._events_told == EVENTS_WINDOW  # type: ignore[union-attr]
            rig.controller.gate.set()
            await until(lambda: len(rig.controller.stored.get("ams", [])) == 3000)

        run(tmp_path, body)

    def test_strangers_that_fail_again_and_again_are_closed_unheard(self, tmp_path: Path) -> None:
        async def body(rig: Rig) -> None:
            for _ in range(rig.listener.admission.limits.failures_max + 5):  # a few are forgiven meanwhile
                reader, writer = await asyncio.open_connection(HOST, rig.port)
                writer.write(b"GET / HTTP/1.1\r\n\r\n")
                await reader.read()
                writer.close()
            assert 1 <= rig.listener.admission.refused <= 5

        run(tmp_path, body)

    def test_one_that_says_nothing_is_not_waited_for(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("anycastle.io.link.channel.OPENING_S", 0.1)

        async def body(rig: Rig) -> None:
            reader, writer = await asyncio.open_connection(HOST, rig.port)
            assert await reader.read() == b""
            assert rig.listener.admission.running == 0
            writer.close()

        run(tmp_path, body)


async def talk(port: int, context: ssl.SSLContext) -> None:
    """Connect and read; in TLS 1.3 a client hears only then that it is refused."""
    reader, writer = await asyncio.open_connection(HOST, port, ssl=context)
    try:
        if not await reader.read():
            raise ConnectionError
    finally:
        writer.transport.abort()
