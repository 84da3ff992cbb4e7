"""A Prometheus as a source, against a server that answers as one."""

import asyncio
import http.server
import json
import threading
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest

from anycastle.base.ports import Instant, Now, Timestamp
from anycastle.io.config.indicators_file import IndicatorSettings
from anycastle.io.telemetry.prometheus_source import PrometheusSource
from anycastle.io.telemetry.telemetry_file import PrometheusSource as Settings
from anycastle.io.telemetry.telemetry_file import RatioQuery
from anycastle.slo.reading import GLOBAL
from anycastle.slo.telemetry.cells import Cells
from anycastle.slo.telemetry.intake import Intake
from anycastle.slo.telemetry.networks import Networks

WALL = 1_800_000_000.0
VALUES = {"good": {"fra": "8", "ams": "+Inf"}, "total": {"fra": "10", "ams": "+Inf"}}


class Answering(http.server.BaseHTTPRequestHandler):
    """Answers instant queries of two names."""

    def do_GET(self) -> None:
        query = parse_qs(urlsplit(self.path).query)["query"][0]
        result = [{"metric": {"pop": pop}, "value": [WALL, value]} for pop, value in VALUES[query].items()]
        body = json.dumps({"status": "success", "data": {"resultType": "vector", "result": result}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def url() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def at(seconds: float) -> Now:
    return Now(Instant(0.0), Timestamp(WALL + seconds))


@pytest.mark.mission("C8", "M7")
def test_what_is_no_number_is_left_out_and_a_clock_that_was_set_back_holds_nothing_up(url: str) -> None:
    cells = Cells()
    settings = IndicatorSettings(url, 60.0, {}, None, None)
    ratios = (RatioQuery("cache_hits", "good", "total"),)
    source = PrometheusSource(Settings("prom", settings, "eu", ratios), Intake(cells, Networks(())))

    def count() -> float:
        readings = cells.over(Timestamp(WALL), 7200).readings(np.random.default_rng(1))
        return next(
            each.count
            for each in readings
            if (each.indicator, each.scope) == ("M7", GLOBAL) and "requests" in each.note
        )

    asyncio.run(source.poll(at(0)))
    asyncio.run(source.poll(at(10)))  # within the span that was counted
    assert count() == 10
    assert source.counts.damaged == 1
    asyncio.run(source.poll(at(-3600)))
    assert count() == 20
