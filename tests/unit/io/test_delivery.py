import asyncio
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from anycastle.io import delivery
from anycastle.io.delivery import Answer, Delivery, HTTPPost
from anycastle.io.probe.results import Results
from anycastle.io.probe.spool import Spool
from tests.unit.io.checks.conftest import no_descriptor_leaks
from tests.unit.io.probe.test_result_lines import GOOD

__all__ = ["no_descriptor_leaks"]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "IDLE_S", 0.01)
    monkeypatch.setattr(delivery, "BACK_OFF_S", (0.01, 0.05))


@pytest.fixture
def results(tmp_path: Path, no_descriptor_leaks: None) -> Iterator[Results]:
    found = Results("run", None, Spool(tmp_path / "spool"))
    yield found
    found.close()


def test_what_is_refused_is_tried_again_until_it_is_taken(results: Results) -> None:
    taken: list[bytes] = []
    answers = ["status 503", "status 503", ""]

    async def post(lines: bytes) -> Answer:
        answer = answers.pop(0) if answers else ""
        if not answer:
            taken.extend(lines.splitlines())
        return Answer(answer)

    async def main() -> Delivery:
        found = Delivery(results, post, random.Random(1))
        for _ in range(50):
            results.put(GOOD)
        running = asyncio.create_task(found.run())
        async with asyncio.timeout(60):
            while found.delivered < 50:
                await asyncio.sleep(0.01)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        return found

    found = asyncio.run(main())
    assert len(taken) == len(set(taken)) == 50
    assert (results.spooled()["waiting"], found.trouble, answers) == (0, "", [])


def test_a_collector_that_is_not_there_and_a_token_that_is_not(tmp_path: Path, closed_port: int) -> None:
    async def main() -> tuple[str, str]:
        away = HTTPPost([f"http://127.0.0.1:{closed_port}/"])
        without = HTTPPost([f"http://127.0.0.1:{closed_port}/"], tmp_path / "nothing")
        try:
            return (await away(b"{}\n")).trouble, (await without(b"{}\n")).trouble
        finally:
            await away.close()
            await without.close()

    away, without = asyncio.run(main())
    assert f"http://127.0.0.1:{closed_port}/: " in away
    assert "nothing cannot be read" in without


def test_results_beyond_the_queue_are_counted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from anycastle.io.probe import results as module

    monkeypatch.setattr(module, "QUEUE_MAX", 3)
    monkeypatch.setattr(module, "PAUSE_S", 0.5)
    found = Results("run", None, Spool(tmp_path))
    for _ in range(100):
        found.put(GOOD)
    found.close()
    spool = Spool(tmp_path)
    try:
        assert found.dropped > 0
        assert spool.waiting + found.dropped == 100
    finally:
        spool.close()


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b'{"type": "x", "detail": "this controller answers reads only"}', ": this controller answers reads only"),
        (b'{"detail": "a\\u001b[31mb"}', ": a[31mb"),
        (b"<html>", ""),
        (b"[1]", ""),
        (b'{"detail": "' + b"x" * 100_000 + b'"}', ""),
    ],
)
def test_why_a_collector_refuses_is_told(body: bytes, told: str) -> None:
    with collector(503, body) as url:
        assert posted(url) == [f"{url}: status 503{told}"]


def test_of_two_collectors_the_next_is_asked_after_one_that_refused(closed_port: int) -> None:
    with collector(200, b'{"sequence": 7}') as url:
        first, second, third = posted(f"http://127.0.0.1:{closed_port}/", url, times=3)
        assert first.startswith(f"http://127.0.0.1:{closed_port}/: ")
        assert second == third == '{"sequence": 7}'


def posted(*urls: str, times: int = 1) -> list[str]:
    """POST to collectors; give each time's trouble, or the answer where there is none."""

    async def main() -> list[str]:
        post = HTTPPost(urls)
        try:
            answers = [await post(b"{}\n") for _ in range(times)]
        finally:
            await post.close()
        return [each.trouble or each.octets.decode() for each in answers]

    return asyncio.run(main())


@contextmanager
def collector(status: int, body: bytes) -> Iterator[str]:
    """Serve one answer to every POST; give its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()
