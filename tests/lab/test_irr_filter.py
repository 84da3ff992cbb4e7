"""Prefix filters in the daemons that they are for, which let pass exactly what the filter means; and beside bgpq4's."""

import asyncio
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from anycastle.io.irr.expand import expand, originated
from anycastle.io.irr.filter_bird import bird_filter
from anycastle.io.irr.filter_frr import frr_filter
from anycastle.io.irr.registry import FileRegistry
from anycastle.io.irr.server_registry import Server, ServerRegistry
from anycastle.lab.bird_node import ask
from anycastle.lab.irr_server import IRRServer
from anycastle.model.asn import ASN
from anycastle.model.irr import ASSet, RouteObject, parse_member, parse_set_name
from anycastle.model.prefix import Family, Prefix, parse_prefix
from anycastle.model.prefix_range import PrefixRange
from anycastle.watch.irr.database import Database
from anycastle.watch.irr.prefix_filter import PrefixFilter, prefix_filter
from tests.lab.conftest import PATH

pytestmark = [pytest.mark.lab, pytest.mark.mission("C11")]

DEADLINE_S = 30.0
FIRST_ASN = 70_000  # real ones: bgpq4 leaves out those for documentation
REGISTERED = {
    Family.IPV4: [
        "192.0.2.0/24", "198.51.100.0/25", "198.51.100.128/25", "203.0.113.0/26",
        "10.0.0.0/15", "10.0.0.0/16", "10.1.0.0/16", "10.128.0.0/9",
    ],
    Family.IPV6: ["2001:db8:53::/48", "2001:db8:54::/48", "2001:db8:55::/48", "2001:db8:8000::/33"],
}  # fmt: skip
UNFILTERED = {Family.IPV4: parse_prefix("100.64.0.0/10"), Family.IPV6: parse_prefix("2001:db8:ffff::/48")}
"""A route that FRR announces past the filter: it is there, so what is not there was refused."""
SETTINGS = {"exact": (None, None), "up to": (25, 49), "short": (24, 48), "nothing": (8, 16)}


def registry() -> Database:
    """Sets in sets with a circle; each prefix has an origin of its own, one has two."""
    prefixes = [parse_prefix(text) for texts in REGISTERED.values() for text in texts]
    routes = [RouteObject(each, ASN(FIRST_ASN + number), "RIPE") for number, each in enumerate(prefixes)]
    half = len(routes) // 2
    first = [parse_member(f"AS{each.origin}") for each in routes[:half]]
    rest = [parse_member(f"AS{each.origin}") for each in routes[half:]]
    return Database(
        [
            *routes,
            RouteObject(prefixes[0], ASN(FIRST_ASN + 5), "RADB"),
            RouteObject(parse_prefix("172.16.0.0/12"), ASN(FIRST_ASN + 99), "RADB"),
            ASSet(parse_set_name("AS-TOP"), (*first, parse_set_name("AS-LOW")), source="RIPE"),
            ASSet(
                parse_set_name("AS-LOW"), (*rest, parse_set_name("AS-TOP"), parse_set_name("AS-NONE")), source="RIPE"
            ),
        ]
    )


def filters(setting: str) -> dict[Family, PrefixFilter]:
    async def make() -> dict[Family, PrefixFilter]:
        held = FileRegistry(registry())
        expanded = await expand(held, [parse_set_name("AS-TOP")])
        found = await originated(held, expanded.asns, Family)
        return {
            family: prefix_filter(f"AS_TOP_v{version}", family, found.prefixes, length)
            for family, version, length in zip(Family, (4, 6), SETTINGS[setting], strict=True)
        }

    return asyncio.run(make())


def candidates(family: Family) -> list[Prefix]:
    """What is registered, what covers it, what lies beside it, and what lies in it to three bits more."""
    found: set[Prefix] = set()
    for prefix in map(parse_prefix, REGISTERED[family]):
        for length in range(max(1, prefix.length - 2), min(family.bits, prefix.length + 4)):
            step = 1 << (family.bits - length)
            start = prefix.network // step * step
            found |= {Prefix(family, start, length), Prefix(family, (start ^ step) // step * step, length)}
    return sorted(found)


@contextmanager
def daemon(folder: Path, *command: str) -> Iterator[None]:
    with (folder / "daemon.log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, "PATH": PATH})
    try:
        yield
    finally:
        process.terminate()
        process.wait(10)


def poll(folder: Path, ready: object) -> object:
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        if (value := ready()) is not None:  # type: ignore[operator]
            return value
        time.sleep(0.05)
    raise AssertionError((folder / "daemon.log").read_text()[-2000:])


@pytest.mark.parametrize("setting", SETTINGS)
def test_bird_lets_pass_what_the_filter_means(setting: str, tmp_path: Path) -> None:
    made = filters(setting)
    lines = ["router id 192.0.2.1;"]
    for family, each in made.items():
        lines += [*bird_filter(each), f"protocol static s{family} {{ {family} {{ import where net ~ {each.name}; }};"]
        lines += [f"  route {prefix} blackhole;" for prefix in candidates(family)] + ["}"]
    config, control = tmp_path / "bird.conf", tmp_path / "bird.ctl"
    config.write_text("\n".join([*lines, ""]))
    checked = subprocess.run(
        ["bird", "-p", "-c", config], capture_output=True, text=True, env={"PATH": PATH}, check=False
    )
    assert checked.returncode == 0, checked.stderr
    bird = shutil.which("bird", path=PATH)
    assert bird is not None
    with daemon(tmp_path, bird, "-f", "-c", str(config), "-s", str(control), "-P", str(tmp_path / "bird.pid")):
        poll(tmp_path, lambda: True if control.exists() else None)
        for family, each in made.items():
            shown = ask(control, f"show route protocol s{family}")
            passed = {parse_prefix(word) for word in shown.split() if "/" in word and word[0] in "0123456789"}
            assert passed == {prefix for prefix in candidates(family) if each.accepts(prefix)}


@pytest.mark.parametrize("setting", SETTINGS)
def test_frr_lets_pass_what_the_filter_means(setting: str, tmp_path: Path) -> None:
    made = filters(setting)
    lines = [line for each in made.values() for line in frr_filter(each)]
    for family, each in made.items():
        word = "ip" if family is Family.IPV4 else "ipv6"
        lines += [f"route-map M{family} permit 1", f" match {word} address prefix-list {each.name}", "exit"]
    lines += ["router bgp 64500", " bgp router-id 192.0.2.1", " no bgp network import-check"]
    for family in made:
        lines += [f" address-family {family} unicast"]
        lines += [f"  network {prefix} route-map M{family}" for prefix in candidates(family)]
        lines += [f"  network {UNFILTERED[family]}", " exit-address-family"]
    config = tmp_path / "bgpd.conf"
    config.write_text("\n".join([*lines, ""]))
    checked = subprocess.run(
        ["vtysh", "-C", "-f", config], capture_output=True, text=True, env={"PATH": PATH}, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
    command = ("/usr/lib/frr/bgpd", "-S", "-Z", "-n", "-P", "0", "-p", "0", "-f", str(config), "-i",
               str(tmp_path / "bgpd.pid"), "--vty_socket", str(tmp_path))  # fmt: skip

    def routes(family: Family) -> set[Prefix] | None:
        words = ["vtysh", "--vty_socket", str(tmp_path), "-d", "bgpd", "-c", f"show bgp {family} unicast json"]
        shown = subprocess.run(words, capture_output=True, text=True, env={"PATH": PATH}, check=False)
        try:
            return {parse_prefix(prefix) for prefix in json.loads(shown.stdout).get("routes", {})}
        except json.JSONDecodeError:
            return None

    with daemon(tmp_path, *command):
        for family, each in made.items():
            wanted = {UNFILTERED[family], *(prefix for prefix in candidates(family) if each.accepts(prefix))}
            assert (len(wanted) > 1) is (setting != "nothing")
            poll(tmp_path, lambda family=family, wanted=wanted: True if routes(family) == wanted else None)
            assert routes(family) == wanted


def _ranges_of(text: str) -> set[PrefixRange]:
    (entries,) = json.loads(text).values()
    return {
        PrefixRange(
            prefix := parse_prefix(each["prefix"]),
            each.get("greater-equal", prefix.length),
            each.get("less-equal", prefix.length),
        )
        for each in entries
    }


@pytest.mark.parametrize("set_prefixes", [True, False], ids=["a server with !a", "a server without"])
@pytest.mark.parametrize("family", Family, ids=str)
@pytest.mark.parametrize("setting", ["exact", "up to"])
def test_bgpq4_finds_the_same_prefixes(setting: str, family: Family, *, set_prefixes: bool) -> None:
    program = shutil.which("bgpq4")
    if program is None:
        pytest.skip("bgpq4 is not installed (Debian package bgpq4)")
    length = SETTINGS[setting][family - 1]

    async def both() -> tuple[PrefixFilter, set[PrefixRange], list[Prefix]]:
        server = IRRServer(registry(), set_prefixes=set_prefixes)
        port = await server.start()
        of_ours = ServerRegistry((Server("127.0.0.1", port),))
        expanded = await expand(of_ours, [parse_set_name("AS-TOP")])
        found = await originated(of_ours, expanded.asns, [family])
        await of_ours.close()
        limits = () if length is None else ("-m", str(length), "-R", str(length))
        words = ("-h", f"127.0.0.1:{port}", "-j", "-A", "-4" if family is Family.IPV4 else "-6", *limits, "AS-TOP")
        process = await asyncio.create_subprocess_exec(program, *words, stdout=-1, stderr=-1)
        async with asyncio.timeout(DEADLINE_S):
            said, troubles = await process.communicate()
        await server.close()
        assert process.returncode == 0, troubles
        ours = prefix_filter("X", family, found.prefixes, length)
        return ours, _ranges_of(said.decode()), sorted(found.prefixes)

    ours, theirs, prefixes = asyncio.run(both())
    asked = {*candidates(family), *prefixes, *_corners([*ours.ranges, *theirs])}
    assert {each for each in asked if ours.accepts(each)} == {
        each for each in asked if any(one.matches(each) for one in theirs)
    }
    assert len(ours.ranges) <= len(theirs)


def _corners(ranges: Iterable[PrefixRange]) -> Iterator[Prefix]:
    """Give the first and the last prefix of each length that a range speaks of, and of those beside it."""
    for each in ranges:
        family, prefix = each.prefix.family, each.prefix
        for length in {prefix.length, each.shortest, each.longest, min(each.longest + 1, family.bits)}:
            yield Prefix(family, prefix.network, length)
            yield Prefix(
                family, (prefix.network | prefix.host_mask) >> (family.bits - length) << (family.bits - length), length
            )
