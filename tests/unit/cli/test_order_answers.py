"""What PoPs answer to orders: printed one by one, and the exit code follows, whatever the controller does meanwhile."""

import asyncio
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from anycastle.cli.drain import undrain
from anycastle.io.local_socket import LocalServer


def order(number: int, pop: str, answer: str | None) -> dict[str, Any]:
    told = {"who": "ann", "reason": "done", "kind": "undrain", "services": ["dns"]}
    return {"number": number, "pop": pop, "answer": answer, **told}


@contextmanager
def controller(folder: Path, last: int, statuses: Sequence[list[dict[str, Any]]]) -> Iterator[list[dict[str, Any]]]:
    """Serve a socket that takes an order and then tells these orders, one list after another; give what was asked."""
    asked: list[dict[str, Any]] = []
    left = list(statuses)

    async def handler(request: dict[str, Any]) -> dict[str, Any]:
        asked.append(request)
        if request["command"] != "status":
            return {"number": last}
        return {"orders": left.pop(0) if len(left) > 1 else left[0], "agents": {"ams": {"connected": True}}}

    loop, begun = asyncio.new_event_loop(), threading.Event()

    async def serve() -> None:
        server = LocalServer(folder / "controller.sock", handler)
        await server.start()
        begun.set()
        await over.wait()
        await server.close()

    over = asyncio.Event()
    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    assert begun.wait(10)
    try:
        yield asked
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(10)
        loop.close()


def typed(folder: Path, *words: str, pops: Sequence[str] = ("ams", "fra")) -> Result:
    named = [word for pop in pops for word in ("--pop", pop)]
    return CliRunner().invoke(
        undrain, ["dns", *named, "--reason", "done", "--owner", "ann", "--run-dir", str(folder), *words]
    )


@pytest.mark.mission("C5")
def test_each_answer_is_printed_as_it_comes(tmp_path: Path) -> None:
    first = [order(3, "fra", "of another order"), order(4, "ams", None), order(5, "fra", "")]
    second = [order(4, "ams", ""), order(5, "fra", "")]
    with controller(tmp_path, 5, [first, second]) as asked:
        done = typed(tmp_path)
    assert (done.exit_code, done.stdout.splitlines()) == (0, ["fra: done", "ams: done"])
    assert [each["command"] for each in asked] == ["undrain", "status", "status"]


def test_a_refusal_makes_the_exit_code_1(tmp_path: Path) -> None:
    with controller(tmp_path, 5, [[order(4, "ams", "not\tdrained"), order(5, "fra", "")]]):
        done = typed(tmp_path)
    assert (done.exit_code, done.stdout.splitlines()) == (1, ["ams: refused: not drained", "fra: done"])


def test_a_pop_that_says_nothing_in_time_makes_the_exit_code_1(tmp_path: Path) -> None:
    with controller(tmp_path, 5, [[order(4, "ams", None), order(5, "fra", None)]]):
        done = typed(tmp_path, "--deadline", "0.1")
    assert done.exit_code == 1
    assert done.stdout.splitlines() == [
        "ams: no answer within 0.1 s",
        "fra: no answer within 0.1 s (its agent has no session)",
    ]
    assert "the orders stand" in done.stderr


def test_an_order_that_is_not_kept_any_more_is_no_success(tmp_path: Path) -> None:
    with controller(tmp_path, 5, [[order(5, "fra", "")]]):
        assert typed(tmp_path).exit_code == 1


def test_a_pop_that_is_named_twice_has_one_order(tmp_path: Path) -> None:
    with controller(tmp_path, 5, [[order(4, "ams", "of another order"), order(5, "ams", "")]]):
        done = typed(tmp_path, pops=("ams", "ams"))
    assert (done.exit_code, done.stdout.splitlines()) == (0, ["ams: done"])


def test_nobody_waits_where_nobody_is_to_wait(tmp_path: Path) -> None:
    with controller(tmp_path, 5, [[]]) as asked:
        assert typed(tmp_path, "--deadline", "0").exit_code == 0
    assert [each["command"] for each in asked] == ["undrain"]


def test_a_controller_that_goes_away_is_told_with_what_stands(tmp_path: Path) -> None:
    with controller(tmp_path, 5, [[]]):
        pass
    done = typed(tmp_path, "--deadline", "0.1")
    assert done.exit_code == 1
    assert "is the controller running? --run-dir" in str(done.exception)
