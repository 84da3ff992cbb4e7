"""Sources of telemetry that are not logs: the kernel's own counters through nft, and a real Prometheus."""

import asyncio
import http.server
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from anycastle.base.errors import WorldError
from anycastle.base.ports import Instant, Now, Timestamp
from anycastle.io.config.indicators_file import IndicatorSettings
from anycastle.io.telemetry.filter_source import FilterSource
from anycastle.io.telemetry.nft_source import NftTable
from anycastle.io.telemetry.prometheus_source import PrometheusSource
from anycastle.io.telemetry.telemetry_file import Filter, RatioQuery
from anycastle.io.telemetry.telemetry_file import PrometheusSource as Settings
from anycastle.lab.netns import Namespace
from anycastle.slo.reading import GLOBAL, Reading
from anycastle.slo.telemetry.cells import Cells
from anycastle.slo.telemetry.intake import Intake
from anycastle.slo.telemetry.networks import Networks
from tests.lab.prometheus_server import Prometheus

pytestmark = pytest.mark.lab

RULES = """table inet edge {
  counter clients { }
  counter attack { }
  set foreign { type ipv4_addr . inet_service; flags dynamic; size 65535; }
  chain arriving {
    type filter hook prerouting priority 0;
    udp dport 9 ip saddr 127.0.0.66 counter name attack drop
    udp dport 9 counter name clients
    tcp dport 9 tcp flags & (syn | ack) == ack ct state { new, invalid } add @foreign { ip saddr . tcp sport }
  }
}
"""


def intake() -> Intake:
    return Intake(Cells(), Networks())


def read(taken: Intake, indicator: str, note: str = "") -> Reading:
    readings = taken.cells.over(Timestamp(time.time()), 3600).readings(np.random.default_rng(1))
    return next(each for each in readings if (each.indicator, each.scope) == (indicator, GLOBAL) and note in each.note)


def now() -> Now:
    return Now(Instant(time.monotonic()), Timestamp(time.time()))


@pytest.fixture
def here() -> Iterator[Namespace]:
    found = Namespace("anyc-tele-nft")
    found.remove()
    found.make()
    found.run("nft", "-f", "-", text=RULES)
    yield found
    found.remove()


def send(packets: int, source: str) -> Callable[[], None]:
    def sent() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            out.bind((source, 0))
            for _ in range(packets):
                out.sendto(bytes(100), ("127.0.0.1", 9))

    return sent


@pytest.mark.mission("M8", "M6")
def test_what_the_kernel_dropped_and_passed_is_counted_as_it_was_sent(here: Namespace) -> None:
    taken = intake()
    settings = Filter(
        "filter", NftTable("inet", "edge"), 1.0, "fra", "eu", frozenset({"clients"}), frozenset({"attack"}),
        frozenset(), "foreign",
    )  # fmt: skip
    source = FilterSource(settings, taken)

    def poll(each: FilterSource) -> None:
        here.call(lambda: asyncio.run(each.poll(now())))

    here.call(send(5, "127.0.0.1"))
    poll(source)
    assert read(taken, "M8", "packets").value is None, "what was there before is not counted"
    here.call(send(30, "127.0.0.1"))
    here.call(send(10, "127.0.0.66"))
    poll(source)
    assert read(taken, "M8", "packets").value == 0.25
    assert read(taken, "M8", "bits").value == 0.25
    again = FilterSource(settings, taken)
    again.restore(source.place())
    here.run("nft", "reset", "counters")
    here.call(send(8, "127.0.0.66"))
    poll(again)
    assert read(taken, "M8", "packets").value == 18 / 48
    assert read(taken, "M6").count == 0
    missing = FilterSource(Filter("f", NftTable("inet", "edge"), 1.0, "fra", "", frozenset({"nobody"}), frozenset(),
                                  frozenset(), ""), taken)  # fmt: skip
    with pytest.raises(WorldError, match="has no counter nobody"):
        poll(missing)
    absent = FilterSource(Filter("f", NftTable("inet", "none"), 1.0, "fra", "", frozenset({"x"}), frozenset(),
                                 frozenset(), ""), taken)  # fmt: skip
    with pytest.raises(WorldError, match="nft list counters table inet none"):
        poll(absent)


class Exporter(http.server.BaseHTTPRequestHandler):
    """Two counters of two PoPs, that grow by what the test says."""

    values: dict[tuple[str, str], int] = {}

    def do_GET(self) -> None:
        text = "".join(
            f'requests_total{{pop="{pop}",result="{result}"}} {value}\n' for (pop, result), value in self.values.items()
        )
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.mark.mission("M7")
def test_ratios_of_a_prometheus_are_those_of_what_it_scraped(tmp_path: Path) -> None:
    Exporter.values = {(pop, result): 0 for pop in ("fra", "ams") for result in ("hit", "miss")}
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Exporter)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    scraped = f"127.0.0.1:{server.server_address[1]}"
    config = "global: {scrape_interval: 200ms}\nscrape_configs:\n  - job_name: t\n    static_configs: "
    prometheus = Prometheus(tmp_path, f"{config}[{{targets: ['{scraped}']}}]\n")
    try:
        deadline = time.monotonic() + 30
        while len(prometheus.ask("/api/v1/query", query="requests_total")["result"]) < 4:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        Exporter.values = {("fra", "hit"): 800, ("fra", "miss"): 200, ("ams", "hit"): 300, ("ams", "miss"): 100}
        while prometheus.ask("/api/v1/query", query="sum(requests_total)")["result"][0]["value"][1] != "1400":
            assert time.monotonic() < deadline
            time.sleep(0.1)
        taken = intake()
        # Not `increase`, which extrapolates: what the counters stand at is known to the last one.
        ratio = RatioQuery("cache_hits", 'sum by (pop) (requests_total{result="hit"})', "sum by (pop) (requests_total)")
        settings = Settings("prom", IndicatorSettings(f"http://{prometheus.address}", 60.0, {}), "eu", (ratio,))
        source = PrometheusSource(settings, taken)
        asyncio.run(source.poll(now()))
        hits = read(taken, "M7", "requests")
        assert (hits.value, hits.count) == (1100 / 1400, 1400)
        again = PrometheusSource(settings, taken)
        again.restore(source.place())
        asyncio.run(again.poll(now()))
        assert read(taken, "M7", "requests").count == 1400, "a restart within a span counts it once"
    finally:
        prometheus.stop()
        server.shutdown()
        server.server_close()
