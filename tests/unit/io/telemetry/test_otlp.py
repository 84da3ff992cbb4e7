"""OTLP/HTTP as the real SDK's exporters send it, and by hand what they do not: damage, swelling bodies, no PoP."""

import asyncio
import gzip
import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.sdk.metrics import Counter, Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import AggregationTemporality, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import SpanKind

from anycastle.base.errors import WorldError
from anycastle.daemons.telemetry_process import TelemetryProcess, TelemetrySettings
from anycastle.io.telemetry.otlp import PLAIN_OCTETS_MAX
from anycastle.io.telemetry.telemetry_file import read_telemetry_file
from anycastle.slo.reading import GLOBAL, Reading

FILE = """
name: test
region: eu
otlp:
  metrics:
    http.server.request.duration: client_errors
    day.latency: edge_latency
    cache.requests: cache_hits
    filter.packets: scrubbed
  spans: {server: client_errors, client: edge_latency}
  logs: client_errors
"""
GZIP = {"Content_Encoding": "gzip"}
RESOURCE = Resource.create({"pop": "fra", "service.name": "web"})


class Collector:
    """A collector in a thread of its own."""

    def __init__(self, folder: Path, text: str = FILE) -> None:
        (folder / "telemetry.yaml").write_text(text)
        self.settings = TelemetrySettings(
            read_telemetry_file(folder / "telemetry.yaml"), folder / "state", ("127.0.0.1", 0)
        )
        self.url = ""
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._live()))

    async def _live(self) -> None:
        self.process = TelemetryProcess(self.settings)
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        server = await self.process.serve()
        assert server is not None
        self.url = f"http://127.0.0.1:{server.port}"
        saving = asyncio.create_task(self.process.save_often())
        self._ready.set()
        await self._over.wait()
        await server.close()
        saving.cancel()
        await asyncio.gather(saving, return_exceptions=True)
        await self.process.close()

    def start(self) -> "Collector":
        self._thread.start()
        assert self._ready.wait(20)
        return self

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()

    def post(self, path: str, body: bytes, kind: str = "application/x-protobuf", **fields: str) -> tuple[int, bytes]:
        headers = {"Content-Type": kind, **{name.replace("_", "-"): value for name, value in fields.items()}}
        request = urllib.request.Request(self.url + path, body, headers)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()

    def get(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(self.url + path, timeout=20) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def reading(self, indicator: str, note: str = "") -> Reading:
        readings = self.process.measured(3600).readings(np.random.default_rng(1))
        return next(
            each for each in readings if (each.indicator, each.scope) == (indicator, GLOBAL) and note in each.note
        )


@pytest.fixture
def collector(tmp_path: Path) -> Iterator[Collector]:
    found = Collector(tmp_path).start()
    yield found
    found.stop()


def metered(url: str, temporality: AggregationTemporality, resource: Resource = RESOURCE) -> MeterProvider:
    exporter = OTLPMetricExporter(
        endpoint=f"{url}/v1/metrics",
        preferred_temporality={Counter: temporality, Histogram: temporality},
        compression=Compression.Gzip,
    )
    return MeterProvider([PeriodicExportingMetricReader(exporter, 3_600_000)], resource=resource)


@pytest.mark.mission("C8", "M1", "M5", "M7", "M8")
@pytest.mark.parametrize("temporality", [AggregationTemporality.DELTA, AggregationTemporality.CUMULATIVE])
def test_metrics_of_the_sdk_count_once_each(collector: Collector, temporality: AggregationTemporality) -> None:
    provider = metered(collector.url, temporality)
    meter = provider.get_meter("test")
    requests = meter.create_histogram("http.server.request.duration", "s")
    latency = meter.create_histogram("day.latency", "ms")
    cache, packets = meter.create_counter("cache.requests"), meter.create_counter("filter.packets", "{packet}")
    for _ in range(2):
        requests.record(0.010, {"http.response.status_code": 200})
        requests.record(0.020, {"http.response.status_code": 200})
        requests.record(0.030, {"http.response.status_code": 503})
        requests.record(0.010, {"http.response.status_code": 404})
        requests.record(0.500, {"error.type": "timeout"})
        latency.record(60.0)
        cache.add(3, {"cache.status": "hit"})
        cache.add(1, {"cache.status": "miss"})
        cache.add(5, {"cache.status": "pass"})
        packets.add(90, {"action": "passed"})
        packets.add(10, {"action": "dropped"})
        assert provider.force_flush()
    provider.shutdown()
    errors = collector.reading("M5")
    assert (errors.value, errors.count, errors.excluded) == (0.5, 8, {"client's own error": 2})
    hits = collector.reading("M7", "requests")
    assert (hits.value, hits.count, hits.excluded) == (0.75, 8, {"pass": 10})
    assert collector.reading("M8", "packets").value == pytest.approx(0.1)
    median = collector.reading("M1", "p50").value
    assert median is not None
    assert 50 < median < 75, "the bucket of the SDK that 60 ms are in"


@pytest.mark.mission("C8", "I9", "M1", "M5")
def test_spans_and_a_batch_that_comes_again(collector: Collector) -> None:
    exporter = OTLPSpanExporter(endpoint=f"{collector.url}/v1/traces")
    sent: list[object] = []

    class Twice(SimpleSpanProcessor):
        def on_end(self, span) -> None:
            sent.append(span)
            super().on_end(span)
            super().on_end(span)

    provider = TracerProvider(resource=RESOURCE)
    provider.add_span_processor(Twice(exporter))
    tracer = provider.get_tracer("test")
    for status in (200, 200, 200, 500):
        attributes = {"http.response.status_code": status, "client.address": "10.101.0.9"}
        tracer.start_span("GET", kind=SpanKind.SERVER, attributes=attributes).end()
    tracer.start_span("GET", kind=SpanKind.CLIENT, start_time=10**18).end(end_time=10**18 + 25_000_000)
    tracer.start_span("inside").end()
    provider.shutdown()
    errors = collector.reading("M5")
    assert (errors.value, errors.count) == (0.25, 4)
    assert list(collector.process.measured(3600).tallies["client_errors"]["eu"].total) == ["10.101.0.0/24"]
    assert collector.process.taken["ignored"] == 2


@pytest.mark.mission("M5")
def test_logs(collector: Collector) -> None:
    from opentelemetry._logs import LogRecord
    from opentelemetry.sdk._logs import LoggerProvider
    from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor

    provider = LoggerProvider(resource=RESOURCE)
    provider.add_log_record_processor(SimpleLogRecordProcessor(OTLPLogExporter(endpoint=f"{collector.url}/v1/logs")))
    logger = provider.get_logger("test")
    for status in (200, 503):
        logger.emit(LogRecord(body="GET /", attributes={"http.response.status_code": status}))
    logger.emit(LogRecord(body="nothing of a request"))
    provider.shutdown()
    assert (collector.reading("M5").value, collector.process.taken) == (
        0.5,
        {"counted": 2, "ignored": 1, "rejected": 0},
    )


def request(pop: str | None, value: int = 3, *, monotonic: bool = True) -> dict:
    attributes = [{"key": "cache.status", "value": {"stringValue": "hit"}}]
    resource = [{"key": "pop", "value": {"stringValue": pop}}] if pop else []
    point = {"asInt": str(value), "timeUnixNano": "1795806450000000000", "attributes": attributes}
    total = {"dataPoints": [point], "aggregationTemporality": 1, "isMonotonic": monotonic}
    metrics = [{"name": "cache.requests", "sum": total}, {"name": "other", "gauge": {"dataPoints": [{"asInt": 1}]}}]
    scopes = {"scopeMetrics": [{"metrics": metrics}], "unknownField": 1}
    return {"resourceMetrics": [{"resource": {"attributes": resource}, **scopes}]}


def test_json_is_answered_in_json_and_what_has_no_pop_is_refused_in_part(collector: Collector) -> None:
    good, bad = request("fra"), request(None)
    both = {"resourceMetrics": good["resourceMetrics"] + bad["resourceMetrics"]}
    status, body = collector.post("/v1/metrics", json.dumps(both).encode(), "application/json; charset=utf-8")
    told = json.loads(body)["partialSuccess"]
    assert (status, told["rejectedDataPoints"]) == (200, "1")
    assert "no attribute `pop`" in told["errorMessage"]
    assert collector.process.taken == {"counted": 1, "ignored": 2, "rejected": 1}
    assert collector.post("/v1/metrics", json.dumps(good).encode(), "application/json") == (200, b"{}")


def test_a_partial_success_in_protobuf(collector: Collector) -> None:
    from google.protobuf import json_format

    message = json_format.ParseDict(request("fra", monotonic=False), ExportMetricsServiceRequest(), True)
    status, body = collector.post("/v1/metrics", message.SerializeToString())
    answer = ExportMetricsServiceResponse.FromString(body)
    assert (status, answer.partial_success.rejected_data_points) == (200, 1)
    assert "may fall" in answer.partial_success.error_message


@pytest.mark.parametrize(
    ("path", "body", "kind", "fields", "code", "words"),
    [
        ("/v1/metrics", b"\xff\xff", "application/x-protobuf", {}, 400, b"no ExportMetricsServiceRequest"),
        ("/v1/traces", b"[1]", "application/json", {}, 400, b"no ExportTraceServiceRequest"),
        ("/v1/metrics", b"{}", "text/plain", {}, 415, b"known are"),
        ("/v1/metrics", b"xxxx", "application/json", GZIP, 400, b"not what its content encoding"),
        ("/v1/metrics", b"x", "application/json", {"Content_Encoding": "br"}, 400, b"is not known"),
        ("/v1/metrics", gzip.compress(b"{}", mtime=0)[:-4], "application/json", GZIP, 400, b"ends before"),
        ("/v1/metrics", gzip.compress(bytes(PLAIN_OCTETS_MAX + 1), mtime=0), "application/json", GZIP, 400, b"longer"),
        ("/v1/metrics", bytes(5 << 20), "application/json", {}, 413, b"longer than"),
        ("/v1/profiles", b"{}", "application/json", {}, 404, b"there is: "),
        ("/results", b"nonsense", "application/x-ndjson", {}, 400, b"line 1: no JSON"),
    ],
)  # fmt: skip
def test_what_is_not_taken_is_told(
    collector: Collector, path: str, body: bytes, kind: str, fields: dict[str, str], code: int, words: bytes
) -> None:
    try:
        status, told = collector.post(path, body, kind, **fields)
    except (urllib.error.URLError, ConnectionError):  # the collector closes while the body is still sent
        assert code == 413
        return
    assert status == code
    assert words in told


def test_results_of_a_prober_count_once_and_pages_tell(collector: Collector) -> None:
    import time

    row = {"id": "a-1", "vantage_point": "v", "at": time.time(), "phases": {"answer": 9.0, "identity": 5.0},
           "failure": None, "target": "t", "kind": "dns", "pop": "fra", "asn": 64500, "country": "DE"}  # fmt: skip
    lines = b"".join(json.dumps({**row, "id": f"a-{n}"}).encode() + b"\n" for n in range(3)) + b"half a li\n"
    assert collector.post("/results", lines, "application/x-ndjson")[0] == 204
    assert collector.post("/results", lines, "application/x-ndjson")[0] == 204
    reached = collector.reading("M3")
    assert (reached.value, reached.count) == (1.0, 3)
    assert collector.reading("M1", "p50").value == pytest.approx(9.0, rel=0.01)
    assert collector.get("/readyz") == (200, "ready\n")
    assert 'anycastle_telemetry_otlp_parts_total{outcome="damaged results"} 2.0' in collector.get("/metrics")[1]
    told = json.loads(collector.get("/indicators?window=10m")[1])
    assert {each["indicator"] for each in told} == {f"M{n}" for n in range(1, 11)}
    assert next(each for each in told if each["name"] == "client_errors")["state"] == "no data"
    assert collector.get("/indicators?window=soon")[0] == 400
    assert collector.get("/nothing")[0] == 404


def test_a_token_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("swordfish\n")
    found = Collector(tmp_path, f"name: t\notlp: {{token_file: {tmp_path}/token}}\n").start()
    try:
        body = json.dumps(request("fra")).encode()
        assert found.post("/v1/metrics", body, "application/json")[0] == 401
        assert found.post("/v1/metrics", body, "application/json", Authorization="Bearer perch")[0] == 401
        assert found.post("/v1/metrics", body, "application/json", Authorization="Bearer swordfish")[0] == 200
    finally:
        found.stop()


def test_what_was_answered_is_there_after_a_restart_and_cumulative_streams_go_on(tmp_path: Path) -> None:
    first = Collector(tmp_path).start()
    provider = metered(first.url, AggregationTemporality.CUMULATIVE)
    counter = provider.get_meter("test").create_counter("cache.requests")
    counter.add(3, {"cache.status": "hit"})
    assert provider.force_flush()
    before = first.process.measured(3600)
    first.stop()
    second = Collector(tmp_path).start()
    try:
        assert second.process.measured(3600) == before
        assert second.process.series == first.process.series
        assert second.reading("M7", "requests").count == 3
    finally:
        second.stop()
        provider.shutdown(timeout_millis=1)


def test_one_collector_has_a_state_directory(collector: Collector) -> None:
    with pytest.raises(WorldError, match="another collector has this state directory"):
        TelemetryProcess(collector.settings)
