from pathlib import Path

import pytest

from anycastle.base.errors import MisuseError, ParseError, WorldError
from anycastle.io.probe.prober_file import ProberFile, read_prober_file
from anycastle.probe.kinds.dns import DNSAsk
from anycastle.probe.kinds.http import HTTPAsk
from anycastle.probe.kinds.icmp import ICMPAsk
from anycastle.probe.kinds.large_body import LargeBodyAsk
from anycastle.probe.kinds.mtu import MTUAsk
from anycastle.probe.kinds.session import SessionAsk
from anycastle.probe.kinds.tcp import TCPAsk
from anycastle.probe.kinds.tls import TLSAsk
from anycastle.probe.kinds.traceroute import TraceAsk
from anycastle.probe.kinds.udp import UDPAsk

WHOLE = """\
name: home
asn: 64500
country: DE
location: {latitude: 50.1, longitude: 8.7}
under_way: 50
sites: {pattern: "(fra|ams)", authorised: [fra]}
modules:
  - name: dot
    dns: {name: example.com, record_type: TYPE65, transport: tls, nsid: false, identity: hostname.bind,
          recursion: true, rcode: NXDOMAIN, authoritative: true, server_name: a.example, verify: false}
  - name: page
    http: {tls: false, path: /x, method: HEAD, version: "2", host: www.example, headers: {X-A: b},
           statuses: [200, 204], body_contains: hello, site_header: x-served-by}
  - name: newest
    http: {version: "3"}
  - name: doq
    dns: {transport: quic}
  - name: hands
    tls: {alpn: [h2], certificate_days_left: 14}
  - name: greeting
    tcp: {send: "EHLO", expect: "250"}
  - name: ping
    icmp: {}
  - name: echo
    udp: {data_octets: 1400}
  - name: path
    traceroute: {protocol: icmp, hops: 20, tries: 2}
  - name: sizes
    mtu: {octets_max: 9000, octets_min: 1400, tries: 2}
  - name: large
    large_body: {large_path: /l, small_path: /s, tls: false, host: www.example, stall: 1s, verify: false}
  - name: long
    session: {speaks: text, hold: 20s, every: 4s, answer_timeout: 2s, tls: true, host: h, path: /p, site_header: x-s,
              identity: hostname.bind, send: "ping", until: "pong", verify: false}
targets:
  - {name: a, host: 192.0.2.53, module: dot}
  - {name: b, host: www.example, module: page, port: 8080, interval: 10s, timeout: 1s}
  - {name: c, host: "2001:db8::1", module: ping, interval: 1s, sites: {pattern: "([a-z]+)"}}
  - {name: d, host: 192.0.2.7, module: echo, source_port: 53535}
  - {name: e, host: 192.0.2.7, port: 7777, module: long}
  - {name: f, host: 192.0.2.7, module: newest, source_port: 40000}
  - {name: g, host: 192.0.2.7, module: doq, source_port: 40001}
"""


def read(tmp_path: Path, text: str) -> ProberFile:
    path = tmp_path / "prober.yaml"
    path.write_text(text)
    return read_prober_file(path)


def test_a_whole_file(tmp_path: Path) -> None:
    file = read(tmp_path, WHOLE)
    assert (file.vantage.name, file.vantage.asn, file.vantage.country) == ("home", 64500, "DE")
    assert file.vantage.location is not None
    assert file.under_way_max == 50
    assert file.modules == {
        "dot": DNSAsk("example.com", "TYPE65", "tls", False, "hostname.bind", True, "NXDOMAIN", None, True,
                      "a.example", False),
        "page": HTTPAsk(False, "/x", "HEAD", "2", "www.example", (("X-A", "b"),), (200, 204), "hello", "x-served-by"),
        "newest": HTTPAsk(version="3"),
        "doq": DNSAsk(transport="quic"),
        "hands": TLSAsk(alpn=("h2",), days_left_min=14),
        "greeting": TCPAsk(b"EHLO", b"250"),
        "ping": ICMPAsk(),
        "echo": UDPAsk(1400),
        "path": TraceAsk("icmp", 20, 2),
        "long": SessionAsk("text", 20.0, 4.0, 2.0, True, "h", "/p", "x-s", "hostname.bind", b"ping", b"pong", False),
        "sizes": MTUAsk(9000, 1400, 2),
        "large": LargeBodyAsk("/l", "/s", False, "www.example", 1.0, False),
    }  # fmt: skip
    a, b, c, d, e, f, g = file.targets
    assert (a.port, a.interval_s, a.timeout_s, a.source_port) == (853, 60.0, 4.0, 0)
    assert a.site is not None
    assert (a.site.pop_of("x.fra"), a.site.allows("ams")) == ("fra", False)
    assert (b.host, b.port, b.interval_s, b.timeout_s) == ("www.example", 8080, 10.0, 1.0)
    assert c.site is not None
    assert (c.port, c.timeout_s, c.site.allows("anything")) == (0, 1.0, True)
    assert (d.port, d.source_port) == (7, 53535)
    assert (f.port, f.source_port, g.port, g.source_port) == (443, 40_000, 853, 40_001)
    assert (e.port, e.timeout_s) == (7777, 26.0)  # 20 s held, and three times the answer's


FAULTY = """\
name: home
modules:
  - name: soa
    dns: {name: a..b, transport: pigeon}
  - name: both
    tcp: {}
    icmp: {}
  - name: ping
    icmp: {data_octets: 3}
  - name: ping
    icmp: {}
  - name: plain
    tcp: {}
  - name: sizes
    mtu: {octets_min: 1600}
  - name: held
    session: {speaks: dns, hold: 1m, every: 1s, answer_timeout: 2s}
  - name: kept
    session: {speaks: dns, hold: 1m}
  - name: bare
    http: {version: "3", tls: false}
  - name: login
    http: {headers: {Authorization: x}}
sites: {pattern: "no group"}
targets:
  - {name: a, host: 192.0.2.53, module: sao}
  - {name: a, host: 192.0.2.53, module: plain}
  - {name: b, host: 192.0.2.53, module: plain, port: 80, source_port: 7, interval: 1s, timeout: 2s}
  - {name: c, host: 192.0.2.53, module: kept, interval: 1m}
  - {name: d, host: 192.0.2.53, module: kept, interval: 5m, timeout: 65s}
"""


def test_all_that_is_wrong_is_told_at_once_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(MisuseError) as raised:
        read(tmp_path, FAULTY)
    told = str(raised.value)
    for line, words in (
        (4, "dns.name"),
        (4, "dns.transport"),
        (5, "large_body, session; icmp and tcp are given"),
        (9, "data_octets"),
        (10, "two modules are named ping"),
        (15, "packets of 1600 octets are not tried: octets_max is 1500"),
        (17, "2s is longer than every 1s"),
        (21, "HTTP/3 is spoken over TLS alone"),
        (23, "carries a secret"),
        (24, "has 0 groups"),
        (26, "there is no module 'sao'"),
        (26, "two targets are named a"),
        (27, "tcp has no port of its own: name one"),
        (28, "2s is longer than the interval of 1s"),
        (28, "only probes over UDP ask from one port"),
        (29, "a session takes up to 69s, which is more than 60s"),
        (30, "a session takes up to 69s, which is more than 65s"),
    ):
        assert any(f"prober.yaml:{line}:" in each and words in each for each in told.splitlines()), (line, words, told)


@pytest.mark.parametrize("text", ["", "[]", "name: x", "name: x\nmodules: []\n", "a: b: c"])
def test_what_is_no_prober_file_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises((MisuseError, ParseError)):
        read(tmp_path, text)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(WorldError):
        read_prober_file(tmp_path / "nothing")
