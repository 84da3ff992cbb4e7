"""The controller on this machine, by its socket. Whoever may open it names who orders."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final, Literal, cast

from anycastle.io.controller_client.port import Asked, Drain, Mitigation, RolloutOrder, Started, Told
from anycastle.io.local_socket import ask

TIMEOUT_S: Final = 120.0
"""A large fleet folder is read within it."""


class LocalController:
    """Implements `port.Controller`. `found_by` is the option that says where the socket is."""

    def __init__(self, run_dir: Path, owner: str, found_by: str = "--run-dir") -> None:
        self._run_dir = run_dir
        self._owner = owner
        self._found_by = found_by

    def status(self) -> Told:
        """Give all of how it stands."""
        return self._say({"command": "status"})

    def rollouts(self) -> Sequence[Told]:
        """Give the rollouts."""
        return cast("Sequence[Told]", self.status()["rollouts"])

    def orders(self) -> Sequence[Told]:
        """Give the orders to PoPs."""
        return cast("Sequence[Told]", self.status()["orders"])

    def agents(self) -> Mapping[str, Told] | None:
        """Give what is known of agents."""
        return cast("Mapping[str, Told] | None", self.status()["agents"])

    def report(self, pop: str) -> dict[str, Any]:
        """Give what an agent said last."""
        return self._say({"command": "report", "pop": pop})

    def adopt(self, folder: Path, reason: str) -> str:
        """Take a fleet over."""
        return str(self._order("adopt", folder=str(folder.absolute()), reason=reason)["revision"])

    def roll_out(self, folder: Path, asked: Asked) -> Started:
        """Roll a folder out."""
        told = self._order("apply", folder=str(folder.absolute()), **asdict(asked))
        return Started(told["number"], told["revision"])

    def order(self, order: RolloutOrder, rollout: int, reason: str = "") -> None:
        """Order something of a rollout."""
        if order is RolloutOrder.APPROVE:
            self._order("approve", subject=f"rollout/{rollout}")
        else:
            self._order(order.value, rollout=rollout, reason=reason)

    def freeze(self, reason: str) -> None:
        """Let it change nothing."""
        self._order("freeze", reason=reason)

    def thaw(self, reason: str) -> None:
        """End the freeze."""
        self._order("thaw", reason=reason)

    def ask_for_glass(self, reason: str, lasts_s: float) -> None:
        """Ask for the glass."""
        self._order("break-glass", reason=reason, lasts_s=lasts_s)

    def break_glass(self) -> None:
        """Agree that it be broken."""
        self._order("approve", subject="break-glass")

    def drain(self, asked: Drain) -> int:
        """Have PoPs drain."""
        return int(self._order("drain", **asdict(asked))["number"])

    def undrain(self, pops: Sequence[str], services: Sequence[str], reason: str) -> int:
        """End drains."""
        return int(self._order("undrain", pops=pops, services=services, reason=reason)["number"])

    def mitigate(self, prefix: str, reason: str, *, end: bool = False) -> Mitigation:
        """Announce against a hijack, or end that."""
        return Mitigation(**self._order("mitigate", prefix=prefix, reason=reason, end=end))

    def incidents(self) -> Sequence[Told]:
        """Give the incidents."""
        return cast("Sequence[Told]", self._say({"command": "incidents"})["incidents"])

    def incident(self, number: int) -> dict[str, Any]:
        """Give an incident whole."""
        return self._say({"command": "incident", "incident": number})

    def postmortem(self, number: int, form: Literal["markdown", "html"]) -> str:
        """Give a postmortem."""
        return str(self._say({"command": "postmortem", "incident": number, "form": form})["text"])

    def acknowledge(self, number: int) -> None:
        """Say that somebody looks at it."""
        self._order("acknowledge", incident=number)

    def annotate(self, number: int, text: str) -> None:
        """Add words."""
        self._order("annotate", incident=number, text=text)

    def deliveries(self) -> Sequence[Told]:
        """Give what was not taken."""
        return cast("Sequence[Told]", self._say({"command": "deliveries"})["items"])

    def send_again(self, keys: Sequence[str] | None) -> Sequence[str]:
        """Send dead letters again."""
        return list(self._order("send-again", keys=None if keys is None else list(keys))["again"])

    def _order(self, command: str, **fields: Any) -> dict[str, Any]:
        return self._say({"command": command, "owner": self._owner, **fields})

    def _say(self, request: dict[str, Any]) -> dict[str, Any]:
        path = self._run_dir / "controller.sock"
        return ask(path, request, TIMEOUT_S, of="the controller", found_by=self._found_by)
