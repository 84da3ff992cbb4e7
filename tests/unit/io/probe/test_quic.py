"""HTTP/3 and DNS over QUIC against servers on loopback; the name server behind the second is a real one."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from anycastle.probe.kinds.dns import DNSAsk, DNSSeen
from anycastle.probe.kinds.http import HTTPAsk, HTTPSeen
from anycastle.probe.result import FailureKind
from anycastle.probe.site import parse_site_rule
from tests.unit.io.probe.conftest import Authority, awaited, certificate_of, free_ports
from tests.unit.io.probe.quic_servers import HTTP3, dns_over_quic, forwarding, serving
from tests.unit.io.probe.test_kinds import failure, phases, probe


@pytest.fixture(scope="module")
def certificate(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificate_of(authority, tmp_path_factory.mktemp("quic"))


@pytest.fixture
def h3(certificate: Path) -> Iterator[int]:
    with serving(HTTP3, "h3", certificate) as port:
        yield port


def page(authority: Authority, path: str = "/page", **more) -> HTTPAsk:
    return HTTPAsk(path=path, version="3", host="www.example", ca_file=str(authority.file), **more)


@pytest.mark.mission("I3")
@pytest.mark.rfc("9114", "4.1")
def test_a_page_over_http3(h3: int, authority: Authority) -> None:
    ask = page(authority, site_header="X-Served-By", body_contains="hello")
    result = probe(ask, h3, site=parse_site_rule("(fra)"))
    assert result.failure is None, result
    assert isinstance(result.seen, HTTPSeen)
    seen = result.seen
    assert (seen.version, seen.status, seen.contains, seen.tls_version) == ("3", 200, True, "TLSv1.3")
    assert (seen.body_octets, seen.site, result.pop) == (15, "fra1-edge", "fra")
    assert phases(result) == ["handshake", "first_byte", "body"]
    assert result.local_port
    early = probe(page(authority, "/early", body_contains="hello"), h3)
    assert early.failure is None, early
    head = probe(page(authority, method="HEAD"), h3)
    assert (head.failure, head.seen.body_octets) == (None, 0)


def test_a_large_body_is_counted_whole_and_kept_in_part(h3: int, authority: Authority) -> None:
    result = probe(page(authority, "/large", body_contains="y"), h3, timeout_s=30)
    assert failure(result) == (FailureKind.CONTENT, "body")
    assert result.seen.body_octets == 3_000_000
    missing = probe(page(authority, "/missing"), h3)
    assert missing.failure.words == "status 404, expected 200"


@pytest.mark.parametrize(
    ("path", "kind", "words"),
    [
        ("/reset", FailureKind.PROTOCOL, "the stream was reset with error 258"),
        ("/end", FailureKind.PROTOCOL, "the connection was ended with error 258: enough"),
        ("/silent", FailureKind.TIMEOUT, "no answer from 127.0.0.1:"),
    ],
)
def test_a_server_that_refuses(h3: int, authority: Authority, path: str, kind: FailureKind, words: str) -> None:
    result = probe(page(authority, path), h3, timeout_s=1.0)
    assert failure(result) == (kind, "first_byte")
    assert result.failure.words.startswith(words)


def test_a_stream_without_a_response_is_none(h3: int, authority: Authority) -> None:
    assert failure(probe(page(authority, "/cut"), h3, timeout_s=1.0))[0] in (FailureKind.PROTOCOL, FailureKind.TIMEOUT)


@pytest.mark.rfc("9001", "4.8")
def test_a_certificate_that_does_not_verify_ends_the_handshake(h3: int, authority: Authority, tmp_path: Path) -> None:
    for ask in (
        HTTPAsk(version="3", host="www.example"),
        HTTPAsk(version="3", host="other.example", ca_file=str(authority.file)),
    ):
        result = probe(ask, h3)
        assert failure(result) == (FailureKind.TLS, "handshake")
        assert "the TLS handshake failed with alert 42" in result.failure.words
    trusting = probe(HTTPAsk(version="3", host="other.example", path="/page", verify=False), h3)
    assert trusting.failure is None, trusting
    gone = probe(HTTPAsk(version="3", host="www.example", ca_file=str(tmp_path / "nothing")), h3)
    assert failure(gone)[0] is FailureKind.OURS


def test_where_nobody_speaks_quic(closed_port: int, h3: int, authority: Authority) -> None:
    assert failure(probe(page(authority), closed_port)) == (FailureKind.REFUSED, "handshake")
    assert failure(probe(HTTPAsk(tls=False, version="3"), closed_port))[0] is FailureKind.OURS
    other = probe(DNSAsk(transport="quic", server_name="www.example", ca_file=str(authority.file)), h3)
    assert failure(other) == (FailureKind.TLS, "handshake")  # alert 120, no_application_protocol (RFC 7301 §3.2)
    fixed = {probe(page(authority), h3, source_port=closed_port).local_port for _ in range(2)}
    assert fixed == {closed_port}


@pytest.mark.mission("I3")
@pytest.mark.rfc("9250", "4.2")
def test_nsd_answers_over_quic(nsd: int, certificate: Path, authority: Authority) -> None:
    ask = DNSAsk(
        "ns.example", "A", "quic", identity="id.server", answer="192.0.2.53", authoritative=True,
        server_name="www.example", ca_file=str(authority.file),
    )  # fmt: skip
    with serving(dns_over_quic(forwarding(nsd)), "doq", certificate) as port:
        result = probe(ask, port, site=parse_site_rule("(pop1)", frozenset({"pop1"})))
    assert result.failure is None, result
    assert isinstance(result.seen, DNSSeen)
    assert (result.seen.nsid, result.seen.identity, result.pop) == ("pop1", "pop1", "pop1")
    assert phases(result) == ["handshake", "answer", "identity"]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda framed: framed[:1], "the stream was ended before the whole answer came"),
        (lambda framed: framed[:-1], "the stream was ended before the whole answer came"),
        (lambda framed: framed, "the answer is not to our question"),
        (lambda framed: b"\0" * 70_000, "an answer of more than 65537 octets"),
    ],
)
def test_a_server_that_answers_something_else(certificate: Path, authority: Authority, answer, words: str) -> None:
    ask = DNSAsk("example", transport="quic", server_name="www.example", ca_file=str(authority.file))
    with serving(dns_over_quic(answer), "doq", certificate) as port:
        result = probe(ask, port)
    assert failure(result) == (FailureKind.PROTOCOL, "answer")
    assert result.failure.words == words


@pytest.fixture(scope="module")
def caddy(certificate: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Caddy, whose QUIC is quic-go: an implementation that shares nothing with ours."""
    program = shutil.which("caddy")
    if program is None:
        pytest.skip("caddy is not installed (Debian package caddy)")
    folder = tmp_path_factory.mktemp("caddy")
    (folder / "page").write_text("hello from fra\n")
    (folder / "large").write_bytes(b"x" * 3_000_000)
    (port,) = free_ports(1)
    (folder / "Caddyfile").write_text(
        f"{{\n admin off\n auto_https off\n}}\nhttps://www.example:{port} {{\n bind 127.0.0.1\n"
        f" tls {certificate} {certificate}\n root * {folder}\n header X-Served-By fra1-edge\n file_server\n}}\n"
    )
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [program, "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"],
            stdout=output, stderr=output, env={**os.environ, "HOME": str(folder), "XDG_DATA_HOME": str(folder)},
        )  # fmt: skip
    with awaited(process, log, port):
        yield port


@pytest.mark.mission("I3")
@pytest.mark.rfc("9114", "4.1")
def test_caddy_answers_over_http3(caddy: int, authority: Authority) -> None:
    ask = page(authority, site_header="x-served-by", body_contains="hello")
    result = probe(ask, caddy, site=parse_site_rule("(fra)"))
    assert result.failure is None, result
    assert isinstance(result.seen, HTTPSeen)
    assert (result.seen.status, result.seen.body_octets, result.pop) == (200, 15, "fra")
    assert phases(result) == ["handshake", "first_byte", "body"]
    large = probe(page(authority, "/large"), caddy, timeout_s=30)
    assert (large.failure, large.seen.body_octets) == (None, 3_000_000)
    assert probe(page(authority, "/missing"), caddy).failure.words == "status 404, expected 200"
    other = probe(DNSAsk(transport="quic", server_name="www.example", ca_file=str(authority.file)), caddy)
    assert failure(other) == (FailureKind.TLS, "handshake")
