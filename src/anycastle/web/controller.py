"""What the web room asks of the controller: how things stand, and to take an order. The daemon gives it."""

from collections.abc import Callable, Collection, Mapping
from typing import Any, Protocol

from anycastle.base.ports import Timestamp
from anycastle.io.store.port import Once
from anycastle.response.orders import ResponseOrder
from anycastle.rollout.kept import Kept
from anycastle.rollout.orders import Order, Wish


class AgentView(Protocol):
    """What is known of a PoP's agent."""

    @property
    def connected(self) -> bool:
        """Whether it has a session."""
        ...

    @property
    def since(self) -> Timestamp:
        """When it came, or went."""
        ...

    @property
    def version(self) -> str:
        """What it runs."""
        ...

    @property
    def assignment(self) -> str | None:
        """The digest of what it lives by; None for its own files."""
        ...

    @property
    def refused(self) -> str | None:
        """Why it refuses what is desired of it."""
        ...

    @property
    def unsettled(self) -> str | None:
        """Why its router does not announce what the agent wants."""
        ...

    @property
    def told(self) -> object | None:
        """What stands for the report: the same object for as long as it says the same; None where there is none."""
        ...

    def report(self) -> dict[str, Any] | None:
        """Give what it said last, as its own status says it; None where it has no session."""
        ...


class Controller(Protocol):
    """The controller, as the API sees it."""

    def term(self) -> int | None:
        """Give the term by which this controller leads; None where it does not."""
        ...

    @property
    def agents(self) -> Mapping[str, AgentView] | None:
        """Give PoP -> its agent; None where another controller leads: it has the sessions."""
        ...

    @property
    def indicators(self) -> Collection[str]:
        """Give what gates can ask for."""
        ...

    async def kept(self) -> Kept:
        """Give what is durable; where another leads, as the store has it."""
        ...

    async def order(
        self,
        order: Order | Wish,
        who: str,
        *,
        check: Callable[[Kept], None] | None = None,
        once: Callable[[int], Once] | None = None,
    ) -> int:
        """Take an order; give the number of the rollout or order that it made, or 0, once it is durable.

        `check` sees what the engine keeps, with no other order between it and this one; what it raises ends the order.
        `once(number)` is made durable in the same transaction. Raises `MisuseError` for a refusal, `Superseded`,
        `Repeated` and `WorldError`.
        """
        ...

    async def respond(
        self, order: ResponseOrder, who: str, once: Callable[[tuple[str, ...]], Once] | None = None
    ) -> tuple[str, ...]:
        """Do what somebody wants with incidents and dead letters; give the keys of letters that are sent again.

        `once(keys)` is made durable in the same transaction. Raises as `order` does.
        """
        ...
