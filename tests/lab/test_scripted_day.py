"""A scripted day of three PoPs, and what our telemetry says of it, beside what the lab's own clients counted.

A minute and a half of traffic in which a PoP is cut off, another drained, a name server dies, a web server hangs,
others answer with errors, an attack is filtered, a router elsewhere announces a part of our prefix, logs are rotated,
and one of the collectors is killed; one upstream follows what it is told of a test prefix, and another does not. Then
each indicator is read, and compared with a count that shares no code with it: the clients' own, their kernels'
counters, and the routers' logs and tables.
"""

import json
import os
import re
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from anycastle.io.event_log import EventLog
from anycastle.lab.ledger import default_run_dir
from anycastle.lab.namespaces import NamespacesLab, missing
from anycastle.lab.netns import program, run
from anycastle.slo.reading import GLOBAL, Reading
from anycastle.slo.telemetry.cells import summed
from anycastle.slo.telemetry.measurements import Measurements
from tests.lab import day_rig as rig
from tests.lab.day_toggles import Toggles

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(bool(missing()), reason=f"the namespaces lab needs {', '.join(missing())}: `sudo make lab`"),
    pytest.mark.skipif(
        bool(rig.lacking()), reason=f"not installed: {', '.join(rig.lacking())}: `sudo make lab-packages`"
    ),
]

DAY_S = 98.0
ATTACK_PACKETS = 3000
CLOCKS_S = 0.3
"""Between a router's log and our watch's: two processes, one machine; BIRD hands routes on in rounds."""


@pytest.fixture
def lab() -> Iterator[NamespacesLab]:
    built = NamespacesLab(rig.topology(), default_run_dir(f"day-{os.getpid()}"), rig.WebPoP(), state_in_memory=True)
    rig.one_check_is_enough(built)
    built.build()
    try:
        built.wait_steady()
        yield built
    finally:
        for pop in rig.POPS:
            with suppress(OSError, ValueError):
                os.kill(rig.varnishncsa_pid(built, pop), signal.SIGTERM)
        built.down()


class Day:
    """The script, and where all that it leaves is."""

    def __init__(self, lab: NamespacesLab) -> None:
        self.lab = lab
        self.counted: dict[str, Path] = {}
        self.sent_before: dict[str, int] = {}
        self.watch = rig.start_watch(lab)
        self.toggles = Toggles(lambda: lab.bird("ear", f"show route for {rig.TEST_PREFIX} all"), rig.SETTLE_S)
        run(program("birdc"), "-s", str(lab.wiring.control_socket("ear")), "debug all { states, routes }")
        for transit in ("t1", "t2"):
            run(program("birdc"), "-s", str(lab.wiring.control_socket(transit)), "debug all { states, routes }")
        for client in rig.CLIENTS:
            lab.namespace(client).run(program("nft"), "-f", "-", text=rig.SENT)
        lab.namespace("c9").batch(f"addr add {rig.ATTACKER}/32 dev lo")
        results = {client: lab.wiring.folder(client) / "results.ndjson" for client in rig.CLIENTS}
        central = rig.central_file(lab, results, self.watch)
        for pop in rig.POPS:
            rig.start_varnishncsa(lab, pop)
            rig.telemetry_file(lab, pop)
            rig.start_telemetry(lab, pop)
        lab.spawn_anycastle(
            "telemetry-central", "watch", "telemetry", "run", str(central), "--state-dir", str(self.watch / "telemetry")
        )
        for node in (*rig.POPS, "watch"):
            lab.until(lambda node=node: rig.answers(lab, node), f"the telemetry of {node} answers")
        lab.until(self._watched, "the watch sees all prefixes through every peer")

    def _watched(self) -> bool:
        views = rig.fetched(self.lab, "watch").views
        return len(views) == 3 and all(each["seeing"] == each["able"] == len(self.peers) for each in views.values())

    @property
    def peers(self) -> list[str]:
        return ["t1", "t2", *rig.CLIENTS]

    def live(self) -> None:
        lab = self.lab
        for client in rig.CLIENTS:
            self.sent_before[client] = rig.counter(lab, client, "sent", "dns")
            rig.start_prober(lab, client)
        for client in rig.CLIENTS:
            self.counted[client] = rig.start_client(lab, client)
        script = [
            (8.0, "pop2 is cut off", lambda: self._cut("pop2")),
            (16.0, "pop2 is back", lambda: lab.namespace("pop2").run(program("nft"), "delete", "table", "inet", "cut")),
            (24.0, "edge is drained at pop1", lambda: self._agent("pop1", "drain", "edge")),
            (26.0, "pop1's name server dies", lambda: lab.kill("nsd-pop1")),
            (29.0, "a check of pop3 is wrong", lambda: (lab.wiring.folder("pop3") / "wrong").touch()),
            (36.0, "it is right again", lambda: (lab.wiring.folder("pop3") / "wrong").unlink()),
            (38.0, "pop3's web server hangs", lambda: lab.signal("nginx-pop3", signal.SIGSTOP)),
            (41.0, "pop3's web server goes on", lambda: lab.signal("nginx-pop3", signal.SIGCONT)),
            (44.0, "pop2's logs are rotated", self._rotate),
            (48.0, "pop2 answers with errors", lambda: (lab.wiring.folder("pop2") / "burst").touch()),
            (53.0, "pop2 answers again", lambda: (lab.wiring.folder("pop2") / "burst").unlink()),
            (55.0, "pop3's collector is killed", lambda: lab.kill("telemetry-pop3")),
            (57.0, "pop3's collector is started again", lambda: rig.start_telemetry(lab, "pop3")),
            (60.0, "an attack begins", lambda: setattr(self, "attack", rig.attack(lab, ATTACK_PACKETS, 10.0))),
            (66.0, "a router announces a part of edge's prefix", lambda: rig.rogue(lab, on=True)),
            (80.0, "it stops", lambda: rig.rogue(lab, on=False)),
            (94.0, "edge is undrained at pop1", lambda: self._agent("pop1", "undrain", "edge")),
            (94.1, "pop1's name server is back", lambda: lab.start_service("pop1")),
            (DAY_S, "the day ends", lambda: None),
        ]
        script += self._toggled()
        self.began = time.monotonic()
        for _ in rig.at_times(self.began, sorted(script, key=lambda step: step[0])):
            pass
        assert self.attack.wait(30) == 0
        for client in rig.CLIENTS:
            lab.signal(f"client-{client}", signal.SIGTERM)
        for client in rig.CLIENTS:
            lab.wait(f"client-{client}")
            lab.stop(f"prober-{client}")
        # Sessions that fell silent are ended by their proxies after four seconds; slots of checks settle after ten.
        time.sleep(14.0)

    def _cut(self, pop: str) -> None:
        """Drop all on its uplinks: the carriers stay, as when the fabric before it dies."""
        rules = "".join(
            f"add chain inet cut {hook} {{ type filter hook {hook} priority -500; }}\n"
            f'add rule inet cut {hook} {interface} != "lo" drop\n'
            for hook, interface in (("prerouting", "iifname"), ("output", "oifname"))
        )
        rules = f"add table inet cut\n{rules}"
        self.lab.namespace(pop).run(program("nft"), "-f", "-", text=rules)

    def _agent(self, pop: str, command: str, service: str) -> None:
        request = {"command": command, "services": [service], "owner": "lab", "reason": "the script"}
        self.lab.agent(pop, request | ({"soak_s": 0.0, "wait_s": 60.0} if command == "drain" else {}))

    def _toggled(self) -> list[tuple[float, str, Callable[[], None]]]:
        """Tell one upstream that the test prefix is about to go, and that it stays; then the other, more often."""
        drain = {"command": "drain", "soak_s": 3600.0, "wait_s": 60.0}
        script = []
        for number, (pop, asn) in enumerate([("pop1", 64496)] * 2 + [("pop2", 64497)] * 6):
            told = {"command": "undrain"} if number % 2 else drain
            request = told | {"services": ["test"], "owner": "lab", "reason": "a toggle"}
            act = partial(self.lab.agent, pop, request)
            script += self.toggles.steps(
                28.5 + 8.0 * number, asn, f"{told['command']} of the test prefix at {pop}", act
            )
        return script

    def _rotate(self) -> None:
        folder = self.lab.wiring.folder("pop2")
        for log in ("nginx.log", "varnish.log"):
            (folder / log).rename(folder / f"{log}.1")
        self.lab.signal("nginx-pop2", signal.SIGUSR1)
        os.kill(rig.varnishncsa_pid(self.lab, "pop2"), signal.SIGHUP)

    # -- the lab's own counts -----------------------------------------------------------------------------------------

    def clients(self) -> tuple[dict[str, Counter[str]], list[float]]:
        whole: dict[str, Counter[str]] = {}
        times: list[float] = []
        for out in self.counted.values():
            told = json.loads(out.read_text())
            times += told["times_ms"]
            for what, row in told["counts"].items():
                whole.setdefault(what, Counter()).update(row)
        return whole, sorted(times)

    def lateness_ms(self) -> float:
        """Give by how much the clients' own loops were late, at p95: so far their times are not to be trusted."""
        late = [each for out in self.counted.values() for each in json.loads(out.read_text())["late_ms"]]
        return percentile(sorted(late), 0.95)

    def wrong_checks(self) -> float:
        """Give the share of seconds, of two checks at each PoP that served clients, in which one was made wrong."""
        served: dict[str, set[int]] = {}
        for out in self.counted.values():
            for pop, seconds in json.loads(out.read_text())["served"].items():
                served.setdefault(pop, set()).update(seconds)
        wrong = [at for at in served["pop3"] if self.wall(29.0) <= at <= self.wall(36.0)]
        return len(wrong) / (2 * sum(map(len, served.values())))

    def sent(self) -> int:
        return sum(rig.counter(self.lab, client, "sent", "dns") - self.sent_before[client] for client in rig.CLIENTS)

    def courses(self) -> list[float]:
        """Give how long each peer took after each change of ours, from the logs of routers alone.

        A change begins with the UPDATE that reaches the PoP's neighbour; a peer is done with its last one before all
        was quiet, if that was before the next change of the prefix.
        """
        courses = []
        for prefix in ("192.0.2.0/24", "198.51.100.0/24", rig.TEST_PREFIX):
            heard = [(at, protocol) for at, protocol, _ in bird_routes(self.lab, "ear", prefix) if protocol != "watch"]
            starts = self._changes(prefix)
            for start, following in pairwise([*starts, float("inf")]):
                if following - start < rig.QUIET_S:
                    continue  # a drain's first step, which its second one cuts off
                last: dict[str, float] = {}
                end = start + rig.QUIET_S
                for at, protocol in heard:
                    if start - 0.2 <= at < min(end, following - 0.2):
                        last[protocol] = max(0.0, at - start)
                        end = at + rig.QUIET_S
                courses += last.values()
        return sorted(courses)

    def _changes(self, prefix: str) -> list[float]:
        """Give when UPDATEs of a PoP reached its transits, since the cable that was cut had been mended for long."""
        heard = sorted(
            at
            for transit in ("t1", "t2")
            for at, protocol, _ in bird_routes(self.lab, transit, prefix)
            if protocol in ("bgp_pop1", "bgp_pop2", "bgp_pop3") and at >= self.wall(23.0)
        )
        return [at for number, at in enumerate(heard) if not number or at - heard[number - 1] > 0.001]

    def visible(self) -> float:
        """Give the share of the collector's peers that have a route of our own AS to the edge, by the collector."""
        told = self.lab.bird("ear", "show route for 192.0.2.0/24 all")
        origins = re.findall(r"BGP\.as_path: (?:.* )?64500\b", told)
        return len(origins) / len(self.peers)

    def wall(self, after_s: float) -> float:
        return time.time() - time.monotonic() + self.began + after_s


def bird_routes(lab: NamespacesLab, node: str, prefix: str) -> list[tuple[float, str, str]]:
    """Give when which session of a BIRD brought, changed or removed a route, as its log says."""
    line = re.compile(r"^(\S+ \S+) <TRACE> (\w+?)(?:\.ipv4)? > (\w+) .*?" + re.escape(prefix) + r"[ -]")
    found = []
    for text in (lab.wiring.folder(node) / "bird.log").read_text().splitlines():
        match = line.match(text)
        if match:
            at = datetime.fromisoformat(match[1]).timestamp()
            found.append((at, match[2], match[3]))
    return found


def percentile(ordered: list[float], level: float) -> float:
    return ordered[min(len(ordered) - 1, int(level * len(ordered)))]


@pytest.mark.thorough
@pytest.mark.mission("C8", "C13", "F4", "M1", "M2", "M3", "M4", "M5", "M6", "M7", "M8", "M9", "M10")
def test_every_indicator_of_a_day_is_what_the_clients_counted_themselves(
    lab: NamespacesLab, capsys: pytest.CaptureFixture[str]
) -> None:
    day = Day(lab)
    day.live()
    lab.until(lambda: len(rig.fetched(lab, "watch").courses) > 0, "the watch has measured", 60.0)
    told = toggles_told(day)
    parts = {node: rig.fetched(lab, node) for node in (*rig.POPS, "watch")}
    whole = summed(parts.values())
    readings = whole.readings(np.random.default_rng(1))
    counts, times = day.clients()
    rows = compare(day, readings, counts, times)
    with capsys.disabled():
        print_table(rows, readings)
        print({what: dict(sorted(row.items())) for what, row in sorted(counts.items())})
        for each in told["verdicts"]:
            print(*(each[name] for name in ("upstream", "instruction", "toggles", "compliance", "reason")))
        print("courses counted:", len(day.courses()), "damaged lines:", {pop: damaged(lab, pop) for pop in rig.POPS})
    with EventLog(day.watch / "state" / "events.db", read_only=True) as log:
        found = {(each.fields["finding_kind"], *each.fields["prefixes"]) for each in log.read(kind="finding_opened")}
    assert ("sub_prefix", rig.ROGUE_PREFIX) in found
    for pop in rig.POPS:
        assert counted_lines(parts[pop]) == written_lines(lab, pop), "each line once, rotated or not, killed or not"
    m10 = next(row for row in rows if row[0] == "M10")
    assert m10[2] == m10[3] == 0.5, (m10, told)
    assert not told["left_out"]
    for each in told["verdicts"]:
        asn = int(each["upstream"].removeprefix("AS"))
        counted = (day.toggles.verdicts()[asn], *day.toggles.counts(asn))
        assert (each["compliance"], each["toggles"], each["trials"], each["changed"]) == counted
    wrong = [row for row in rows if not row[6]]
    assert not wrong, wrong


def toggles_told(day: Day) -> dict[str, Any]:
    """Give what the watch says of the toggles once it has judged all, and the collector has asked it since."""
    command = ["watch", "toggles", "--prefix", rig.TEST_PREFIX, "--run-dir", str(day.watch / "run"), "-o", "json"]

    def ask() -> dict[str, Any]:
        return json.loads(run(sys.executable, "-c", "from anycastle.cli.main import main; main()", *command))

    def judged() -> bool:
        told = ask()
        return len(told["toggles"]) + len(told["left_out"]) == len(day.toggles.moments)

    def read() -> bool:
        latest = {each["upstream"]: datetime.fromisoformat(each["at"]).timestamp() for each in ask()["toggles"]}
        verdicts = rig.fetched(day.lab, "watch").verdicts
        return {name: max(at for _, at in told.values()) for name, told in verdicts.items()} == latest

    day.lab.until(judged, "the watch has judged each toggle", 60.0)
    day.lab.until(read, "the collector has read what it says", 60.0)
    return ask()


def counted_lines(measured: Measurements) -> tuple[int, int]:
    """Give requests with a status, and sessions, as a PoP's collector counted them; requests of the cache apart."""
    tallies = [*measured.tallies.get("client_errors", {}).values(), *measured.tallies.get("cache_hits", {}).values()]
    return int(sum(each.events + sum(each.excluded.values()) for each in tallies)), len(measured.ended)


def written_lines(lab: NamespacesLab, pop: str) -> tuple[int, int]:
    folder = lab.wiring.folder(pop)
    requests = sum(
        len(path.read_text().splitlines()) for path in (*folder.glob("nginx.log*"), *folder.glob("varnish.log*"))
    )
    lines = (folder / f"haproxy-{pop}.out").read_text().splitlines()
    sessions = sum(" long echo/" in line for line in lines)
    return requests + sum(" web cache/" in line for line in lines), sessions


def damaged(lab: NamespacesLab, pop: str) -> int:
    import urllib.request

    def ask() -> str:
        with urllib.request.urlopen("http://127.0.0.1:4318/metrics", timeout=20) as answer:
            return answer.read().decode()

    rows = re.findall(
        r'telemetry_entries_total\{outcome="damaged",source="\w+"\} ([\d.]+)', lab.namespace(pop).call(ask)
    )
    return int(sum(map(float, rows)))


Row = tuple[str, str, float, float, float, float, bool, str]
"""Indicator, what of it, ours, the clients', the interval's ends, whether it holds, and whose interval it is."""


def compare(day: Day, readings: list[Reading], counts: dict[str, Counter[str]], times: list[float]) -> list[Row]:
    def reading(indicator: str, note: str = "", scope: str = GLOBAL) -> Reading:
        return next(
            each for each in readings if each.indicator == indicator and each.scope == scope and note in each.note
        )

    def row(found: Reading, what: str, theirs: float, allowance: float = 0.0, why: str = "95 %") -> Row:
        """Compare: within the reading's own interval where it has one, and what is known of the lab's own error."""
        assert found.value is not None, (found, theirs)
        low = (found.value if found.interval is None else found.interval.low) - allowance
        high = (found.value if found.interval is None else found.interval.high) + allowance
        return found.indicator, what, found.value, theirs, low, high, low <= theirs <= high, why

    statuses = counts["status"] + counts["static"]
    bad = sum(n for status, n in statuses.items() if status != "none" and (int(status) >= 500))
    counted = sum(n for status, n in statuses.items() if status != "none" and not 400 <= int(status) < 500)
    sessions = counts["sessions"]
    ended = sessions["orderly"] + sessions["died"]
    cache = counts["cache"]
    sent, unanswered = day.sent(), counts["dns"]["unanswered"]
    offered = sent + ATTACK_PACKETS
    courses = day.courses()
    reached = counts["reached"]
    # Packets that were lost on the way to a PoP that was cut off are in the senders' counts, and in no filter's. Their
    # number is not known to anybody; the probers ask as often as the clients do.
    lost = 2 * unanswered / offered
    return [
        row(reading("M1", "p50"), "p50 ms", percentile(times, 0.5), day.lateness_ms(), "95 %, late loops"),
        row(reading("M1", "p95"), "p95 ms", percentile(times, 0.95), day.lateness_ms(), "95 %, late loops"),
        row(reading("M2"), "p95 s", percentile(courses, 0.95), CLOCKS_S, "two clocks"),
        row(reading("M3"), "rounds", reached["yes"] / sum(reached.values())),
        row(reading("M4", scope="192.0.2.0/24"), "edge", day.visible()),
        row(reading("M5"), "requests", bad / counted),
        row(reading("M6"), "sessions", sessions["died"] / ended),
        row(reading("M7", "requests"), "requests", cache["hit"] / (cache["hit"] + cache["miss"])),
        row(reading("M8", "packets"), "packets", ATTACK_PACKETS / offered, lost, "lost on the way"),
        row(reading("M9"), "checks", day.wrong_checks()),
        row(reading("M10"), "upstreams", day.toggles.complying()),
    ]


def print_table(rows: list[Row], readings: list[Reading]) -> None:
    print(f"\n{'':4}{'of':10}{'ours':>12}{'counted':>12}   {'from':>10}{'to':>12}  {'interval':18}{'holds':6}")
    for indicator, what, ours, theirs, low, high, holds, why in rows:
        print(f"{indicator:4}{what:10}{ours:12.6g}{theirs:12.6g}   {low:10.6g}{high:12.6g}  {why:18}{holds}")
    for each in readings:
        if each.scope == GLOBAL:
            print(
                f"  {each.indicator} {each.state.value}: of {each.count:g} (minimum {each.minimum:g})",
                each.note,
                each.excluded,
            )
