"""Mail against a real SMTP server with TLS and passwords; syslog against a real rsyslogd."""

import email
import email.policy
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope

from anycastle.io.notifiers.port import DeliveryError
from anycastle.model.notify import Mail, Syslog
from anycastle.response.signal import Urgency
from tests.cli.test_events_send import RSYSLOGD, collector, until_lines
from tests.ports import free_port
from tests.unit.io.notifiers.world import LONG, OVER, PAGE, send

__all__ = ["collector"]


class Box:
    """Keeps mails; refuses some recipients, and all data where it is asked to."""

    def __init__(self) -> None:
        self.mails: list[tuple[Envelope, EmailMessage]] = []
        self.answer = "250 OK"

    async def handle_RCPT(self, _s: Any, _session: Any, envelope: Envelope, address: str, _o: Any) -> str:  # noqa: N802
        if address.startswith("nobody"):
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _s: Any, _session: Any, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.content
        assert isinstance(content, bytes)
        parsed = email.message_from_bytes(content, policy=email.policy.default)
        assert isinstance(parsed, EmailMessage)
        self.mails.append((envelope, parsed))
        return self.answer


def certificate(folder: Path) -> tuple[Path, Path]:
    """Make a certificate of its own for localhost."""
    key, cert = folder / "key.pem", folder / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
         "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(cert)],
        check=True, capture_output=True,
    )  # fmt: skip
    return cert, key


@contextmanager
def mailing(box: Box, folder: Path | None = None) -> Iterator[int]:
    """Run a server; with a folder, one that asks for TLS and a password."""
    settings: dict[str, Any] = {}
    if folder is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate(folder))

        def check(_s: Any, _session: Any, _e: Any, _mechanism: Any, data: Any) -> AuthResult:
            right = (data.login, data.password) == (b"ops", b"xyzzy-word")
            return AuthResult(success=right, handled=False)

        settings = {
            "tls_context": context, "require_starttls": True, "auth_required": True, "authenticator": check,
        }  # fmt: skip
    controller = Controller(box, hostname="127.0.0.1", port=free_port(), **settings)
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


def plain(port: int, *to: str) -> Mail:
    return Mail("127.0.0.1", "anycast@example.net", to or ("ada@example.net",), port, "none")


@pytest.mark.mission("C15")
@pytest.mark.rfc("5322", "3.6.4")
def test_mails_of_an_incident_are_one_thread_and_what_is_sent_twice_has_one_id() -> None:
    box = Box()
    with mailing(box) as port:
        send(plain(port, "ada@example.net", "bob@example.net"), PAGE, PAGE, OVER, LONG)
    envelope, first = box.mails[0]
    assert envelope.rcpt_tos == ["ada@example.net", "bob@example.net"]
    assert first["Subject"] == "[net #3 page] fra is gone <@here> & silent"
    assert first["Auto-Submitted"] == "auto-generated"
    assert "services: dns, web" in first.get_content()
    assert "anycastle incidents ack 3" in first.get_content()
    ids = [mail["Message-ID"] for _, mail in box.mails]
    assert (ids[0] == ids[1], len(set(ids[1:3]))) == (True, 2)
    assert len({mail["References"] for _, mail in box.mails}) == 1
    assert (first["Importance"], box.mails[2][1]["Importance"]) == ("high", None)


@pytest.mark.mission("C15")
def test_a_server_that_asks_for_tls_and_a_password_gets_both(tmp_path: Path) -> None:
    box = Box()
    (tmp_path / "word").write_text("xyzzy-word\n")
    with mailing(box, tmp_path) as port:
        target = Mail(
            "localhost", "a@example.net", ("ada@example.net",), port, "starttls", "ops", str(tmp_path / "word"),
            str(tmp_path / "cert.pem"),
        )  # fmt: skip
        send(target, PAGE)
        assert len(box.mails) == 1
        with pytest.raises(DeliveryError, match="self-signed certificate"):
            send(replace(target, ca_file=None), PAGE)
        (tmp_path / "word").write_text("wrong-word\n")
        with pytest.raises(DeliveryError, match="does not let ops in: status 535") as caught:
            send(target, PAGE)
        assert caught.value.retryable
        assert "wrong-word" not in str(caught.value)
    assert len(box.mails) == 1


def test_what_the_server_refuses_is_told_apart() -> None:
    box = Box()
    with mailing(box) as port:
        with pytest.raises(DeliveryError, match=r"no mail for nobody@example\.net: 550") as caught:
            send(plain(port, "nobody@example.net"), PAGE)
        assert not caught.value.retryable
        with pytest.raises(DeliveryError, match=r"no mail for nobody@example\.net; others have it") as caught:
            send(plain(port, "nobody@example.net", "ada@example.net"), PAGE)
        assert not caught.value.retryable
        box.answer = "554 spam"
        with pytest.raises(DeliveryError, match="status 554: spam") as caught:
            send(plain(port), PAGE)
        assert not caught.value.retryable
        box.answer = "451 later"
        with pytest.raises(DeliveryError, match="status 451: later") as caught:
            send(plain(port), PAGE)
        assert caught.value.retryable
    with pytest.raises(DeliveryError, match="Connection refused") as caught:
        send(plain(port), PAGE)
    assert caught.value.retryable


@pytest.mark.skipif(RSYSLOGD is None, reason="needs the Debian package rsyslog")
@pytest.mark.mission("C15")
@pytest.mark.rfc("5424", "6")
def test_a_real_collector_gets_notices_by_their_urgency(collector: tuple[int, Path]) -> None:
    port, received = collector
    target = Syslog(f"tcp://127.0.0.1:{port}")
    deadline = time.monotonic() + 30
    while not listens(port):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    send(target, PAGE)
    send(target, replace(PAGE, urgency=Urgency.TICKET), OVER)
    words = sorted((line.split(" ", 5) for line in until_lines(received, 3)), key=lambda each: each[0])
    assert [each[0] for each in words] == ["local0.crit", "local0.notice", "local0.warning"]
    assert [each[4] for each in words] == ["notice_page", "notice_cleared", "notice_page"]
    assert words[0][2:4] == ["net", "anycastle"]
    assert '"incident":3' in words[0][5]


def listens(port: int) -> bool:
    with suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port), 5):
        return True
    return False
