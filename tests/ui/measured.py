"""What clients got, as a real Prometheus has it: it runs the exported rules over figures that are made here."""

import json
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from anycastle.io.slo_export import RULES, prometheus_files, write_files
from anycastle.model.objective import Objective, Period, Window
from anycastle.slo.export.prometheus import Counters
from tests.lab.prometheus_server import Prometheus

EVENTS_S = 2000.0
BAD = {("dns", "europe"): 0.0004, ("dns", "americas"): 0.0002, ("dns", "asia"): 0.0031, ("web", "americas"): 0.0007}
"""Service and region -> share of its events that is bad; none of others."""
SERVED = {"europe": (0.9996, 18.4), "americas": (0.9998, 27.9), "asia": (0.9969, 61.2)}
"""Region -> availability, and p95 in ms."""
SILENT = ("web", "fast")
"""An objective of which nobody exports events."""

_CONFIG = """\
global: {{scrape_interval: 5s, evaluation_interval: 5s}}
rule_files: [{rules}]
scrape_configs:
  - {{job_name: made, static_configs: [{{targets: ["127.0.0.1:{port}"]}}]}}
"""


class Measured:
    """The Prometheus, and what it scrapes; `close` ends both."""

    def __init__(self, folder: Path, services: tuple[str, ...], pops: dict[str, str]) -> None:
        self._services = services
        self._pops = pops
        """PoP -> its region."""
        self._since = time.monotonic()
        page = self._page

        class Page(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = page().encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                with suppress(ConnectionError):  # whoever asked has gone: on a machine that does much else, it is late
                    self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        folder.mkdir()
        objectives = [each for name in services for each in promised(name)]
        write_files(prometheus_files(objectives, Counters()), folder)
        try:
            self.prometheus = Prometheus(folder, _CONFIG.format(rules=RULES, port=self._server.server_port))
        except BaseException:
            self._server.shutdown()
            raise

    def settings(self) -> str:
        """Give the file for `--indicators`."""
        return f"prometheus: http://{self.prometheus.address}\nevery: 1s\n"

    def hang(self) -> None:
        """Have the Prometheus say nothing more."""
        self.prometheus.process.send_signal(signal.SIGSTOP)

    def wake(self) -> None:
        self.prometheus.process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        self.wake()
        self.prometheus.stop()
        self._server.shutdown()
        self._server.server_close()

    def _page(self) -> str:
        return "\n".join(f"{name}{{{labels}}} {value}" for name, labels, value in self._rows()) + "\n"

    def _rows(self) -> Iterator[tuple[str, str, float]]:
        elapsed = time.monotonic() - self._since
        regions = sorted(set(self._pops.values()) & set(SERVED))
        for service in self._services:
            for objective in promised(service):
                if (service, objective.name) == SILENT:
                    continue
                for region in regions:
                    labels = f'service="{service}",objective="{objective.name}",region="{region}"'
                    events, bad = EVENTS_S * elapsed, BAD.get((service, region), 0.0)
                    yield "anycastle_slo_events_total", labels, round(events)
                    yield "anycastle_slo_good_events_total", labels, round(events * (1 - bad))
        for scope, (share, p95_ms) in {**{each: SERVED[each] for each in regions}, "global": (0.9989, 34.6)}.items():
            yield from _reading("routing_success", scope, "", share, 0.0004, 48_000)
            yield from _reading("edge_latency", scope, "p95", p95_ms, 1.4, 1_900)
            yield from _reading("session_disruption", scope, "", 0.0003 * (1 + elapsed % 40 / 40), 0.0001, 22_000)
            yield from _reading("cache_hits", scope, "requests", 0.93 - 0.02 * (elapsed % 60 / 60), 0.004, 91_000)
        yield from _reading("client_errors", "global", "", 0.00072, 0.0001, 310_000)
        yield from _reading("scrubbed", "global", "bits", 0.214, None, 60)
        yield "anycastle_traffic_offered", 'unit="bits"', 4.1e15
        yield "anycastle_traffic_scrubbed", 'unit="bits"', 4.1e15 * 0.214
        for place, pop in enumerate(self._pops):
            yield "node_cpu_seconds_total", f'mode="idle",cpu="0",pop="{pop}"', elapsed * (1 - 0.2 - 0.07 * place)
            for way in ("receive", "transmit"):
                yield f"node_network_{way}_drop_total", f'device="eth0",pop="{pop}"', round(elapsed * place * 1.5)


def promised(service: str) -> list[Objective]:
    """Give the objectives that the rig's services have in their files."""
    return [
        Objective("reach", service, "routing_success", 0.999, by_region=True),
        Objective("fast", service, "edge_latency", 0.95, threshold_ms=100.0, window=Window(Period.MONTH)),
    ]


def _reading(
    name: str, scope: str, of: str, value: float, reach: float | None, count: float
) -> Iterator[tuple[str, str, float]]:
    labels = ",".join(f"{key}={json.dumps(each)}" for key, each in (("indicator", name), ("scope", scope), ("of", of)))
    yield "anycastle_indicator_value", labels, value
    yield "anycastle_indicator_count", labels, count
    if reach is not None:
        yield "anycastle_indicator_low", labels, value - reach
        yield "anycastle_indicator_high", labels, min(1.0, value + reach) if value <= 1 else value + reach
