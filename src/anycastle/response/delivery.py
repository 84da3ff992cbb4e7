"""The delivery of messages: at least once, in order, never given up in silence.

Theory of operation. A *delivery* is one message to one notifier, under a key that no other has. It *waits*, is *under
way*, and is over once the notifier took it. A failure has it wait again: each time twice as long, up to a limit, less a
part that is drawn, so that not all come back at once; a server that says when to come back is believed. It is *dead*
when the notifier refuses the message itself, when it is too old, or when there is no such notifier; what is dead is
kept, shown, and can be sent again.

Messages of one incident reach one notifier in their order: the next begins when the one before is over or dead. Others
pass it by, up to a number under way at once for each notifier, so that one message that cannot be taken holds up
nobody else. The queue is bounded: where it is full, the oldest ticket gives way to a page, as dead.

Nothing here is durable. `changed` says what of it whoever keeps it must write down *before* it is sent, and after; what
was under way when that ended waits again, and so comes twice rather than never.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import inf
from typing import Final

from anycastle.base.ports import Randomness, Timestamp
from anycastle.response.message import Message
from anycastle.response.signal import Urgency

WAITING_MAX: Final = 10_000
DEAD_MAX: Final = 1_000
"""Dead letters that are kept; of those beyond, the oldest go, and are counted."""

UNDER_WAY_MAX: Final = 4
"""Of one notifier at once."""


@dataclass(frozen=True, slots=True)
class DeliveryPolicy:
    """How patient it is; seconds."""

    first_s: float = 1.0
    """After the first failure."""
    most_s: float = 60.0
    """A server that was away for an hour is told within a minute of its return."""
    jitter: float = 0.5
    """The part of a pause that is drawn."""
    give_up_s: float = 86_400.0
    """What is a day old is no news."""
    asked_most_s: float = 600.0
    """As long as a server is believed that says when to come back."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message to one notifier."""

    notifier: str
    message: Message
    created: Timestamp
    attempts: int = 0
    due: Timestamp = Timestamp(0.0)
    why: str = ""
    """What the last attempt met; of a dead one, why it is."""

    @property
    def key(self) -> str:
        """Give what no other delivery has."""
        return f"{self.message.key}/{self.notifier}"

    @property
    def order(self) -> tuple[str, str]:
        """Give within what the order is kept."""
        return self.notifier, self.message.incident_key


class DeliveryEngine:
    """All deliveries of a fleet."""

    def __init__(
        self,
        randomness: Randomness,
        policy: DeliveryPolicy = DeliveryPolicy(),
        waiting: Iterable[Delivery] = (),
        dead: Iterable[Delivery] = (),
    ) -> None:
        """Begin with what was kept: all of `waiting` waits again."""
        self.policy = policy
        self.waiting: dict[str, Delivery] = {each.key: each for each in sorted(waiting, key=lambda each: each.key)}
        self.dead: dict[str, Delivery] = {each.key: each for each in sorted(dead, key=lambda each: each.key)}
        self.dead_beyond = 0
        self.under_way: set[str] = set()
        self.changed: set[str] = set()
        """Keys whose delivery is another than was written down: of `waiting`, of `dead`, or of neither."""
        self._random = randomness

    # what comes in

    def put(self, notifiers: Iterable[str], message: Message, now: Timestamp) -> None:
        """Take a message for some notifiers; one that is known already changes nothing."""
        for name in notifiers:
            delivery = Delivery(name, message, now, due=now)
            if delivery.key in self.waiting or delivery.key in self.dead:
                continue
            if len(self.waiting) >= WAITING_MAX and not self._give_way(message.urgency):
                self._bury(replace(delivery, why=f"{WAITING_MAX} others wait"))
                continue
            self.waiting[delivery.key] = delivery
            self.changed.add(delivery.key)

    def _give_way(self, urgency: Urgency) -> bool:
        """Bury the oldest ticket for a page."""
        if urgency is not Urgency.PAGE:
            return False
        for key, each in self.waiting.items():
            if each.message.urgency is Urgency.TICKET and key not in self.under_way:
                self._bury(replace(each, why=f"{WAITING_MAX} others wait, and this is a page's place"))
                return True
        return False

    def begin(self, now: Timestamp, known: Iterable[str]) -> list[Delivery]:
        """Give what is to be sent now; it is under way until `took` or `failed`. `known`: names of the notifiers."""
        names = frozenset(known)
        busy = Counter(self.waiting[key].notifier for key in self.under_way)
        held = {self.waiting[key].order for key in self.under_way}
        begun = []
        for key, each in list(self.waiting.items()):
            if key in self.under_way:
                continue
            if each.notifier not in names:
                self._bury(replace(each, why=f"there is no notifier {each.notifier} any more"))
            elif now >= each.created + self.policy.give_up_s:
                self._bury(replace(each, why=f"given up after {each.attempts} attempts: {each.why or 'none was made'}"))
            elif each.order not in held:
                held.add(each.order)
                if each.due <= now and busy[each.notifier] < UNDER_WAY_MAX:
                    busy[each.notifier] += 1
                    self.under_way.add(key)
                    begun.append(each)
        return begun

    def took(self, key: str) -> Delivery | None:
        """Take that the notifier has it; give what is over. None for one that is not known any more."""
        self.under_way.discard(key)
        done = self.waiting.pop(key, None)
        if done is None:
            return None
        self.changed.add(key)
        return replace(done, attempts=done.attempts + 1)

    def failed(
        self, key: str, why: str, now: Timestamp, *, refused: bool = False, again_s: float | None = None
    ) -> Delivery | None:
        """Take that an attempt failed; give the delivery if it is dead by that.

        `refused`: the message itself is not taken, however often it comes. `again_s`: when the server wants it again.
        """
        self.under_way.discard(key)
        known = self.waiting.get(key)
        if known is None:
            return None
        tried = replace(known, attempts=known.attempts + 1, why=why)
        if refused:
            return self._bury(tried)
        self.waiting[key] = replace(tried, due=Timestamp(now + self._pause(tried.attempts, again_s)))
        self.changed.add(key)
        return None

    def _pause(self, attempts: int, again_s: float | None) -> float:
        policy = self.policy
        usual = min(policy.most_s, policy.first_s * 2.0 ** min(attempts - 1, 30))
        drawn = usual * (1 - policy.jitter * self._random.random())
        return drawn if again_s is None else max(drawn, min(again_s, policy.asked_most_s))

    def _bury(self, delivery: Delivery) -> Delivery:
        self.waiting.pop(delivery.key, None)
        self.dead[delivery.key] = delivery
        self.changed.add(delivery.key)
        while len(self.dead) > DEAD_MAX:
            oldest = next(iter(self.dead))
            del self.dead[oldest]
            self.dead_beyond += 1
            self.changed.add(oldest)
        return delivery

    def again(self, key: str, now: Timestamp) -> bool:
        """Have a dead one wait again, as if it were new; False where there is none."""
        known = self.dead.pop(key, None)
        if known is None:
            return False
        self.waiting[key] = replace(known, created=now, attempts=0, due=now)
        self.changed.add(key)
        return True

    # what time does

    def deadline(self) -> Timestamp:
        """Give when `begin` has something to do again, if nothing else happens; infinity where nothing waits."""
        busy = Counter(self.waiting[key].notifier for key in self.under_way)
        held = {self.waiting[key].order for key in self.under_way}
        soon = inf
        for key, each in self.waiting.items():
            if key in self.under_way:
                continue
            soon = min(soon, each.created + self.policy.give_up_s)
            if each.order not in held:
                held.add(each.order)
                if busy[each.notifier] < UNDER_WAY_MAX:
                    soon = min(soon, each.due)
        return Timestamp(soon)
