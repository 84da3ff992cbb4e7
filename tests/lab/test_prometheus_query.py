"""What gates ask of a Prometheus, by a real one."""

import asyncio
import http.server
import threading
from collections.abc import Iterator, Mapping
from math import isnan
from pathlib import Path

import pytest

from anycastle.base.errors import MisuseError, WorldError
from anycastle.daemons.measured import MeasuredIndicators
from anycastle.io.clock import now
from anycastle.io.config.indicators_file import IndicatorSettings, load_indicators
from anycastle.io.prometheus_query import PrometheusQueries
from anycastle.rollout.gates import Reading
from tests.lab.prometheus_server import Prometheus

pytestmark = pytest.mark.mission("C4")


def pop(name: str, value: str) -> str:
    return f'label_replace(vector({value}), "pop", "{name}", "", "")'


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    server = Prometheus(tmp_path_factory.mktemp("prometheus"))
    yield server
    server.stop()


def asked(url: str, query: str, token_file: Path | None = None) -> dict[str, tuple[float, float]]:
    async def main() -> dict[str, tuple[float, float]]:
        queries = PrometheusQueries(IndicatorSettings(url, 15.0, {}, token_file))
        try:
            return dict(await queries.by_pop(query))
        finally:
            await queries.close()

    return asyncio.run(main())


def test_each_pop_has_its_value_and_its_time(prometheus: Prometheus) -> None:
    before = now().wall
    found = asked(f"http://{prometheus.address}", f"{pop('ams', '0.25')} or {pop('fra', '1')}")
    assert {name: value for name, (value, _) in found.items()} == {"ams": 0.25, "fra": 1.0}
    assert all(before - 1 <= at <= now().wall + 1 for _, at in found.values())


def test_what_is_no_number_is_told_as_that_and_no_series_is_no_reading(prometheus: Prometheus) -> None:
    ((value, _),) = asked(f"http://{prometheus.address}", pop("ams", "0 / 0")).values()
    assert isnan(value)
    assert asked(f"http://{prometheus.address}", "no_such_metric") == {}


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("vector(1)", "a series has no label 'pop': aggregate by"),
        ("1", "the query gives a scalar, and a vector is needed"),
        ("rate(", "parse error"),
        (f'{pop("ams", "1")} or label_replace({pop("ams", "2")}, "x", "y", "", "")', "ams has several series"),
    ],
)
def test_a_query_that_says_nothing_of_pops_is_refused_with_why(prometheus: Prometheus, query: str, words: str) -> None:
    with pytest.raises(WorldError, match=words):
        asked(f"http://{prometheus.address}", query)


def test_one_that_is_silent_or_something_else_is_told() -> None:
    with pytest.raises(WorldError, match=r"http://127\.0\.0\.1:1"):
        asked("http://127.0.0.1:1", "up")


def page(octets: bytes, heard: list[str | None]) -> type[http.server.BaseHTTPRequestHandler]:
    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            heard.append(self.headers["Authorization"])
            self.send_response(200)
            self.end_headers()
            self.wfile.write(octets)

        def log_message(self, *_: object) -> None:
            pass

    return Page


def test_series_that_are_no_numbers_are_told() -> None:
    """Such as of a native histogram, which Debian's Prometheus does not have yet."""
    series = b'{"metric": {"pop": "ams"}, "histogram": [1, {"count": "2"}]}'
    answer = b'{"status": "success", "data": {"resultType": "vector", "result": [' + series + b"]}}"
    with http.server.HTTPServer(("127.0.0.1", 0), page(answer, [])) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        with pytest.raises(WorldError, match="series without plain values"):
            asked(f"http://127.0.0.1:{server.server_port}", "up")
        thread.join()


def test_a_token_is_sent_and_an_answer_that_is_none_is_told(tmp_path: Path) -> None:
    heard: list[str | None] = []
    (tmp_path / "token").write_text("swordfish\n")
    with http.server.HTTPServer(("127.0.0.1", 0), page(b"<html>", heard)) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        with pytest.raises(WorldError, match="not of the Prometheus query API") as caught:
            asked(f"http://127.0.0.1:{server.server_port}", "up", tmp_path / "token")
        thread.join()
    assert heard == ["Bearer swordfish"]
    assert "swordfish" not in str(caught.value)


def test_what_gates_ask_for_is_read_and_what_cannot_be_asked_is_told_once(prometheus: Prometheus) -> None:
    queries = {"success_rate": pop("ams", "0.99"), "rtt_ms": "rate(", "unwanted": "rate("}
    told: list[str] = []
    taken: dict[str, dict[str, float]] = {}
    measured = MeasuredIndicators(IndicatorSettings(f"http://{prometheus.address}", 0.05, queries), told.append)

    def take(name: str, readings: Mapping[str, Reading]) -> None:
        taken[name] = {pop: reading.value for pop, reading in readings.items()}

    async def main() -> None:
        asking = asyncio.create_task(measured.run(lambda: ["success_rate", "rtt_ms", "announced_share"], take))
        async with asyncio.timeout(30):
            while not taken or not told:
                await asyncio.sleep(0.02)
            taken.clear()
            while not taken:
                await asyncio.sleep(0.02)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)

    asyncio.run(main())
    assert measured.names == {"success_rate", "rtt_ms", "unwanted"}
    assert taken == {"success_rate": {"ams": 0.99}}
    (line,) = told
    assert line.startswith("the indicator rtt_ms has no data: http://")


def test_the_file_names_what_is_asked(tmp_path: Path) -> None:
    path = tmp_path / "indicators.yaml"
    path.write_text(
        "prometheus: http://127.0.0.1:9090/\nevery: 5s\nindicators:\n  success_rate: sum by (pop) (rate(ok[1m]))\n"
    )
    assert load_indicators(path) == IndicatorSettings(
        "http://127.0.0.1:9090", 5.0, {"success_rate": "sum by (pop) (rate(ok[1m]))"}
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "the file is empty"),
        ("prometheus: ftp://x\nindicators: {a: b}\n", ":1:13: prometheus"),
        ("prometheus: http://u:p@x\nindicators: {a: b}\n", "without user"),
        ("prometheus: http://x\nindicators: {}\n", "indicators"),
        ("prometheus: http://x\nindicators: {Bad-Name: up}\n", "'Bad-Name' is no name of an indicator"),
        ("prometheus: http://x\nindicators: {announced_share: up}\n", "agents tell that themselves"),
        ("prometheus: http://x\nindicator: {a: up}\n", "did you mean"),
    ],
)
def test_what_is_wrong_with_the_file_is_told_with_its_place(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "indicators.yaml"
    path.write_text(text)
    with pytest.raises(MisuseError, match=words):
        load_indicators(path)
