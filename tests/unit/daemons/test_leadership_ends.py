"""How a leadership ends, and what becomes of whoever ordered something then: a real store, made slow by a gate."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from anycastle import __version__
from anycastle.base.errors import WorldError
from anycastle.base.ports import Timestamp
from anycastle.daemons import controller, leadership
from anycastle.daemons.leadership import Leadership
from anycastle.io.clock import now
from anycastle.io.store.port import NotLeading, Once, Repeated
from anycastle.model.fleet import Fleet
from anycastle.model.permit import PermitReport, PermitState
from anycastle.rollout.commands import Command
from anycastle.rollout.controller import ControllerEngine
from anycastle.rollout.desired import Desired
from anycastle.rollout.orders import Adopt, BreakGlass, Freeze, Order, RollOut, RolloutPolicy, Thaw
from anycastle.wire.link.message import Hello
from tests.unit.daemons.test_leadership import POPS, World, led

STORM = Freeze("storm")


def gated(w: World) -> asyncio.Event:
    """Have commits wait from now on, until it is set."""
    gate, commit = asyncio.Event(), w.store.commit

    async def slow(*words: Any, **named: Any) -> int:
        await gate.wait()
        return await commit(*words, **named)

    w.store.commit = slow  # type: ignore[method-assign]
    return gate


def in_time(body: Callable[[World], Awaitable[None]]) -> Callable[[World], Awaitable[None]]:
    """Have what would hang fail."""

    async def limited(w: World) -> None:
        async with asyncio.timeout(30):
            await body(w)

    return limited


def begin(w: World, order: Order | RollOut, once: Callable[[int], Once] | None = None) -> "asyncio.Task[int]":
    return asyncio.create_task(w.daemon.order(order, "ann", once=once))


async def led_anew(w: World, before: Leadership) -> None:
    await w.until(lambda: w.daemon.term() is not None and w.daemon.leadership is not before)


@pytest.mark.mission("C4")
def test_an_order_after_the_end_fails_at_once(tmp_path: Path) -> None:
    async def body(w: World) -> None:
        leads = w.daemon.leadership
        leads.end(WorldError("the lock was lost"))
        with pytest.raises(NotLeading):
            await w.daemon.order(STORM, "ann")
        await w.until(lambda: w.daemon.term() is None)
        with pytest.raises(NotLeading):
            await leads.order(STORM, "ann")
        with pytest.raises(NotLeading):
            await w.daemon.order(STORM, "ann")
        await led_anew(w, leads)
        assert await w.daemon.order(STORM, "ann") == 0

    led(tmp_path, in_time(body))


@pytest.mark.mission("C4")
def test_orders_that_wait_for_the_store_are_told_that_it_ended(tmp_path: Path) -> None:
    async def body(w: World) -> None:
        gated(w)
        orders = [begin(w, STORM), begin(w, Thaw("over"))]
        await asyncio.sleep(0.05)
        assert not any(order.done() for order in orders)
        w.daemon.leadership.end(WorldError("the lock was lost"))
        ended = await asyncio.gather(*orders, return_exceptions=True)
        assert [type(each) for each in ended] == [NotLeading, NotLeading]

    led(tmp_path, in_time(body))


def test_an_order_that_finds_no_room_fails_and_the_leadership_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def body(w: World) -> None:
        leads, gate = w.daemon.leadership, gated(w)
        monkeypatch.setattr(leadership, "BATCHES_MAX", 2)
        waiting = [begin(w, STORM), begin(w, Thaw("over"))]
        await asyncio.sleep(0.05)
        with pytest.raises(NotLeading, match="2 decisions wait for the database"):
            await w.daemon.order(STORM, "bob")
        assert all(isinstance(each, NotLeading) for each in await asyncio.gather(*waiting, return_exceptions=True))
        gate.set()
        await led_anew(w, leads)

    led(tmp_path, in_time(body))


def fails_once(monkeypatch: pytest.MonkeyPatch, method: str) -> None:
    """Have one method of the engine fail the first time that it is called."""
    whole, left = getattr(ControllerEngine, method), [1]

    def broken(engine: ControllerEngine, *words: object) -> list[Command]:
        if left and left.pop():
            raise ZeroDivisionError("a bug of the engine")
        made: list[Command] = whole(engine, *words)
        return made

    monkeypatch.setattr(ControllerEngine, method, broken)


@pytest.mark.mission("C4")
@pytest.mark.parametrize("method", ["wake", "agent_joined", "order"])
def test_where_the_engine_fails_it_is_told_with_its_place_and_led_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    async def body(w: World) -> None:
        leads = w.daemon.leadership
        await w.daemon.order(Adopt("r0", "begin"), "ann")
        fails_once(monkeypatch, method)
        for pop in ("ams", "fra", "lon"):  # the ledger deals their permits by the timer
            hello = Hello([2], pop, __version__, now().wall)
            w.daemon.agent_joined(pop, hello, [PermitReport("dns", PermitState.NONE, 0, exported=True)])
        if method == "order":
            with pytest.raises(NotLeading):
                await w.daemon.order(STORM, "ann")
        await led_anew(w, leads)
        (said,) = [text for text in w.told if "a bug of the engine" in text]
        assert f"{Path(__file__).name}:" in said
        assert await w.daemon.order(STORM, "ann") == 0

    led(tmp_path, in_time(body))


def test_a_fault_on_the_way_to_lead_is_told_and_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(controller, "AGAIN_S", 0.05)

    async def body(w: World) -> None:
        await w.daemon.order(Adopt("r0", "begin"), "ann")
        leads, folders = w.daemon.leadership, w.daemon._folders
        whole = folders.fleet

        async def broken(revision: str) -> Fleet | None:
            raise KeyError(revision)

        folders.fleet = broken  # type: ignore[method-assign]
        leads.end(WorldError("the lock was lost"))
        await w.until(lambda: sum("KeyError('r0')" in text for text in w.told) >= 3)
        folders.fleet = whole  # type: ignore[method-assign]
        await led_anew(w, leads)
        assert (await w.daemon.kept()).desired == Desired("r0")

    led(tmp_path, in_time(body))


def answered(number: int) -> Once:
    return Once("key", b"freeze", str(number).encode(), Timestamp(now().wall + 60.0))


@pytest.mark.mission("C4")
def test_a_key_that_comes_again_changes_nothing_and_ends_no_leadership(tmp_path: Path) -> None:
    async def body(w: World) -> None:
        term, gate = w.daemon.term(), gated(w)
        gone = begin(w, STORM, answered)
        await asyncio.sleep(0.05)
        gone.cancel()  # whoever asked has gone, and asks again while the first is not durable yet
        again = [begin(w, Thaw("over"), answered) for _ in range(2)]
        await asyncio.sleep(0.05)
        gate.set()
        for each in (*again, begin(w, Thaw("over"), answered)):
            with pytest.raises(Repeated) as repeated:
                await each
            assert repeated.value.once.answer == b"0"
        kept = await w.daemon.kept()
        assert kept.frozen is not None
        assert kept.frozen.reason == "storm"
        assert w.daemon.term() == term

    led(tmp_path, in_time(body))


@pytest.mark.mission("C4")
def test_a_key_of_an_earlier_leadership_is_found_before_anything_is_decided(tmp_path: Path) -> None:
    async def body(w: World) -> None:
        leads = w.daemon.leadership
        await w.daemon.order(STORM, "ann", once=answered)
        leads.end(WorldError("the lock was lost"))
        await led_anew(w, leads)
        term = w.daemon.term()
        with pytest.raises(Repeated):
            await w.daemon.order(Thaw("over"), "ann", once=answered)
        assert w.daemon.leadership.engine.kept.frozen is not None
        assert w.daemon.term() == term

    led(tmp_path, in_time(body))


@pytest.mark.mission("C4")
def test_an_assignment_that_waits_is_composed_of_what_is_durable_by_then(tmp_path: Path) -> None:
    """A rollout's last step is durable, its end not yet, and another revision is read: the first is needed still."""

    async def body(w: World) -> None:
        fleets = w.daemon._folders.fleets  # type: ignore[attr-defined]
        fleets["r2"] = replace(fleets["r1"], name="another")
        for pop in POPS:
            w.join(pop)
        await w.daemon.order(Adopt("r0", "begin"), "ann")
        await w.until(lambda: set(w.sent.assigned) == set(POPS))
        for pop, digest in w.sent.assigned.items():
            w.obey(pop, digest)
        told, leads = dict(w.sent.assigned), w.daemon.leadership
        await w.daemon.order(RollOut("r1", "less load", RolloutPolicy(bake_s=0.0)), "ann")
        await obeyed_but_for_the_last_word(w)
        gate = gated(w)
        orders = [begin(w, BreakGlass("storm", 60.0))]
        await asyncio.sleep(0.05)
        last = next(pop for pop in POPS if w.sent.assigned[pop] != leads.agents[pop].assignment)
        other = next(pop for pop in POPS if pop != last)
        w.sent.assigned.pop(other)
        w.daemon.agent_joined(other, Hello([2], other, __version__, now().wall, 0, told[other]), [])
        for pop in POPS:
            w.obey(pop, digests(leads)[pop], prepend=2)
        await w.until(lambda: leads.engine.kept.rollouts[1].ended)
        assert leads.engine.kept.revisions == {"r1"}
        assert leads.needed_revisions >= {"r0", "r1"}
        orders.append(begin(w, RollOut("r2", "another")))
        await asyncio.sleep(0.05)
        gate.set()
        await asyncio.gather(*orders, return_exceptions=True)
        await w.until(lambda: leads.durable.rollouts[1].ended or leads.over)
        assert not leads.over
        assert w.sent.assigned[other] == digests(leads)[other]

    led(tmp_path, in_time(body))


def digests(leads: Leadership) -> dict[str, str]:
    """Give what the PoPs are desired to live by."""
    return {pop: leads.composer.digest(pop, leads.engine.kept.desired) or "" for pop in POPS}


async def obeyed_but_for_the_last_word(w: World) -> None:
    """Have PoPs live by what they are told, until one that has not said so is all that the rollout waits for."""
    leads = w.daemon.leadership
    while (rollout := leads.durable.rollouts[1]).step < len(rollout.steps):
        for pop, digest in w.sent.assigned.items():
            w.obey(pop, digest, prepend=2)
        await asyncio.sleep(0.01)
    await w.until(lambda: any(w.sent.assigned[pop] != leads.agents[pop].assignment for pop in POPS))


@pytest.mark.mission("C4")
def test_an_order_that_reads_a_folder_while_the_lead_changes_is_taken_by_the_next(tmp_path: Path) -> None:
    async def body(w: World) -> None:
        leads, folders, gate = w.daemon.leadership, w.daemon._folders, asyncio.Event()
        whole = folders.fleet

        async def slow(revision: str) -> Fleet | None:
            await gate.wait()
            return await whole(revision)

        folders.fleet = slow  # type: ignore[method-assign]
        order = begin(w, Adopt("r1", "begin"))
        await asyncio.sleep(0.05)
        leads.end(WorldError("the lock was lost"))
        await led_anew(w, leads)
        gate.set()
        assert await order == 0
        assert (await w.daemon.kept()).desired == Desired("r1")

    led(tmp_path, in_time(body))
