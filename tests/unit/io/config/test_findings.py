"""Every kind of finding: what brings it about, and the exact place that it names."""

from pathlib import Path

import pytest

from anycastle.io.config import Finding, FindingKind, Severity, load_fleet
from tests.unit.io.config.folders import SMALL, edited, write

F, P, S = "fleet.yaml", "pops/fra1.yaml", "services/dns.yaml"
POLICY = "announcement: "

# kind, file, what is replaced, by what, and how the text at the place of the finding begins
CASES: list[tuple[FindingKind, str, str, str, str]] = [
    (FindingKind.SYNTAX, F, "[europe, asia]", "[europe, asia", ""),
    (FindingKind.SYNTAX, F, "name: small", "name: *none", "*none"),
    (FindingKind.SYNTAX, F, "name: small", "name: a\x07b", "\x07"),
    (FindingKind.SYNTAX, F, "name: small", 'name: "\\UFFFFFFFF"', "name"),
    (FindingKind.SYNTAX, F, "name: small", 'name: "\\ud800"', '"'),
    (FindingKind.DUPLICATE_KEY, F, "asn: 64500", "asn: 64500\nasn: 64501", "asn: 64501"),
    (FindingKind.DUPLICATE_KEY, S, "name: example.com", "name: example.com, name: x", "name: x"),
    (FindingKind.UNSUPPORTED, F, "name: small", "name: !!str small", "!!str"),
    (FindingKind.UNSUPPORTED, F, "name: small", "name: !!python/object:os.system small", "!!python"),
    (FindingKind.UNSUPPORTED, F, "name: small", "---\nname: small\n---\nname: small", "---\nname: small\nasn"),
    (FindingKind.UNSUPPORTED, F, "name: small", "%YAML 1.1\n---\nname: small", "---"),
    (FindingKind.UNSUPPORTED, F, "name: small", "? [a, b]\n: c\nname: small", "[a, b]"),
    (FindingKind.UNSUPPORTED, F, "name: small", "x-a: &loop [*loop]\nname: small", "*loop"),
    (FindingKind.UNSUPPORTED, F, "name: small", "<<: [1]\nname: small", "1]"),
    (FindingKind.TOO_LARGE, F, "name: small", "x-a: " + "[" * 40 + "]" * 40 + "\nname: small", "["),
    (FindingKind.TOO_LARGE, F, "name: small", f"name: {'a' * 5000}", "aaa"),
    (FindingKind.EMPTY, F, "[europe, asia]", "[]", "[]"),
    (FindingKind.EMPTY, F, "regions: [europe, asia]", "regions:", "regions:"),
    (FindingKind.EMPTY, S, "pops: all", "pops: []", "[]"),
    (FindingKind.EMPTY, S, "pops: all", "pops:", "pops:"),
    (FindingKind.EMPTY, S, "[192.0.2.0/24]", "[]", "[]"),
    (FindingKind.EMPTY, S, "[192.0.2.53]", "[]", "[]"),
    (FindingKind.EMPTY, S, "", POLICY + "{pops: {}}\n", "{}}"),
    (FindingKind.EMPTY, P, "- address: 203.0.113.1", "[]", "[]"),
    (FindingKind.EMPTY, F, "name: small", 'name: ""', '""'),
    (FindingKind.UNKNOWN_KEY, F, "regions:", "region: x\nregions:", "region: x"),
    (FindingKind.UNKNOWN_KEY, P, "kind: transit", "kind: transit\n    hold-time: 9s", "hold-time"),
    (FindingKind.UNKNOWN_KEY, S, "dns: {", "dnss: {", "dnss"),
    (FindingKind.MISSING_KEY, P, "city: Somewhere\n", "", "name: fra1"),
    (FindingKind.MISSING_KEY, P, ", router_id: 198.51.100.1", "", "{driver"),
    (FindingKind.WRONG_TYPE, F, "name: small", "name: 3", "3"),
    (FindingKind.WRONG_TYPE, F, "name: small", "name: [a]", "[a]"),
    (FindingKind.WRONG_TYPE, F, "[europe, asia]", "europe", "europe"),
    (FindingKind.WRONG_TYPE, P, "{driver: bird, router_id: 198.51.100.1}", "bird", "bird"),
    (FindingKind.WRONG_TYPE, S, "pops: all", "pops: fra1", "fra1"),
    (FindingKind.WRONG_TYPE, S, "name: example.com}", 'name: example.com, port: "53"}', '"53"'),
    (FindingKind.BAD_VALUE, P, "latitude: 50", "latitude: 91", "91"),
    (FindingKind.BAD_VALUE, P, "latitude: 50", "latitude: .nan", ".nan"),
    (FindingKind.BAD_VALUE, P, "driver: bird", "driver: brid", "brid"),
    (FindingKind.BAD_VALUE, P, "kind: transit", "kind: transt", "transt"),
    (FindingKind.BAD_VALUE, P, "asn: 64496", "asn: 4294967296", "4294967296"),
    (FindingKind.BAD_VALUE, P, "no-asia:", "no-export:", "no-export"),
    (FindingKind.BAD_VALUE, P, '"64496:3"', '"70000:3"', '"70000:3"'),
    (FindingKind.BAD_VALUE, S, "192.0.2.0/24", "192.0.2.1/24", "192.0.2.1/24"),
    (FindingKind.BAD_VALUE, S, "", POLICY + "{prepend: 17}\n", "17"),
    (FindingKind.BAD_VALUE, S, "", POLICY + "{med: 4294967296}\n", "4294967296"),
    (FindingKind.BAD_VALUE, S, "name: example.com}", "name: example.com}\n    fall: 0", "0"),
    (FindingKind.BAD_VALUE, S, "name: example.com}", "name: example.com}\n    rise: 0", "0"),
    (FindingKind.BAD_VALUE, S, "name: example.com}", "name: example.com}\n    interval: 0s", "0s"),
    (FindingKind.BAD_VALUE, S, "dns: {address: 192.0.2.53, name: example.com}", "exec: {command: [sh]}", "[sh]"),
    (FindingKind.UNIT, P, "capacity: 10G", "capacity: 10", "10"),
    (FindingKind.UNIT, P, "capacity: 10G", "capacity: 10g", "10g"),
    (FindingKind.UNIT, P, "asn: 64496", "asn: 64496\n    hold_time: 30", "30"),
    (FindingKind.UNIT, S, "name: example.com}", "name: example.com}\n    interval: 1", "1"),
    (FindingKind.SECRET, P, "asn: 64496", "asn: 64496\n    password: hunter2", "password"),
    (FindingKind.SECRET, P, "asn: 64496", "asn: 64496\n    password_file: hunter2", "hunter2"),
    (FindingKind.SECRET, P, "driver: bird", "driver: bird, options: {password: hunter2}", "password"),
    (
        FindingKind.SECRET,
        S,
        "dns: {address: 192.0.2.53, name: example.com}",
        "http: {url: 'http://u:hunter2@h/'}",
        "'http",
    ),
    (
        FindingKind.SECRET,
        S,
        "dns: {address: 192.0.2.53, name: example.com}",
        "http: {url: 'http://h/', headers: {Authorization: hunter2}}",
        "Authorization",
    ),
    (FindingKind.PITFALL, P, "asn: 64496", "asn: 64496\n    bfd: no", "no"),
    (FindingKind.PITFALL, S, "name: example.com}", "name: example.com, port: 053}", "053"),
    (FindingKind.PITFALL, S, "", POLICY + "{med: 1:30}\n", "1:30"),
    (FindingKind.UNKNOWN_POP, S, "pops: all", "pops: [fra1, lon2, nrt1]", "lon2"),
    (FindingKind.UNKNOWN_POP, S, "", POLICY + "{pops: {fra2: {prepend: 1}}}\n", "fra2"),
    (
        FindingKind.UNKNOWN_POP,
        S,
        "",
        'maintenance: [{start: "2026-03-01T02:00:00Z", end: "2026-03-01T03:00:00Z", pops: [x], reason: y}]\n',
        "x]",
    ),
    (FindingKind.UNKNOWN_UPSTREAM, S, "", POLICY + "{upstreams: {transit-x: {prepend: 1}}}\n", "transit-x"),
    (
        FindingKind.UNKNOWN_UPSTREAM,
        S,
        "",
        POLICY + "{pops: {fra1: {upstreams: {transit-c: {prepend: 1}}}}}\n",
        "transit-c",
    ),
    (FindingKind.UNKNOWN_REGION, P, "region: europe", "region: europa", "europa"),
    (FindingKind.UNKNOWN_WORD, S, "", POLICY + "{upstreams: {transit-a: {communities: [no-asai]}}}\n", "no-asai"),
    (FindingKind.UNKNOWN_WORD, S, "", POLICY + "{communities: [no-asia]}\n", "no-asia"),
    (FindingKind.DUPLICATE_NAME, "pops/nrt1.yaml", "name: nrt1", "name: fra1", "fra1"),
    (FindingKind.DUPLICATE_NAME, "services/web.yaml", "name: web", "name: dns", "dns"),
    (
        FindingKind.DUPLICATE_NAME,
        P,
        "name: transit-b",
        "name: transit-a",
        "transit-a\n    kind: transit\n    asn: 64497",
    ),
    (FindingKind.REPEATED, F, "[europe, asia]", "[europe, asia, europe]", "europe]"),
    (FindingKind.REPEATED, S, "pops: all", "pops: [fra1, lon1, fra1]", "fra1]"),
    (FindingKind.REPEATED, S, "[192.0.2.0/24]", "[192.0.2.0/24, 192.0.2.0/24]", "192.0.2.0/24]"),
    (FindingKind.REPEATED, S, "[192.0.2.53]", "[192.0.2.53, 192.0.2.53]", "192.0.2.53]"),
    (FindingKind.SESSION_CLASH, P, "203.0.113.2", "203.0.113.1", "203.0.113.1\n"),
    (FindingKind.SESSION_CLASH, "pops/nrt1.yaml", "198.51.100.3", "198.51.100.2", "198.51.100.2"),
    (FindingKind.PREFIX_LENGTH, S, "192.0.2.0/24", "192.0.2.0/25", "192.0.2.0/25"),
    (FindingKind.PREFIX_LENGTH, "services/web.yaml", "2001:db8:80::/48", "2001:db8:80::/49", '"2001'),
    (
        FindingKind.OVERLAP,
        "services/web.yaml",
        '"2001:db8:80::/48"',
        '"2001:db8:80::/48", 192.0.2.0/24',
        "192.0.2.0/24",
    ),
    (
        FindingKind.OVERLAP,
        "services/web.yaml",
        '"2001:db8:80::/48"',
        '"2001:db8:80::/48", 192.0.0.0/16',
        "192.0.0.0/16",
    ),
    (FindingKind.OUTSIDE, S, "addresses: [192.0.2.53]", "addresses: [192.0.3.53]", "192.0.3.53"),
    (FindingKind.OUTSIDE, S, "[192.0.2.0/24]", "[192.0.2.0/24]\nmitigations: [192.0.3.0/24]", "192.0.3.0/24"),
    (FindingKind.OUTSIDE, S, "[192.0.2.0/24]", "[192.0.2.0/24]\nmitigations: [192.0.2.0/24]", "192.0.2.0/24]"),
    (
        FindingKind.REPEATED,
        S,
        "[192.0.2.0/24]",
        "[192.0.2.0/23]\nmitigations: [192.0.2.0/24, 192.0.3.0/24, 192.0.2.0/24]",
        "192.0.2.0/24]",
    ),
    (FindingKind.NOT_UNICAST, S, "[192.0.2.0/24]", "[192.0.2.0/24, 224.0.0.0/24]", "224.0.0.0/24"),
    (FindingKind.NOT_UNICAST, S, "[192.0.2.0/24]", "[192.0.2.0/24, 0.0.0.0/0]", "0.0.0.0/0"),
    (FindingKind.COVERED, S, "[192.0.2.0/24]", "[192.0.2.0/23, 192.0.2.0/24]", "192.0.2.0/24]"),
    (FindingKind.SHARED_UNUSED, F, "", "shared_prefixes: {192.0.2.0/24: all}\n", "192.0.2.0/24"),
    (FindingKind.FAMILY, P, "address: 203.0.113.1", "address: 203.0.113.1\n        local_address: 2001:db8::1", "2001"),
    (FindingKind.HOLD_TIME, P, "asn: 64496", "asn: 64496\n    hold_time: 1s", "1s"),
    (FindingKind.HOLD_TIME, P, "asn: 64496", "asn: 64496\n    hold_time: 2s", "2s"),
    (FindingKind.HOLD_TIME, P, "asn: 64496", "asn: 64496\n    hold_time: 3500ms", "3500ms"),
    (FindingKind.SLOW_DETECTION, P, "asn: 64496", "asn: 64496\n    bfd: false\n    hold_time: 90s", "90s"),
    (FindingKind.SLOW_DETECTION, P, "asn: 64496", "asn: 64496\n    bfd: false\n    hold_time: 0s", "0s"),
    (FindingKind.PRIVATE_TRANSIT, P, "asn: 64496", "asn: 64512", "64512"),
    (FindingKind.RESERVED_ASN, P, "asn: 64496", "asn: 23456", "23456"),
    (FindingKind.RESERVED_ASN, F, "asn: 64500", "asn: 0", "0"),
    (FindingKind.UNSEEN, S, "", POLICY + "{local_preference: 200}\n", "200"),
    (FindingKind.SILENT_POP, S, "", POLICY + "{pops: {fra1: {announce: false}}}\n", "{pops"),
    (FindingKind.TIMING, S, "name: example.com}", "name: example.com}\n    timeout: 2s", "2s"),
    (FindingKind.TIMING, S, "name: example.com}", "name: example.com}\n    confirm_interval: 2s", "2s"),
    (FindingKind.CHECK_KIND, S, "    dns: {address: 192.0.2.53, name: example.com}\n", "", "name: dns"),
    (
        FindingKind.CHECK_KIND,
        S,
        "name: example.com}",
        "name: example.com}\n    icmp: {address: 192.0.2.53}",
        "name: dns",
    ),
    (FindingKind.NO_HARD_CHECK, S, "name: example.com}", "name: example.com}\n    severity: soft", "- name"),
    (FindingKind.QUORUM, S, "", "quorum: 1 of 2\n", "1 of 2"),
    (FindingKind.QUORUM, S, "", "quorum: 0 of 1\n", "0 of 1"),
    (FindingKind.QUORUM, S, "", "quorum: most\n", "most"),
    (FindingKind.FLOOR_IMPOSSIBLE, S, "", "floor: {pops: 4}\n", "4"),
    (FindingKind.FLOOR_IMPOSSIBLE, S, "", "floor: {capacity: 31G}\n", "31G"),
    (FindingKind.NO_FLOOR, S, "", "floor: {pops: 0}\n", "0"),
    (FindingKind.FLOOR_TIGHT, S, "", "floor: {pops: 3}\n", "3"),
    (FindingKind.FLOOR_TIGHT, S, "pops: all", "pops: [fra1]", "[fra1]"),
    (FindingKind.FLOOR_TIGHT, S, "", "floor: {capacity: 25G}\n", "25G"),
    (FindingKind.DAMPENING, S, "", "dampening: {reuse: 2500}\n", "2500"),
    (FindingKind.DAMPENING, S, "", "dampening: {max_suppress: 60s}\n", "60s"),
    (
        FindingKind.WINDOW,
        S,
        "",
        'maintenance: [{start: "2026-03-01T02:00:00Z", end: 2026-03-01T02:00:00+01:00, pops: all, reason: y}]\n',
        "2026-03-01T02:00:00+01:00",
    ),
    (
        FindingKind.UNIT,
        S,
        "",
        'maintenance: [{start: 2026-03-01T02:00:00, end: "2026-03-01T03:00:00Z", pops: all, reason: y}]\n',
        "2026-03-01T02:00:00,",
    ),
    (FindingKind.NO_EFFECT, S, "", "lease: {hold: 5m}\n", "5m"),
    (FindingKind.NO_EFFECT, S, "", "floor: {allow_no_floor: true}\n", "true"),
]

ELSEWHERE = {  # those that need more than one edit of one file; tested in test_load, test_folder and test_notify
    FindingKind.NOTIFIER_KIND,
    FindingKind.UNKNOWN_NOTIFIER,
    FindingKind.UNKNOWN_SERVICE,
    FindingKind.NO_PAGE_ROUTE,
    FindingKind.UNREADABLE,
    FindingKind.NOT_UTF8,
    FindingKind.MISPLACED_FILE,
    FindingKind.MISSING_FILE,
    FindingKind.CAPACITY_UNKNOWN,
}


def text_at(folder: Path, finding: Finding) -> str:
    lines = Path(finding.file).read_text(encoding="utf-8").splitlines(keepends=True)
    assert Path(finding.file).is_relative_to(folder)
    return "".join([lines[finding.line - 1][finding.column - 1 :], *lines[finding.line :]])


@pytest.mark.mission("C3")
@pytest.mark.parametrize(
    ("kind", "file", "old", "new", "begins"),
    CASES,
    ids=[f"{case[0].code}-{number}" for number, case in enumerate(CASES)],
)
def test_a_mistake_is_found_at_its_place(
    kind: FindingKind, file: str, old: str, new: str, begins: str, tmp_path: Path
) -> None:
    write(tmp_path, edited(file, old, new))

    result = load_fleet(tmp_path)

    found = [finding for finding in result.findings if finding.code == kind.code]
    assert len(found) == 1, [str(finding) for finding in result.findings]
    assert found[0].file == str(tmp_path / file)
    assert found[0].severity is kind.severity
    if begins:
        assert text_at(tmp_path, found[0]).startswith(begins)
    assert (result.fleet is None) == (kind.severity is Severity.ERROR)
    assert all(finding.code == kind.code for finding in result.errors), [str(each) for each in result.errors]
    assert "hunter2" not in str(found[0])


def test_every_kind_of_finding_is_tested() -> None:
    assert {case[0] for case in CASES} | ELSEWHERE == set(FindingKind)


def test_codes_are_unique_and_in_order() -> None:
    codes = [kind.code for kind in FindingKind]
    assert codes == sorted(set(codes))


def test_the_small_fleet_has_no_finding(tmp_path: Path) -> None:
    result = load_fleet(write(tmp_path, SMALL))

    assert result.findings == ()
    assert result.fleet is not None
