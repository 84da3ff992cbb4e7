"""Deliveries under failures and crashes, by a virtual clock: what was durable once is delivered, in order, or shown."""

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anycastle.base.ports import Timestamp
from anycastle.io import response_json
from anycastle.response.delivery import UNDER_WAY_MAX, Delivery, DeliveryEngine, DeliveryPolicy
from anycastle.response.message import Message
from anycastle.response.notification import NoticeKind
from anycastle.response.signal import Urgency

NOTIFIERS = ("pager", "chat", "mail")
POLICY = DeliveryPolicy(give_up_s=4000.0)


class World:
    """An engine that crashes, what is on its disk, and notifiers that fail and lose their answers."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.disk: dict[str, bytes] = {}
        self.acknowledged: set[str] = set()
        self.received: list[tuple[str, str, int]] = []
        """Notifier, incident, number of the message: each time it was taken."""
        self.down_until = dict.fromkeys(NOTIFIERS, 0.0)
        self.refused: set[str] = set()
        self.crashes = 0
        self.now = Timestamp(0.0)
        self.restart()

    def restart(self) -> None:
        stored = response_json.decode_all(self.disk)
        self.engine = DeliveryEngine(self.dice, POLICY, stored.waiting, stored.dead)
        self.flying: list[tuple[float, Delivery]] = []

    def commit(self) -> None:
        changed = frozenset(self.engine.changed)
        for key, octets in response_json.delivery_documents(changed, self.engine.waiting, self.engine.dead).items():
            if octets is None:
                self.disk.pop(key, None)
            else:
                self.disk[key] = octets
        self.engine.changed.clear()

    def put(self, number: int, incident: int) -> None:
        urgency = self.dice.choice(list(Urgency))
        told = Message(
            f"{number:08d}", f"net/{incident}", "net", incident, NoticeKind.PAGE, urgency, self.now, self.now, "x"
        )
        self.engine.put(NOTIFIERS, told, self.now)
        self.commit()
        self.acknowledged |= {f"{told.key}/{name}" for name in NOTIFIERS}

    def turn(self) -> None:
        """Send what is due, take what came back."""
        for each in self.engine.begin(self.now, NOTIFIERS):
            self.flying.append((self.now + self.dice.uniform(0.01, 5.0), each))
        self.commit()
        for back, each in list(self.flying):
            if back > self.now:
                continue
            self.flying.remove((back, each))
            name = each.notifier
            if self.now < self.down_until[name]:
                self.engine.failed(each.key, "no answer", self.now)
            elif each.key in self.refused:
                self.engine.failed(each.key, "status 400", self.now, refused=True)
            else:
                self.received.append((name, each.message.incident_key, int(each.message.key)))
                if self.dice.random() < 0.1:  # it has it, and its answer is lost
                    self.engine.failed(each.key, "no answer", self.now)
                else:
                    self.engine.took(each.key)
            if self.dice.random() < 0.05:
                self.crash()
                return
            self.commit()
        self.check()

    def crash(self) -> None:
        """Lose all that is not on the disk."""
        self.crashes += 1
        self.restart()

    def check(self) -> None:
        under_way = [self.engine.waiting[key] for key in self.engine.under_way]
        assert len({each.order for each in under_way}) == len(under_way), "one of an incident at a time"
        for name in NOTIFIERS:
            assert sum(each.notifier == name for each in under_way) <= UNDER_WAY_MAX
        assert not self.engine.waiting.keys() & self.engine.dead.keys()

    def step(self) -> None:
        soon = [self.engine.deadline(), *(back for back, _ in self.flying)]
        self.now = Timestamp(max(self.now, min(soon)))


def lived(seed: int) -> World:
    """Give a world after a day with everything in it, and all the time it needs afterwards."""
    world = World(seed)
    messages = world.dice.randint(1, 40)
    for number in range(1, messages + 1):
        world.put(number, world.dice.randint(1, 6))
        if world.dice.random() < 0.1:
            world.refused |= {f"{number:08d}/{world.dice.choice(NOTIFIERS)}"}
        if world.dice.random() < 0.3:
            world.down_until[world.dice.choice(NOTIFIERS)] = world.now + world.dice.uniform(1, 900)
        for _ in range(world.dice.randint(0, 6)):
            world.turn()
            world.now = Timestamp(world.now + world.dice.uniform(0, 20))
    for _ in range(100_000):
        if not world.engine.waiting:
            break
        world.turn()
        world.step()
    return world


@pytest.mark.mission("C15")
@given(seed=st.integers(0, 2**32))
def test_what_was_acknowledged_is_delivered_or_shown(seed: int) -> None:
    world = lived(seed)
    assert not world.engine.waiting, f"seed {seed}: the engine is woken until nothing waits"
    taken = {f"{number:08d}/{name}" for name, _, number in world.received}
    assert world.acknowledged == taken | world.engine.dead.keys(), f"seed {seed}"
    assert world.engine.dead.keys() - taken == world.refused, f"seed {seed}: only what is refused reaches nobody"
    assert response_json.decode_all(world.disk).waiting == ()


@given(seed=st.integers(0, 2**32))
def test_what_an_incidents_notices_say_first_comes_in_their_order(seed: int) -> None:
    world = lived(seed)
    first: dict[tuple[str, str], list[int]] = {}
    for name, incident, number in world.received:
        numbers = first.setdefault((name, incident), [])
        if number not in numbers:
            numbers.append(number)
    assert all(numbers == sorted(numbers) for numbers in first.values()), f"seed {seed}"


def test_the_world_has_crashes_repeats_and_refusals_in_it() -> None:
    worlds = [lived(seed) for seed in range(40)]
    assert sum(world.crashes for world in worlds) > 40
    assert sum(len(world.received) - len(set(world.received)) for world in worlds) > 40
    assert sum(len(world.engine.dead) for world in worlds) > 10


def test_an_engine_that_sends_before_it_is_durable_is_caught() -> None:
    """The invariant can fail: a disk that is written too late loses what was acknowledged."""
    world = World(1)
    world.put(1, 1)
    world.disk.clear()
    world.crash()
    world.turn()
    assert not {f"{number:08d}/{name}" for name, _, number in world.received} >= world.acknowledged


def test_a_delivery_survives_its_document() -> None:
    world = World(3)
    world.put(1, 1)
    (one, *_) = world.engine.waiting.values()
    tried = replace(one, attempts=3, why="status 503", due=Timestamp(5.5))
    (read,) = response_json.decode_all({response_json.WAITING + tried.key: response_json.encode(tried)}).waiting
    assert read == tried
