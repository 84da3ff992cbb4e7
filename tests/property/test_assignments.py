import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anycastle.base.errors import ParseError
from anycastle.io.assignment_json import decode, digest, encode
from anycastle.model import check as checks
from anycastle.model.community import GRACEFUL_SHUTDOWN, ExtendedCommunity, LargeCommunity, StandardCommunity
from anycastle.model.fleet import Fleet
from anycastle.model.prefix import parse_address
from anycastle.model.service import MaintenanceWindow
from anycastle.rollout.compose import compose
from anycastle.rollout.desired import Desired
from anycastle.rollout.revision import Revision
from tests.property.test_compose import fleets
from tests.unit.health.world import check, fleet, service

ADDRESS = parse_address("2001:db8::53")
TARGETS: tuple[checks.CheckTarget, ...] = (
    checks.HTTPTarget("https://example.net/", address=ADDRESS, headers=(("a", "b"),), expect_header=("x", "y")),
    checks.TCPTarget(ADDRESS, 53, send=b"\x00\xff", expect=b"ok"),
    checks.TLSTarget(ADDRESS, 853, "dns.example.net", alpn=("dot",)),
    checks.DNSTarget(ADDRESS, "example.net", nsid="ams1"),
    checks.ICMPTarget(ADDRESS, 3),
    checks.ExecTarget(("/bin/true", "--really")),
    checks.FileTarget("/run/ready", "absent", 30.0),
    checks.SystemdTarget("nsd.service"),
    checks.PrometheusTarget("http://127.0.0.1:9090", "up", ">=", 1.0),
)


@given(fleets(), fleets(), st.sampled_from(("ams", "fra")), st.data())
def test_an_assignment_reads_as_it_was_written(one: Fleet, two: Fleet, pop: str, data: st.DataObject) -> None:
    revisions = {"one": Revision(one), "two": Revision(two)}
    units = sorted(revisions["one"].differs_from(revisions["two"]), key=str)
    desired = Desired("one", {unit: "two" for unit in units if data.draw(st.booleans())})
    made = compose(desired, revisions, pop)
    if made is not None:
        assert decode(encode(made)) == made
        assert encode(decode(encode(made))) == encode(made)


def full() -> Fleet:
    """Everything that a service and a PoP may have."""
    made = service(
        pops=("ams",),
        checks=tuple(check(f"c{number}", target=target) for number, target in enumerate(TARGETS)),
        windows=(MaintenanceWindow(1.0, 2.0, ("ams",), "line cards"),),
    )
    there = fleet(made, pops=("ams",))
    vocabulary = {
        "shut": GRACEFUL_SHUTDOWN, "less": StandardCommunity(64601, 70), "large": LargeCommunity(1, 2, 3),
        "extended": ExtendedCommunity(0x0002_FC00_0000_0001),
    }  # fmt: skip
    transit = replace(there.pops[0].upstreams[0], vocabulary=vocabulary, capacity_bps=1e10, password_file="/etc/key")
    return replace(there, pops=(replace(there.pops[0], upstreams=(transit,)),))


def test_every_kind_of_check_and_community_is_carried() -> None:
    assert {type(target) for target in TARGETS} == set(checks.CheckTarget.__args__)
    assert decode(encode(full())) == full()


def test_the_same_fleet_is_the_same_octets_in_every_process() -> None:
    program = "from tests.property.test_assignments import *; print(digest(encode(full())))"
    root = Path(__file__).parents[2]
    told = {
        subprocess.run(
            [sys.executable, "-c", program], env={"PYTHONHASHSEED": seed}, cwd=root, capture_output=True, check=True
        ).stdout.decode().strip()
        for seed in ("1", "2", "3")
    }  # fmt: skip
    assert told == {digest(encode(full()))}


@pytest.mark.parametrize(
    ("octets", "said"),
    [
        (b"{", "is JSON"),
        (b"[]", "of version None"),
        (b'{"version": 2}', "of version 2, and this release reads version 1"),
        (b'{"version": 1, "fleet": 3}', "fleet: Fleet is wanted, and not 3"),
        (b'{"version": 1, "fleet": {}}', "fleet: Fleet lacks name"),
    ],
)
def test_what_is_no_assignment_is_refused(octets: bytes, said: str) -> None:
    with pytest.raises(ParseError, match=said):
        decode(octets)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (b'"interval_s":1.0', b'"interval_s":"soon"', r"services\[0\].checks\[0\].interval_s: float is wanted"),
        (b'"prefixes":["192.0.2.0/24"]', b'"prefixes":["192.0.2.1/24"]', r"services\[0\].prefixes\[0\]: "),
        (b'"kind":"icmp"', b'"kind":"telepathy"', r"target.kind: dns or exec or .* is wanted, and not 'telepathy'"),
        (b'"on_exit":"withdraw"', b'"on_exit":"explode"', r"on_exit: 'withdraw' or 'hold' is wanted"),
        (b'"manage_addresses":true', b'"manage_addresses":true,"new":1', r"services\[0\]: Service has no new"),
    ],
)
def test_what_does_not_fit_is_told_with_its_place(old: bytes, new: bytes, said: str) -> None:
    octets = encode(full())
    assert old in octets
    with pytest.raises(ParseError, match=said):
        decode(octets.replace(old, new, 1))
