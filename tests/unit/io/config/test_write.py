"""A fleet that is written and loaded again is the same fleet."""

from dataclasses import replace
from pathlib import Path

from anycastle.io.config import load_fleet
from anycastle.io.config.start import write_example
from anycastle.io.config.write import fleet_files, write_fleet
from anycastle.model.announcement import RouteAttributes
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
from anycastle.model.community import parse_community
from anycastle.model.fleet import Fleet
from anycastle.model.prefix import parse_address, parse_prefix
from anycastle.model.service import Floor, Lease, LeaseEnd, MaintenanceWindow, OnExit, Policy, Quorum, SlowStart

HERE = parse_address("192.0.2.53")


def loaded(path: Path) -> Fleet:
    result = load_fleet(path)
    assert result.fleet is not None, [str(finding) for finding in result.findings]
    return result.fleet


def test_the_example_is_the_same_after_writing(tmp_path: Path) -> None:
    write_example(tmp_path / "first")
    fleet = loaded(tmp_path / "first")
    write_fleet(fleet, tmp_path / "second")
    assert loaded(tmp_path / "second") == fleet


def test_every_kind_of_check_and_every_setting_come_back(tmp_path: Path) -> None:
    write_example(tmp_path / "first")
    fleet = loaded(tmp_path / "first")
    targets = (
        HTTPTarget("https://a.example/", "HEAD", HERE, (200, 204), "ok", (("X-A", "b"),), ("Server", "nginx"), False),
        TCPTarget(HERE, 25, b"EHLO\r\n", b"250"),
        TLSTarget(HERE, 853, "dns.example", certificate_days_left=7, alpn=("dot",)),
        DNSTarget(HERE, "example.", identity="no", authoritative=True),
        ICMPTarget(HERE, 3),
        ExecTarget(("/bin/true", "on")),
        FileTarget("/run/up", "absent", 1.5),
        SystemdTarget("nsd.service"),
        PrometheusTarget("http://127.0.0.1:9090", "up", "<=", 0.25),
    )
    checks = tuple(Check(target.kind, target, Severity.HARD, 2.0, 0.25, 4, 5, 0.0005 * 200) for target in targets)
    usual = RouteAttributes(2, 10, None, frozenset({parse_community("64500:1")}))
    steered = RouteAttributes(3, 11, None, usual.communities | {parse_community("64500:1:2")})
    service = fleet.services[0]
    policies = dict.fromkeys(service.policies, Policy(True, usual, steered))
    policies[next(iter(policies))] = Policy(announce=False)
    changed = replace(
        service,
        checks=checks,
        quorum=Quorum(2),
        policies=policies,
        floor=Floor(0, 0.0),
        on_exit=OnExit.HOLD,
        lease=Lease(LeaseEnd.HOLD, 2.5, 90.0),
        slow_start=SlowStart(30.0, RouteAttributes(1)),
        windows=(MaintenanceWindow(1.7e9, 1.7e9 + 60, service.pops[:1], "works"),),
        prefixes=(parse_prefix("192.0.2.0/23"), *service.prefixes[1:]),
        mitigations=(parse_prefix("192.0.2.0/24"), parse_prefix("192.0.3.0/24")),
        manage_addresses=False,
    )
    fleet = replace(fleet, services=(changed, *fleet.services[1:]))
    write_fleet(fleet, tmp_path / "second")
    assert loaded(tmp_path / "second") == fleet


def test_a_file_for_the_fleet_and_one_for_each_pop_and_service(tmp_path: Path) -> None:
    write_example(tmp_path)
    fleet = loaded(tmp_path)
    files = fleet_files(fleet)
    assert set(files) == {
        "fleet.yaml",
        *(f"pops/{pop.name}.yaml" for pop in fleet.pops),
        *(f"services/{service.name}.yaml" for service in fleet.services),
    }
