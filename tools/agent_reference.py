"""Write docs/reference/events.md and metrics.md from the code; a test fails when they are stale."""

import inspect
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path
from typing import Any, get_type_hints

from prometheus_client.core import Metric

from anycastle.base.ports import Timestamp
from anycastle.io.agent_metrics import AgentCollector
from anycastle.io.probe.metrics import ProberCollector, ResultCollector
from anycastle.io.telemetry.line_source import LineSource
from anycastle.io.telemetry.metrics import TelemetryCollector
from anycastle.io.watch_metrics import WatchCollector
from anycastle.kernels.intervals import Interval
from anycastle.model.event import KINDS
from anycastle.model.vantage_point import VantagePoint
from anycastle.probe.kinds.dns import DNSSeen
from anycastle.probe.kinds.http import HTTPSeen
from anycastle.probe.result import Failure, FailureKind, Phase, ProbeResult
from anycastle.probe.schedule import Counts
from anycastle.probe.tally import Tally
from anycastle.slo.reading import Reading, State

TYPES = {
    str: "text",
    str | None: "text or nothing",
    bool: "true or false",
    int: "whole number",
    float: "number",
    float | None: "number or nothing",
    tuple[str, ...]: "list of texts",
    tuple[float, ...]: "list of numbers",
}
"""A field's type -> how the page calls it."""

EVENTS_HEAD = """\
# Events

<!-- Written by tools/agent_reference.py from the code. -->

An agent's log holds one row per fact: `sequence`, `at` (wall time), `pop`, `kind`, the kind's own fields as below, and
`hash`. A kind's name and meaning stay the same for ever. How to read and verify a log:
[Read and verify the event log](../how-to/event-log.md).

"""

WATCH_HEAD = """
## Of the watch daemon

`GET /metrics` of `anycastle watch run` (by default `127.0.0.1:9478`). What to alert on:
[Watch what the Internet sees](../how-to/watch.md).

| metric | type | labels | meaning |
|---|---|---|---|
"""

METRICS_HEAD = """\
# Metrics

<!-- Written by tools/agent_reference.py from the code. -->

`GET /metrics` of an agent (by default `127.0.0.1:9477`), as Prometheus text or, where the scraper accepts it, as
OpenMetrics. Every figure is read from the agent's state at the scrape. What to alert on:
[Monitor with Prometheus](../how-to/prometheus.md).

| metric | type | labels | meaning |
|---|---|---|---|
"""

SAMPLE: dict[str, Any] = {
    "pop": "ams",
    "ready": True,
    "services": [
        {
            "name": "dns",
            "stance": "announce",
            "permit": "held",
            "suppressed": False,
            "drain": None,
            "checks": [{"name": "soa", "verdict": "healthy", "late": 0}],
        }
    ],
    "wanted": [],
    "exported": [],
    "sessions": [{"upstream": "transit", "neighbour": "192.0.2.1", "state": "established"}],
    "answers": {},
    "events_dropped": 0,
    "controller": {"connected": True, "term": 1, "skew": {"offset_s": 0.0}},
}
"""A status with one of everything, so that each family shows its labels."""


WATCH_SAMPLE: dict[str, Any] = {
    "ready": True,
    "feeds": [
        {
            "name": "",
            "connected": True,
            "connections": 1,
            "messages": 0,
            "garbage": 0,
            "silent_s": 0.0,
            "sessions": [{"peer": "AS64601 192.0.2.1", "state": "established"}],
        },
    ],
    "collectors": [{"collector": "rrc00", "silent_s": 0.0, "peers": 1}],
    "prefixes": [
        {
            "prefix": "192.0.2.0/24",
            "family": "ipv4",
            "visibility": 1.0,
            "able": 1,
            "regions": {"europe": {"visibility": 1.0, "able": 1}},
        },
    ],
    "findings": [{"kind": "origin_change", "severity": "critical", "count": 1}],
    "vrps": 1,
    "facts": 0,
    "facts_dropped": 0,
    "facts_late": 0,
    "events_dropped": 0,
}


def events_page() -> str:
    """Give the page of all kinds of events."""
    sections = []
    for name, body in KINDS.items():
        hints = get_type_hints(body)
        rows = [f"| `{field.name}` | {TYPES[hints[field.name]]} |" for field in fields(body)]
        table = ["| field | type |", "|---|---|", *rows, ""]
        sections += [f"## `{name}`", "", inspect.cleandoc(body.__doc__ or "").replace("\n", " "), "", *table]
    return EVENTS_HEAD + "\n".join(sections)


PROBER_HEAD = """
## Of a prober

`anycastle prober run` serves these. `/probe` gives, of its one probe, `probe_success` and `probe_duration_seconds` as
other exporters name them, and the second table. Outcomes are `ok`, or the kind of failure; rounds are `begun`, `missed`
(we were held up), `skipped` (the probe before was under way) or `crowded` (no place); results are lost by the `spool`'s
bound, or by a `queue` that a slow disk filled.

| metric | type | labels | meaning |
|---|---|---|---|
"""
PROBE_HEAD = """
| metric | type | labels | meaning |
|---|---|---|---|
"""


def _prober_part() -> str:
    vantage, failure = VantagePoint("v"), Failure(FailureKind.SITE, "answer", "")
    phases = (Phase("connect", 1.0),)
    seen = HTTPSeen("1.1", 200, 0, None, days_left=30.0)
    right, wrong, dns = (
        ProbeResult(vantage, "t", "http", Timestamp(0.0), 0.0, None, None, phases, failed, what, "s", "p")
        for failed, what in ((None, seen), (failure, seen), (None, DNSSeen("NOERROR", (), True, False, "", 0)))
    )
    tally = Tally()
    for result in (right, wrong):
        tally.take(result)
    status = {"under_way": 0, "waiting": 0, "octets": 0, "lost": 0, "dropped": 0}
    prober = _rows(ProberCollector(lambda: {("t", "http"): tally}, Counts, lambda: status).collect())
    probe = {family.name: family for each in (wrong, dns) for family in ResultCollector(each).collect()}
    return PROBER_HEAD + prober + PROBE_HEAD + _rows(probe.values())


TELEMETRY_HEAD = """
## Of a collector of telemetry

`anycastle telemetry run` serves these. An indicator that is not measured (no data, too few) has a count and no value.
The counters of objectives are there where its file names a `fleet`; the rules of `anycastle slo export prometheus` read
them, and write `slo:...` records ([Promise, measure, be woken](../how-to/objectives.md)).

| metric | type | labels | meaning |
|---|---|---|---|
"""


def _telemetry_part() -> str:
    source = LineSource("edge", Path("/log"), lambda _line, _now: True)
    reading = Reading("M5", "global", State.MEASURED, 0.0, Interval(0.0, 0.0), 1.0, 1.0)
    collector = TelemetryCollector(
        lambda: [source],
        dict,
        lambda: {"counted": 1},
        lambda: {"too old": 1},
        lambda _w: [reading],
        lambda: [(("dns", "reach", "eu"), 1.0, 1.0)],
        lambda _w: {"bits": (1.0, 1.0)},
    )
    return TELEMETRY_HEAD + _rows(collector.collect())


def metrics_page() -> str:
    """Give the page of all metric families."""
    agent = _rows(AgentCollector(lambda: SAMPLE).collect())
    watch = _rows(WatchCollector(lambda: WATCH_SAMPLE).collect())
    return METRICS_HEAD + agent + WATCH_HEAD + watch + _prober_part() + _telemetry_part()


def _rows(families: Iterable[Metric]) -> str:
    rows = []
    for family in families:
        name = f"{family.name}_total" if family.type == "counter" else family.name
        labels = ", ".join(f"`{label}`" for label in family.samples[0].labels if label != "le")
        rows.append(f"| `{name}` | {family.type} | {labels} | {family.documentation} |")
    return "\n".join(rows) + "\n"


PAGES = {"docs/reference/events.md": events_page, "docs/reference/metrics.md": metrics_page}


def main() -> None:
    """Write the pages."""
    root = Path(__file__).parent.parent
    for name, page in PAGES.items():
        (root / name).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
