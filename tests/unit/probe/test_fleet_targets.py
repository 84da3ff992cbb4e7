from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path

import pytest

from anycastle.io.config.load import load_fleet
from anycastle.io.config.start import write_example
from anycastle.model.check import Check, CheckTarget, DNSTarget, ExecTarget, FileTarget, HTTPTarget, ICMPTarget
from anycastle.model.fleet import Fleet
from anycastle.model.objective import Objective
from anycastle.probe.fleet_targets import ask_of, fleet_targets
from anycastle.probe.kinds.dns import DNSAsk
from anycastle.probe.kinds.http import HTTPAsk
from anycastle.probe.kinds.icmp import ICMPAsk
from anycastle.probe.site import parse_site_rule

HERE = ip_address("127.0.0.1")


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    """The example fleet with an objective."""
    write_example(tmp_path)
    with (tmp_path / "services" / "dns.yaml").open("a", encoding="utf-8") as stream:
        stream.write("\nobjectives:\n  - {name: reach, indicator: routing_success, target: 99.9%}\n")
    found = load_fleet(tmp_path).fleet
    assert found is not None
    return found


@pytest.mark.mission("M3", "C9")
def test_a_promised_service_is_asked_at_its_anycast_addresses_what_its_checks_ask(fleet: Fleet) -> None:
    service = fleet.services[0]
    targets = fleet_targets(fleet, 2.0)
    asked = [check for check in service.checks if ask_of(check) is not None]
    assert len(targets) == len(asked) * len(service.addresses) > 0
    assert {target.host for target in targets} == {str(address) for address in service.addresses}
    assert {(target.interval_s, target.timeout_s) for target in targets} == {(2.0, 2.0)}
    assert len({target.name for target in targets}) == len(targets)


def test_a_pop_is_found_where_its_name_stands_and_not_within_another(fleet: Fleet) -> None:
    service = replace(fleet.services[0], pops=("fra1", "fra10", "nrt1"))
    site = fleet_targets(replace(fleet, services=(service,)), 10.0)[0].site
    assert site is not None
    found = [site.pop_of(name) for name in ("ns1.fra10.example", "fra1", "x-nrt1-2", "fra100", "afra1")]
    assert found == ["fra10", "fra1", "nrt1", "", ""]
    own = parse_site_rule("^([a-z]+)")
    assert fleet_targets(replace(fleet, services=(service,)), 10.0, own)[0].site == own


def test_what_is_not_promised_or_not_of_what_probes_see_is_not_asked(fleet: Fleet) -> None:
    assert fleet_targets(replace(fleet, objectives=()), 10.0) == ()
    other = (Objective("seen", fleet.services[0].name, "visibility", 0.99),)
    assert fleet_targets(replace(fleet, objectives=other), 10.0) == ()


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (
            DNSTarget(HERE, "example.", 5353, "tcp", "A", answer="192.0.2.1", identity="pop1", authoritative=True),
            (DNSAsk("example.", "A", "tcp", identity="id.server", answer="192.0.2.1", authoritative=True), 5353),
        ),
        # The text of other records is not read by probes: the response code has to do.
        (DNSTarget(HERE, "example.", record_type="MX", answer="10 m."), (DNSAsk("example.", "MX"), 53)),
        (
            HTTPTarget("https://www.example/x?y=z", "HEAD", statuses=(204,), expect_header=("x-pop", "fra1")),
            (HTTPAsk(True, "/x?y=z", "HEAD", host="www.example", statuses=(204,), site_header="x-pop"), 443),
        ),
        (HTTPTarget("http://www.example:81"), (HTTPAsk(False, "/", host="www.example"), 81)),
        (ICMPTarget(HERE, 5), (ICMPAsk(), 0)),
        (ExecTarget(("/bin/true",)), None),
        (FileTarget("/x"), None),
    ],
)
def test_each_kind_of_check(target: CheckTarget, expected: object) -> None:
    assert ask_of(Check("c", target)) == expected
