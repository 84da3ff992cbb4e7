"""The notifiers of a plan, made anew when the plan is read anew."""

import asyncio
from collections.abc import Callable

from anycastle.io.notifiers.port import DeliveryError, Sender
from anycastle.io.notifiers.table import sender_of
from anycastle.model.notify import NotifyPlan, Target
from anycastle.response.message import Message

SEND_S = 30.0
"""How long one attempt may take, whatever the notifier says of itself."""


class Notifying:
    """Who is told, and how. One for the life of a controller, whoever leads."""

    def __init__(self, plan: NotifyPlan, sender: Callable[[Target], Sender] = sender_of) -> None:
        self.plan = plan
        self._sender = sender
        self._senders: dict[str, tuple[Target, Sender]] = {}

    async def reload(self, plan: NotifyPlan) -> None:
        """Go by another plan. What is being sent by a notifier that is no more fails, and is sent by the plan."""
        self.plan = plan
        wanted = {each.name: each.target for each in plan.notifiers}
        gone = [name for name, (target, _) in self._senders.items() if wanted.get(name) != target]
        for name in gone:
            await self._senders.pop(name)[1].close()

    @property
    def names(self) -> frozenset[str]:
        """Give the names of all notifiers."""
        return frozenset(each.name for each in self.plan.notifiers)

    async def send(self, name: str, message: Message) -> None:
        """Send one message by one notifier. Raises `DeliveryError`, whatever goes wrong."""
        try:
            target = self.plan.notifier(name).target
            known = self._senders.get(name)
            if known is None or known[0] != target:
                known = self._senders[name] = target, self._sender(target)
            async with asyncio.timeout(SEND_S):
                await known[1].send(message)
        except DeliveryError:
            raise
        except TimeoutError:
            raise DeliveryError(f"{name} did not answer within {SEND_S:g} s") from None
        except Exception as error:  # noqa: BLE001  ours; what it says might hold a secret, and its kind does not
            raise DeliveryError(f"{name} failed: {type(error).__name__}") from None

    async def close(self) -> None:
        """Let go of all."""
        while self._senders:
            _, (_, sender) = self._senders.popitem()
            await sender.close()
