"""Evidence for rules, from the real engines: agents of `health`, the watch, probers; read back from real files.

Nothing here writes an event by hand: what a rule sees is what an engine said and a reader understood.
"""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from anycastle.base.ports import Instant, Now, Timestamp
from anycastle.health.agent import AgentEngine
from anycastle.health.commands import Command, Record
from anycastle.health.state import AgentState
from anycastle.io import evidence
from anycastle.io.event_log import EventLog
from anycastle.io.probe.result_json import line
from anycastle.io.response_log import read_steps, topology_of
from anycastle.lab.distance import one_way_s
from anycastle.model.asn import ASN
from anycastle.model.event import Body, Event
from anycastle.model.fleet import Fleet
from anycastle.model.pop import Location
from anycastle.model.prefix import parse_address
from anycastle.model.vantage_point import VantagePoint
from anycastle.probe.kinds.dns import DNSSeen
from anycastle.probe.result import Failure, FailureKind, Phase, ProbeResult
from anycastle.response.evidence import Case, Source, merged
from anycastle.response.story import Told, story_of
from anycastle.response.symptoms.symptom import Judgement
from anycastle.response.symptoms.table import diagnose
from tests.unit.health import world

PLACES = {
    "ams": ("europe", Location(52.37, 4.90)),
    "iad": ("north-america", Location(39.04, -77.49)),
    "sin": ("asia", Location(1.35, 103.82)),
}
CITIES = {
    "europe": [Location(52.52, 13.40), Location(48.86, 2.35), Location(50.11, 8.68), Location(51.51, -0.13),
               Location(47.37, 8.54)],
    "north-america": [Location(41.88, -87.63), Location(40.71, -74.01), Location(33.75, -84.39),
                      Location(43.65, -79.38), Location(25.76, -80.19)],
    "asia": [Location(19.08, 72.88), Location(13.75, 100.50), Location(3.14, 101.69), Location(-6.21, 106.85),
             Location(10.82, 106.63)],
}  # fmt: skip
"""Five networks of each region."""

START = world.WALL


def fleet() -> Fleet:
    """Give three PoPs on three continents."""
    made = world.fleet(world.service(pops=tuple(PLACES)), pops=tuple(PLACES))
    pops = tuple(replace(pop, region=PLACES[pop.name][0], location=PLACES[pop.name][1]) for pop in made.pops)
    return replace(made, pops=pops, regions=tuple(region for region, _ in PLACES.values()))


@dataclass
class Agent(world.World):
    """A world that notes when each event was recorded."""

    recorded: list[tuple[Timestamp, Body]] = field(default_factory=list)

    def carry_out(self, commands: list[Command]) -> None:
        """Note the time of what is recorded."""
        self.recorded += [(self.now.wall, each.body) for each in commands if isinstance(each, Record)]
        super().carry_out(commands)

    def events(self) -> list[Event]:
        """Give what its log would hold."""
        return [Event(at, self.engine.pop.name, body) for at, body in self.recorded]


def agent(pop: str = "ams") -> Agent:
    """Give a PoP's real agent engine, at work: it announces."""
    engine = AgentEngine(fleet(), pop, AgentState(), random.Random(1), Now(Instant(0.0), Timestamp(world.WALL)))
    made = Agent(engine)
    made.run(60)
    return made


def vantage_points() -> list[tuple[str, VantagePoint]]:
    """Give fifteen vantage points, five networks of each region: (region, who)."""
    return [
        (region, VantagePoint(f"{region}-{number}", ASN(64600 + 10 * at + number), place))
        for at, (region, places) in enumerate(CITIES.items())
        for number, place in enumerate(places)
    ]


def answer(who: VantagePoint, at: float, pop: str | None, address: str = "192.0.2.53") -> ProbeResult:
    """Give a probe of DNS: answered by a PoP after the time that the way takes, or by none."""
    seen = failure = None
    took_ms = 4000.0
    if pop is None:
        failure = Failure(FailureKind.TIMEOUT, "answer", "no answer in 4 s")
    else:
        seen = DNSSeen("NOERROR", ("x",), authoritative=True, truncated=False, nsid=pop, octets=64)
        assert who.location is not None
        took_ms = 2000.0 * one_way_s(who.location, PLACES[pop][1]) + 1.0
    return ProbeResult(
        who, "dns", "dns", Timestamp(at), 0.0, parse_address(address), 40_000, (Phase("answer", took_ms),), failure,
        seen, pop or "", pop or "",
    )  # fmt: skip


def home(region: str) -> str:
    """Give the PoP of a region."""
    return next(pop for pop, (its, _) in PLACES.items() if its == region)


def case_of(
    folder: Path,
    *,
    events: Iterable[Event] = (),
    watch: Iterable[Event] | None = None,
    probes: Sequence[ProbeResult] | None = None,
    alerts: str | None = None,
    telemetry: Iterable[tuple[str, Path]] = (),
    with_fleet: bool = True,
) -> Case:
    """Write what engines said into files, read them as the command does, and play them."""
    into, meant = evidence.Read(), fleet() if with_fleet else None
    for name, some in (("agent", list(events)), ("watch", watch)):
        if some:
            with EventLog(folder / f"{name}.db") as log:
                log.append(some)
            evidence.read_events(folder / f"{name}.db", into, of_watch=name == "watch")
        elif some is not None and name == "watch":
            into.given.add(Source.WATCH)
    if probes is not None:
        lines = b"".join(line(each, str(number)) for number, each in enumerate(probes))
        (folder / "results.ndjson").write_bytes(lines)
        evidence.read_probes(folder / "results.ndjson", meant, into)
    for metric, path in telemetry:
        evidence.read_telemetry(metric, path, into)
    told = []
    if alerts is not None:
        (folder / "alerts.jsonl").write_text(alerts, encoding="utf-8")
        told = [Told(step.at, step.do) for step in read_steps(folder / "alerts.jsonl")]
        into.given.add(Source.ALERTS)
    if meant is not None:
        into.given.add(Source.FLEET)
    assert into.problems == []
    case = merged([into.case()], topology_of(meant) if meant else into.case().topology)
    story = story_of(case, told)
    return replace(case, alerts=story.alerts, notices=story.notices)


def judged(case: Case) -> dict[str, Judgement]:
    """Give what each rule says, by the symptom's name."""
    return {each.symptom.name: each.judgement for each in diagnose(case)}


def first(case: Case) -> str:
    """Give the symptom that stands at the top."""
    return diagnose(case)[0].symptom.name
