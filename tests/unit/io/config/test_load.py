"""From the folder to the model: every field is reachable, scopes are laid over each other, all findings at once."""

from dataclasses import MISSING, fields, is_dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from anycastle.io.config import load_fleet
from anycastle.io.config.write import write_fleet
from anycastle.model.announcement import RouteAttributes
from anycastle.model.asn import ASN
from anycastle.model.check import (
    Check,
    DNSTarget,
    ExecTarget,
    FileTarget,
    HTTPTarget,
    ICMPTarget,
    PrometheusTarget,
    Severity,
    SystemdTarget,
    TCPTarget,
    TLSTarget,
)
from anycastle.model.community import GRACEFUL_SHUTDOWN, parse_community
from anycastle.model.fleet import Fleet, SharedPrefix
from anycastle.model.pop import Location, Router
from anycastle.model.prefix import Family, parse_address, parse_prefix
from anycastle.model.service import (
    Dampening,
    Floor,
    Lease,
    LeaseEnd,
    MaintenanceWindow,
    OnExit,
    Policy,
    Quorum,
    Service,
    SlowStart,
    WhenAlone,
)
from anycastle.model.upstream import Neighbour, Upstream, UpstreamKind
from anycastle.model.watch import (
    LockedASN,
    MoreSpecificRule,
    PathRule,
    Region,
    Settling,
    Thresholds,
    WatchPlan,
    WatchSession,
)
from tests.unit.io.config.folders import SMALL, edited, write

FULL_POP = """\
name: lon1
city: London
location: {latitude: 51.5, longitude: -0.1}
region: asia
capacity: 2.5T
router: {driver: embedded, router_id: 198.51.100.2, options: {listen: "off"}}
upstreams:
  - name: ix
    kind: route-server
    asn: 1.10
    neighbours:
      - {address: "2001:db8::1", local_address: "2001:db8::2", port: 1179}
    vocabulary: {quiet: "64500:1:2", loud: rt:64500:7}
    capacity: 400M
    hold_time: 9s
    password_file: /etc/anycastle/ix
    ttl_security_hops: 2
    bfd: false
    max_prefixes: 1000
    takes_prefixes: 20
"""

FULL_SERVICE = """\
name: dns
prefixes: [192.0.2.0/24, "2001:db8:52::/47"]
mitigations: ["2001:db8:53::/48"]
addresses: [192.0.2.53]
pops: [nrt1, lon1]
quorum: 2 of 7
checks:
  - name: http
    http:
      url: https://example.com/health
      method: HEAD
      address: 192.0.2.53
      statuses: [200, 204]
      body_contains: fine
      headers: {Accept: text/plain}
      expect_header: {name: Server, value: x}
      verify_tls: false
      server_name: www.example.com
      ca_file: /etc/ca.pem
      certificate_days_left: 14
    severity: soft
    interval: 5s
    timeout: 250ms
    rise: 4
    fall: 5
    confirm_interval: 100ms
  - name: tcp
    tcp: {address: 192.0.2.53, port: 7, send: "PING\\r\\n", expect_hex: 00ff}
    interval: 20ms
  - name: tls
    tls: {address: 192.0.2.53, port: 853, server_name: a.example, verify: false, ca_file: /ca, certificate_days_left: 3,
          alpn: [dot]}
  - name: dns
    dns: {address: 192.0.2.53, name: example.com, port: 5353, transport: tcp, record_type: TXT, rcode: NXDOMAIN,
          answer: x, nsid: y, identity: z, authoritative: true}
  - name: icmp
    icmp: {address: 192.0.2.53, count: 3}
  - name: exec
    exec: {command: [/bin/check, "-w"]}
    severity: soft
  - name: file
    file: {path: /run/maintenance, state: absent, max_age: 5m}
  - name: systemd
    systemd: {unit: nsd.service}
  - name: prometheus
    prometheus: {url: "http://127.0.0.1:9090", query: up, comparison: ">=", threshold: 0.5}
announcement:
  med: 10
  communities: [no-export]
  steered: {prepend: 3, communities: [graceful-shutdown]}
  upstreams:
    transit-a: {prepend: 1, communities: [no-asia, "64500:9"]}
  pops:
    nrt1:
      med: 20
      upstreams:
        transit-a: {med: 30, steered: {med: 99}}
        transit-b: {announce: false}
    lon1: {communities: [quiet, loud], local_preference: 50}
floor: {pops: 0, allow_no_floor: true, capacity: 10G}
on_exit: hold
when_alone: withdraw
lease: {end: hold, duration: 20s, hold: 1h}
dampening: {penalty: 500, suppress: 2000, reuse: 800, half_life: 30s, max_suppress: 2m}
slow_start: {duration: 45s, prepend: 2, med: 5, local_preference: 7, communities: [no-peer]}
maintenance:
  - {start: 2026-03-01T02:00:00Z, end: 2026-03-01T04:00:00+01:00, pops: all, reason: cards}
manage_addresses: false
"""


def loaded(files: dict[str, str], folder: Path) -> Fleet:
    result = load_fleet(write(folder, files))
    assert result.fleet is not None, [str(finding) for finding in result.findings]
    return result.fleet


@pytest.fixture(name="full")
def full_fleet(tmp_path: Path) -> Fleet:
    files = {**SMALL, "pops/lon1.yaml": FULL_POP, "services/dns.yaml": FULL_SERVICE}
    return loaded(files, tmp_path)


def test_every_field_of_an_upstream_is_read(full: Fleet) -> None:
    pop = full.pop("lon1")

    assert (pop.city, pop.location, pop.region, pop.capacity) == ("London", Location(51.5, -0.1), "asia", 2.5e12)
    assert pop.router == Router("embedded", ip_address("198.51.100.2"), {"listen": "off"})  # type: ignore[arg-type]
    assert pop.upstreams == (
        Upstream(
            name="ix",
            kind=UpstreamKind.ROUTE_SERVER,
            asn=65546,  # type: ignore[arg-type]
            neighbours=(Neighbour(ip_address("2001:db8::1"), ip_address("2001:db8::2"), 1179),),
            vocabulary={"quiet": parse_community("64500:1:2"), "loud": parse_community("rt:64500:7")},
            capacity_bps=400e6,
            hold_time_s=9,
            password_file="/etc/anycastle/ix",
            ttl_security_hops=2,
            bfd=False,
            max_prefixes=1000,
            takes_prefixes=20,
        ),
    )


def test_every_field_of_a_check_is_read(full: Fleet) -> None:
    address = ip_address("192.0.2.53")
    service = next(service for service in full.services if service.name == "dns")

    assert [check.target for check in service.checks] == [
        HTTPTarget(
            url="https://example.com/health",
            method="HEAD",
            address=address,
            statuses=(200, 204),
            body_contains="fine",
            headers=(("Accept", "text/plain"),),
            expect_header=("Server", "x"),
            verify_tls=False,
            server_name="www.example.com",
            ca_file="/etc/ca.pem",
            certificate_days_left=14,
        ),
        TCPTarget(address, 7, b"PING\r\n", b"\x00\xff"),
        TLSTarget(address, 853, "a.example", False, "/ca", 3, ("dot",)),
        DNSTarget(address, "example.com", 5353, "tcp", "TXT", "NXDOMAIN", "x", "y", "z", True),
        ICMPTarget(address, 3),
        ExecTarget(("/bin/check", "-w")),
        FileTarget("/run/maintenance", "absent", 300.0),
        SystemdTarget("nsd.service"),
        PrometheusTarget("http://127.0.0.1:9090", "up", ">=", 0.5),
    ]
    assert service.checks[0] == Check("http", service.checks[0].target, Severity.SOFT, 5.0, 0.25, 4, 5, 0.1)
    short = service.checks[1]
    assert (short.interval_s, short.timeout_s, short.confirm_interval_s) == (0.02, 0.02, 0.02)


def test_every_field_of_a_service_is_read(full: Fleet) -> None:
    service = next(service for service in full.services if service.name == "dns")

    assert service.pops == ("nrt1", "lon1")
    assert service.quorum == Quorum(2)
    assert service.floor == Floor(0, 10e9)
    assert (service.on_exit, service.when_alone) == (OnExit.HOLD, WhenAlone.WITHDRAW)
    assert service.lease == Lease(LeaseEnd.HOLD, 20.0, 3600.0)
    assert service.dampening == Dampening(500.0, 2000.0, 800.0, 30.0, 120.0)
    slow = RouteAttributes(2, 5, 7, frozenset({parse_community("no-peer")}))
    assert service.slow_start == SlowStart(45.0, slow)
    assert service.windows == (MaintenanceWindow(1772330400.0, 1772334000.0, ("nrt1", "lon1"), "cards"),)
    assert service.mitigations == (parse_prefix("2001:db8:53::/48"),)
    assert not service.manage_addresses


def test_scopes_are_laid_over_each_other(full: Fleet) -> None:
    service = next(service for service in full.services if service.name == "dns")
    at_nrt1 = frozenset({parse_community("64496:3"), parse_community("64500:9")})
    at_lon1 = frozenset({parse_community("64500:1:2"), parse_community("rt:64500:7")})

    assert service.policies == {
        ("nrt1", "transit-a"): Policy(
            attributes=RouteAttributes(1, 30, None, at_nrt1),
            steered=RouteAttributes(3, 99, None, at_nrt1 | {GRACEFUL_SHUTDOWN}),
        ),
        ("nrt1", "transit-b"): Policy(announce=False),
        ("lon1", "ix"): Policy(
            attributes=RouteAttributes(0, 10, 50, at_lon1),
            steered=RouteAttributes(3, 10, 50, at_lon1 | {GRACEFUL_SHUTDOWN}),
        ),
    }


def test_the_full_files_set_every_field_off_its_default(full: Fleet) -> None:
    """If the model gains a field that no file can reach, this fails."""
    service = next(service for service in full.services if service.name == "dns")
    values = [service, full.pop("lon1").upstreams[0], *service.checks]
    values += [check.target for check in service.checks]
    values += [service.lease, service.dampening, service.floor, service.slow_start, service.slow_start.attributes]
    by_type: dict[type, list[Any]] = {}
    for value in values:
        by_type.setdefault(type(value), []).append(value)

    for kind, made in by_type.items():
        assert is_dataclass(kind)
        for field in fields(kind):
            if field.init and field.default is not MISSING:
                assert any(getattr(value, field.name) != field.default for value in made), (kind, field.name)


def test_all_names_every_pop_in_order(tmp_path: Path) -> None:
    fleet = loaded(SMALL, tmp_path)

    assert all(service.pops == ("fra1", "lon1", "nrt1") for service in fleet.services)


def test_saying_nothing_steers_by_graceful_shutdown(tmp_path: Path) -> None:
    fleet = loaded(SMALL, tmp_path)

    policy = fleet.services[0].policies["fra1", "transit-a"]
    assert policy == Policy(steered=RouteAttributes(communities=frozenset({GRACEFUL_SHUTDOWN})))


def test_a_shared_prefix_is_listed(tmp_path: Path) -> None:
    files = edited("services/web.yaml", '["2001:db8:80::/48"]', '["2001:db8:80::/48", 192.0.2.0/24]')
    files["fleet.yaml"] += "shared_prefixes: {192.0.2.0/24: any}\n"

    fleet = loaded(files, tmp_path)

    assert fleet.shared_prefixes == {parse_prefix("192.0.2.0/24"): SharedPrefix.ANY}


def test_anchors_and_merge_keys(tmp_path: Path) -> None:
    old = "checks:\n  - name: dns\n    dns: {address: 192.0.2.53, name: example.com}\n"
    new = (
        "x-fast: &fast {interval: 500ms, timeout: 250ms, fall: 2}\nchecks:\n"
        "  - {<<: *fast, name: a, fall: 4, icmp: {address: 192.0.2.53}}\n"
        "  - {<<: [*fast], name: b, icmp: {address: 192.0.2.53}}\n"
    )

    checks = loaded(edited("services/dns.yaml", old, new), tmp_path).services[0].checks

    assert [(check.interval_s, check.timeout_s, check.fall) for check in checks] == [(0.5, 0.25, 4), (0.5, 0.25, 2)]


def test_yaml_1_2_reads_words_as_text(tmp_path: Path) -> None:
    """The Norway problem: a PoP may be called `no`, and a community with a colon is no number of base 60."""
    files = edited("pops/nrt1.yaml", "name: nrt1", "name: no")
    files["services/dns.yaml"] += "announcement: {communities: [65535:0]}\n"

    fleet = loaded(files, tmp_path)

    assert fleet.pop("no").city == "Somewhere"
    policy: Service = fleet.services[0]
    assert policy.policies["no", "transit-a"].attributes.communities == {GRACEFUL_SHUTDOWN}


def test_all_findings_come_at_once_and_sorted(tmp_path: Path) -> None:
    files = dict(SMALL)
    files["fleet.yaml"] += "colour: red\n"
    files["pops/fra1.yaml"] = files["pops/fra1.yaml"].replace("region: europe", "region: mars")
    files["pops/lon1.yaml"] = files["pops/lon1.yaml"].replace("asn: 64497", "asn: AS0\n    hold_time: 2s")
    files["services/dns.yaml"] = files["services/dns.yaml"].replace("pops: all", "pops: [fra1, nowhere]\nrise: 3")
    files["services/web.yaml"] = "name: [\n"

    result = load_fleet(write(tmp_path, files))

    assert result.fleet is None
    assert [(Path(finding.file).name, finding.line, finding.code) for finding in result.findings] == [
        ("fleet.yaml", 4, "CFG010"),
        ("fra1.yaml", 4, "CFG022"),
        ("lon1.yaml", 16, "CFG043"),
        ("lon1.yaml", 17, "CFG040"),
        ("dns.yaml", 4, "CFG020"),
        ("dns.yaml", 5, "CFG010"),
        ("web.yaml", 2, "CFG004"),
    ]


def test_an_error_in_one_place_brings_no_error_elsewhere(tmp_path: Path) -> None:
    """A PoP that is half wrong is still a PoP that services may name, and floors are not counted without it."""
    files = edited("pops/fra1.yaml", "latitude: 50", "latitude: 500")
    files["services/dns.yaml"] = files["services/dns.yaml"].replace("pops: all", "pops: [fra1, lon1]")
    files["services/dns.yaml"] += "announcement: {pops: {fra1: {upstreams: {transit-a: {prepend: 1}}}}}\n"

    result = load_fleet(write(tmp_path, files))

    assert [(finding.path, finding.code) for finding in result.findings] == [("location.latitude", "CFG013")]


def test_capacity_that_is_not_stated_cannot_be_counted(tmp_path: Path) -> None:
    files = edited("pops/fra1.yaml", "capacity: 10G\n", "")
    files["services/dns.yaml"] += "floor: {capacity: 10G}\n"

    findings = load_fleet(write(tmp_path, files)).findings

    assert [finding.code for finding in findings] == ["CFG063"]
    assert findings[0].message.endswith("fra1")


def test_aliases_that_double_are_stopped(tmp_path: Path) -> None:
    laughs = "x-0: &a0 [lol, lol]\n" + "".join(
        f"x-{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 30)
    )
    files = {**SMALL, "fleet.yaml": laughs + SMALL["fleet.yaml"]}

    assert [finding.code for finding in load_fleet(write(tmp_path, files)).findings] == ["CFG003"]


def test_watch_is_read(tmp_path: Path) -> None:
    files = dict(SMALL)
    files["fleet.yaml"] += """\
watch:
  origins: [64501]
  neighbours: [64999]
  more_specifics:
    - {prefix: 192.0.2.0/24, longest: 32, origins: [64999], through: [64999]}
  unannounced: [198.51.100.0/24]
  locked:
    - {asn: 64496, behind: [64497]}
  path_rules:
    - {match: '64666', unless: '64667', longest: 4, reason: never through them}
  thresholds: {peers: 3, collectors: 2}
  settling: {quiet: 3s, horizon: 30s, toggle: 2500ms}
  sessions:
    - {neighbour: 192.0.2.77, asn: 64601}
    - {neighbour: 2001:db8::77, asn: 64602, port: 1179, local_asn: 64999, families: [ipv6], add_path: true,
       hold_time: 30s, passive: true, route_server: true, password_file: /etc/anycastle/secrets/rs,
       ttl_security_hops: 1, max_prefixes: 1000}
  regions:
    - {name: europe, collectors: [rrc00, rrc03]}
    - {name: asia, collectors: [rrc23], asns: [64610]}
"""
    fleet = load_fleet(write(tmp_path, files)).fleet
    assert fleet is not None
    assert fleet.watch == WatchPlan(
        origins=(ASN(64501),),
        neighbours=(ASN(64999),),
        more_specifics=(MoreSpecificRule(parse_prefix("192.0.2.0/24"), 32, (ASN(64999),), (ASN(64999),)),),
        unannounced=(parse_prefix("198.51.100.0/24"),),
        locked=(LockedASN(ASN(64496), (ASN(64497),)),),
        path_rules=(PathRule("64666", "64667", None, 4, "never through them"),),
        thresholds=Thresholds(3, 2, 2),
        settling=Settling(3.0, 30.0, 2.5),
        sessions=(
            WatchSession(parse_address("192.0.2.77"), ASN(64601)),
            WatchSession(
                parse_address("2001:db8::77"),
                ASN(64602),
                1179,
                ASN(64999),
                (Family.IPV6,),
                add_path=True,
                hold_time_s=30,
                passive=True,
                route_server=True,
                password_file="/etc/anycastle/secrets/rs",
                ttl_security_hops=1,
                max_prefixes=1000,
            ),
        ),
        regions=(Region("europe", ("rrc00", "rrc03")), Region("asia", ("rrc23",), (ASN(64610),))),
    )
    write_fleet(fleet, tmp_path / "again")
    assert load_fleet(tmp_path / "again").fleet == fleet


@pytest.mark.parametrize(
    ("text", "code", "path"),
    [
        ("settling: {quiet: 60s, horizon: 30s}", "CFG013", "watch.settling.horizon"),
        ("settling: {quiet: 1h}", "CFG013", "watch.settling.quiet"),
        ("settling: {toggle: 0s}", "CFG013", "watch.settling.toggle"),
        ("settling: {toggle: 25h}", "CFG013", "watch.settling.toggle"),
        ("more_specifics: [{prefix: 192.0.2.0/24, longest: 24}]", "CFG013", "watch.more_specifics[0].longest"),
        ("more_specifics: [{prefix: 198.51.100.0/24, longest: 32}]", "CFG072", "watch.more_specifics[0].prefix"),
        ("unannounced: [192.0.0.0/16]", "CFG031", "watch.unannounced[0]"),
        ("path_rules: [{match: '('}]", "CFG013", "watch.path_rules[0].match"),
        ("origins: []", "CFG015", "watch.origins"),
        ("origin: [64501]", "CFG010", "watch.origin"),
        ("sessions: [{neighbour: 192.0.2.7, asn: 1, families: [ipx]}]", "CFG013", "watch.sessions[0].families[0]"),
        ("sessions: [{neighbour: 192.0.2.7, asn: 1, password: x}]", "CFG016", "watch.sessions[0].password"),
        (
            "sessions: [{neighbour: 192.0.2.7, asn: 1}, {neighbour: 192.0.2.7, asn: 2}]",
            "CFG026",
            "watch.sessions[1].neighbour",
        ),
        ("regions: [{name: asia}]", "CFG011", "watch.regions[0].name"),
        (
            "regions: [{name: asia, asns: [1]}, {name: europe, asns: [2, 1]}]",
            "CFG025",
            "watch.regions[1].asns",
        ),
    ],
)
def test_watch_that_cannot_be_is_found(tmp_path: Path, text: str, code: str, path: str) -> None:
    files = dict(SMALL)
    files["fleet.yaml"] += f"watch:\n  {text}\n"
    found = load_fleet(write(tmp_path, files)).findings
    assert [(each.code, each.path) for each in found] == [(code, path)]
