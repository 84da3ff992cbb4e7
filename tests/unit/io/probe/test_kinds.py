"""Each kind against a real server: what it sees, and how it fails."""

import asyncio
import socket
import threading
from dataclasses import replace

import pytest

from anycastle.io.probe.attempt import attempt
from anycastle.model.vantage_point import VantagePoint
from anycastle.probe.kinds.dns import DNSAsk, DNSSeen
from anycastle.probe.kinds.http import HTTPAsk, HTTPSeen
from anycastle.probe.kinds.icmp import ICMPAsk, ICMPSeen
from anycastle.probe.kinds.large_body import LargeBodyAsk, LargeBodySeen
from anycastle.probe.kinds.mtu import MTUAsk, MTUSeen
from anycastle.probe.kinds.session import End, SessionAsk, SessionSeen
from anycastle.probe.kinds.tcp import TCPAsk, TCPSeen
from anycastle.probe.kinds.tls import TLSAsk, TLSSeen
from anycastle.probe.kinds.udp import UDPAsk, UDPSeen
from anycastle.probe.result import FailureKind, ProbeResult
from anycastle.probe.site import parse_site_rule
from anycastle.probe.target import Ask, ProbeTarget
from tests.unit.io.checks.test_icmp import needs_ping

HERE = VantagePoint("here")


def probe(ask: Ask, port: int = 0, host: str = "127.0.0.1", timeout_s: float = 5.0, **settings) -> ProbeResult:
    return asyncio.run(attempt(ProbeTarget("t", host, port, ask, timeout_s=timeout_s, **settings), HERE))


def phases(result: ProbeResult) -> list[str]:
    assert all(phase.duration_ms >= 0 for phase in result.phases)
    return [phase.name for phase in result.phases]


def failure(result: ProbeResult) -> tuple[FailureKind, str]:
    assert result.failure is not None, result
    return result.failure.kind, result.failure.phase


# -- DNS ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
@pytest.mark.mission("M1")
@pytest.mark.rfc("5001", "2.1")
def test_nsd_tells_its_name_by_nsid_and_by_chaos(nsd: int, transport: str, host: str) -> None:
    ask = DNSAsk("ns.example", "A", transport, identity="id.server", answer="192.0.2.53", authoritative=True)
    result = probe(ask, nsd, host, site=parse_site_rule("(pop1)", frozenset({"pop1"})))
    assert result.failure is None, result
    assert isinstance(result.seen, DNSSeen)
    assert (result.seen.nsid, result.seen.identity, result.pop, result.server) == ("pop1", "pop1", "pop1", "pop1")
    assert result.seen.answers == ("192.0.2.53",)
    assert phases(result) == ["connect", "answer", "identity"][transport == "udp" :]
    assert result.local_port


@pytest.mark.parametrize("transport", ["tls", "https"])
@pytest.mark.rfc("7858", "3.1")
@pytest.mark.rfc("8484", "4.1")
def test_unbound_answers_over_tls_and_https(unbound, transport: str) -> None:
    ask = DNSAsk(
        "www.example", "A", transport, identity="hostname.bind", answer="192.0.2.80",
        server_name="www.example", ca_file=unbound.ca_file,
    )  # fmt: skip
    result = probe(ask, unbound.tls if transport == "tls" else unbound.https, site=parse_site_rule("(ams)"))
    assert result.failure is None, result
    assert isinstance(result.seen, DNSSeen)
    assert result.seen.identity == "ams2.example"
    assert result.pop == "ams"
    assert phases(result) == ["connect", "tls", "answer", "identity"]


def test_a_certificate_that_does_not_verify_is_a_failure_of_tls(unbound) -> None:
    ask = DNSAsk("www.example", "A", "https", server_name="www.example")
    assert failure(probe(ask, unbound.https)) == (FailureKind.TLS, "tls")


def test_https_at_a_path_without_dns_fails(nginx) -> None:
    ask = DNSAsk("www.example", "A", "https", server_name="www.example", ca_file=nginx.ca_file, path="/missing")
    result = probe(ask, nginx.h2)
    assert failure(result) == (FailureKind.PROTOCOL, "answer")
    assert "status 404" in result.failure.words or "status 405" in result.failure.words


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (DNSAsk("missing.example"), "rcode NXDOMAIN, expected NOERROR"),
        (DNSAsk("ns.example", "A", answer="192.0.2.54"), "answer 192.0.2.53, expected 192.0.2.54"),
        (DNSAsk("ns.example", "MX", answer="x"), "answer empty, expected x"),
        (DNSAsk("big.example", "TXT", answer="x"), "the answer is truncated (TC); ask over tcp"),
        (DNSAsk("example", "NS", answer="ns.example."), "answer TYPE2 5 octets, expected ns.example."),
    ],
)
def test_an_answer_that_is_not_the_expected_one_is_wrong_content(nsd: int, ask: DNSAsk, words: str) -> None:
    result = probe(ask, nsd)
    assert (result.failure.kind, result.failure.words) == (FailureKind.CONTENT, words)
    assert result.seen is not None  # what was seen stands all the same
    assert phases(result) == ["answer"]


@pytest.mark.parametrize(
    ("pattern", "authorised", "words"),
    [
        ("(pop[0-9])", {"pop2"}, "pop1 answered (pop1), which is not authorised"),
        ("^site-(.*)", {"pop1"}, "the server calls itself 'pop1', in which no PoP is found"),
    ],
)
@pytest.mark.mission("M3")
def test_an_answer_of_another_site_does_not_count(nsd: int, pattern: str, authorised: set[str], words: str) -> None:
    result = probe(DNSAsk("example"), nsd, site=parse_site_rule(pattern, frozenset(authorised)))
    assert (result.failure.kind, result.failure.words) == (FailureKind.SITE, words)


def test_a_name_that_cannot_be_asked_is_ours(nsd: int) -> None:
    assert failure(probe(DNSAsk("a..b"), nsd))[0] is FailureKind.OURS
    assert not probe(DNSAsk("x" * 64), nsd).counts


def test_one_source_port_asks_every_time_and_the_kernel_draws_others(nsd: int, closed_port: int) -> None:
    fixed = {probe(DNSAsk("example"), nsd, source_port=closed_port).local_port for _ in range(3)}
    assert fixed == {closed_port}
    varied = {probe(DNSAsk("example"), nsd).local_port for _ in range(12)}
    assert len(varied) > 3


@pytest.mark.rfc("5452", "4.2")
def test_an_answer_to_another_question_is_passed_over() -> None:
    """A forger who saw neither ID nor question; then the server itself."""

    def answer(query: bytes) -> list[bytes]:
        reply = query[:2] + b"\x84\x00" + query[4:]
        return [bytes([query[0] ^ 1]) + reply[1:], reply[:12] + b"\x07" + reply[13:], reply]

    with udp_server(answer) as port:
        result = probe(DNSAsk("example"), port)
    assert result.failure is None, result


# -- the others -----------------------------------------------------------------------------------------------------


@needs_ping
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
@pytest.mark.rfc("792", "echo")
def test_this_machine_answers_a_ping_of_any_size(host: str) -> None:
    for octets in (8, 56, 1401):
        result = probe(ICMPAsk(octets), host=host)
        assert result.failure is None, result
        assert isinstance(result.seen, ICMPSeen)
        assert result.seen.data_octets == octets
        assert phases(result) == ["echo"]


@pytest.mark.rfc("862", "udp")
def test_a_datagram_comes_back() -> None:
    with udp_server(lambda request: [b"not ours", request]) as port:
        result = probe(UDPAsk(1200), port)
    assert isinstance(result.seen, UDPSeen), result
    assert (result.seen.data_octets, phases(result)) == (1200, ["echo"])


def test_a_closed_port_refuses(closed_port: int) -> None:
    for ask in (UDPAsk(), DNSAsk(), TCPAsk(), TLSAsk(), HTTPAsk(tls=False), DNSAsk(transport="tls")):
        kind, phase = failure(probe(ask, closed_port))
        assert kind is FailureKind.REFUSED
        assert phase in ("connect", "echo", "answer")


def test_silence_is_a_timeout_in_the_phase_where_it_came(silent_port: int) -> None:
    result = probe(HTTPAsk(tls=False), silent_port, timeout_s=0.2)
    assert failure(result) == (FailureKind.TIMEOUT, "connect")
    assert phases(result) == ["connect"]
    assert result.duration_ms >= 199


def test_a_name_that_nobody_has_is_our_resolvers_word() -> None:
    result = probe(TCPAsk(), 80, host="nothing.invalid")
    assert failure(result) == (FailureKind.OURS, "resolve")
    assert result.address is None


def test_names_are_resolved_in_a_phase_of_their_own(nginx) -> None:
    result = probe(TCPAsk(), nginx.plain, host="localhost")
    # localhost may be ::1 first, where nobody listens: the probe takes one address, as its result says.
    assert phases(result)[0] == "resolve"
    assert str(result.address) in ("127.0.0.1", "::1")


def test_a_connection_with_a_few_words(serve) -> None:
    port = serve(lambda connection: connection.sendall(b"220 fra3 ready\r\n"))
    result = probe(TCPAsk(expect=b"ready"), port, site=parse_site_rule("(fra)"))
    assert isinstance(result.seen, TCPSeen), result
    assert (result.pop, result.server) == ("fra", "220 fra3 ready")
    assert phases(result) == ["connect", "answer"]
    closed = probe(TCPAsk(expect=b"other"), port)
    assert failure(closed) == (FailureKind.PROTOCOL, "answer")


def test_a_handshake_tells_the_certificate(nginx) -> None:
    ask = TLSAsk("www.example", ca_file=nginx.ca_file, alpn=("h2", "http/1.1"), days_left_min=14)
    result = probe(ask, nginx.h2, site=parse_site_rule("(www)"))
    seen = result.seen
    assert isinstance(seen, TLSSeen), result
    assert (seen.alpn, seen.subject, seen.issuer) == ("h2", "www.example", "test authority")
    assert "127.0.0.1" in seen.names
    assert 59 < seen.days_left < 60
    assert (seen.version[:4], result.pop) == ("TLSv", "www")
    assert phases(result) == ["connect", "tls"]
    ended = probe(TLSAsk("www.example", ca_file=nginx.ca_file, days_left_min=70), nginx.h2)
    assert failure(ended) == (FailureKind.CONTENT, "tls")


@pytest.mark.parametrize(("version", "tls"), [("1.1", False), ("1.1", True), ("2", True), ("2", False)])
@pytest.mark.rfc("9113", "3.3")
def test_http_in_both_versions_with_and_without_tls(nginx, version: str, tls: bool) -> None:
    port = {("1.1", False): nginx.plain, ("1.1", True): nginx.secure, ("2", True): nginx.h2}
    ask = HTTPAsk(
        tls, "/page", version=version, host="www.example", ca_file=nginx.ca_file,
        body_contains="from fra", site_header="x-served-by",
    )  # fmt: skip
    result = probe(ask, port.get((version, tls), nginx.h2_plain), site=parse_site_rule("^([a-z]{3})"))
    assert result.failure is None, result
    assert isinstance(result.seen, HTTPSeen)
    assert (result.seen.status, result.seen.body_octets, result.pop) == (200, 15, "fra")
    assert (result.seen.days_left is not None) == tls
    assert phases(result) == ["connect", *(["tls"] if tls else []), "first_byte", "body"]


@pytest.mark.parametrize("version", ["1.1", "2"])
def test_a_large_body_is_bounded_and_a_wrong_status_told(nginx, version: str) -> None:
    port = nginx.h2_plain if version == "2" else nginx.plain
    large = probe(HTTPAsk(False, "/large", version=version, body_contains="y"), port)
    assert failure(large) == (FailureKind.CONTENT, "body")
    assert large.seen.body_octets >= 1024 * 1024
    missing = probe(HTTPAsk(False, "/missing", version=version), port)
    assert missing.failure.words == "status 404, expected 200"
    assert failure(missing) == (FailureKind.CONTENT, "first_byte")


def test_http2_where_only_http1_is_spoken(nginx) -> None:
    ask = HTTPAsk(host="www.example", version="2", ca_file=nginx.ca_file)
    assert failure(probe(ask, nginx.secure)) == (FailureKind.TLS, "tls")
    assert failure(probe(HTTPAsk(False, version="2"), nginx.plain))[0] is FailureKind.PROTOCOL


@needs_ping
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_the_loopback_carries_the_largest_packet_that_is_tried(host: str) -> None:
    result = probe(MTUAsk(9000, octets_min=9000), host=host)
    assert result.failure is None, result
    assert isinstance(result.seen, MTUSeen)
    assert (result.seen.mtu_octets, result.seen.black_hole, result.seen.probes) == (9000, False, 2)
    assert phases(result) == ["small", "search"]


@pytest.mark.parametrize("tls", [False, True])
def test_a_small_body_and_a_large_one(nginx, tls: bool) -> None:
    ask = LargeBodyAsk("/large", "/page", tls, "www.example", ca_file=nginx.ca_file)
    result = probe(ask, nginx.secure if tls else nginx.plain)
    assert result.failure is None, result
    assert isinstance(result.seen, LargeBodySeen)
    assert (result.seen.small_octets, result.seen.whole) == (len("hello from fra\n"), True)
    assert result.seen.large_octets >= 1024 * 1024
    assert phases(result) == ["small", "large"]
    same = probe(replace(ask, large_path="/page"), nginx.secure if tls else nginx.plain)
    assert failure(same) == (FailureKind.CONTENT, "large")
    missing = probe(replace(ask, large_path="/missing"), nginx.secure if tls else nginx.plain)
    assert failure(missing) == (FailureKind.PROTOCOL, "large")


def test_a_body_that_stalls_whatever_its_segments_is_no_black_hole(serve) -> None:
    def stall(connection: socket.socket) -> None:
        if b"GET /small" in connection.recv(65536):
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
        else:
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\nhi")
            connection.recv(65536)  # until the client goes

    result = probe(LargeBodyAsk("/large", "/small", False, stall_s=0.2), serve(stall))
    assert failure(result) == (FailureKind.TIMEOUT, "clamped")
    assert isinstance(result.seen, LargeBodySeen)
    assert (result.seen.small_octets, result.seen.clamped_octets) == (2, None)
    assert "the size of packets is not the reason" in result.failure.words


@pytest.mark.parametrize("tls", [False, True])
def test_a_session_of_http_is_held(nginx, tls: bool) -> None:
    ask = SessionAsk("http", 0.6, 0.1, 0.1, tls, "www.example", site_header="x-served-by", ca_file=nginx.ca_file)
    result = probe(ask, nginx.secure if tls else nginx.plain, site=parse_site_rule("(fra)", frozenset({"fra"})))
    assert result.failure is None, result
    assert isinstance(result.seen, SessionSeen)
    assert (result.seen.end, result.seen.last, result.pop) == (End.HELD, "fra1-edge", "fra")
    assert result.seen.answers > 2
    assert phases(result) == ["connect", "tls", "session"] if tls else ["connect", "session"]


def test_a_server_that_turns_into_another_in_a_session(serve) -> None:
    def turn(connection: socket.socket) -> None:
        for name in (b"fra1 12:00\n", b"fra1 12:01\n", b"ams1 12:02\n"):
            connection.recv(100)
            connection.sendall(name)
        connection.recv(100)

    ask = SessionAsk("text", 5.0, 0.05, 0.05)
    result = probe(ask, serve(turn), site=parse_site_rule("(fra|ams)"))
    assert failure(result) == (FailureKind.SITE, "session")
    assert result.failure.words.endswith("and 3 answers: fra before, ams now")
    assert phases(result) == ["connect", "session"]


def test_a_server_that_closes_a_session_in_order_and_answers_still(serve) -> None:
    def answer_twice(connection: socket.socket) -> None:
        for _ in range(2):
            connection.recv(100)
            connection.sendall(b"fra1\n")

    result = probe(SessionAsk("text", 5.0, 0.05, 0.05), serve(answer_twice), site=parse_site_rule("(fra|ams)"))
    assert failure(result) == (FailureKind.RESET, "session")
    assert isinstance(result.seen, SessionSeen)
    assert (result.seen.end, result.seen.answers, result.seen.now) == (End.CLOSED, 2, "fra1")
    assert result.failure.words.endswith("and 2 answers; fra answers still")
    assert phases(result) == ["connect", "session", "again"]


class udp_server:  # noqa: N801 - a context manager
    """Answers each datagram with those that a function makes of it."""

    def __init__(self, answer) -> None:
        self._answer = answer

    def __enter__(self) -> int:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(5)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return int(self._socket.getsockname()[1])

    def _serve(self) -> None:
        request, sender = self._socket.recvfrom(65535)
        for reply in self._answer(request):
            self._socket.sendto(reply, sender)

    def __exit__(self, *_: object) -> None:
        self._thread.join(5)
        self._socket.close()
