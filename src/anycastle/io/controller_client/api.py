"""A controller elsewhere, by its API. Who orders is whose token it is.

Where an order needs the state that it was decided on, that state is read, told to whoever orders, and named with the
order: what changed meanwhile refuses it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal

from anycastle.base.errors import WorldError
from anycastle.io.controller_client.http import Api
from anycastle.io.controller_client.port import Asked, Drain, Mitigation, RolloutOrder, Started, Told
from anycastle.model.prefix import parse_prefix
from anycastle.rollout.mitigation import share_won

V1: Final = "/api/v1"

_CONDITIONAL: Final = frozenset({RolloutOrder.RESUME, RolloutOrder.PROMOTE, RolloutOrder.APPROVE})
"""Orders that let things go on: they name the state that was seen."""


class ApiController:
    """Implements `port.Controller`. `tell` takes what whoever orders should see first."""

    def __init__(self, api: Api, tell: Callable[[str], None]) -> None:
        self._api = api
        self._tell = tell

    def principal(self) -> str:
        """Give who answers for the token, as the controller knows it. Raises `WorldError`."""
        return str(self._api.get(f"{V1}/whoami")["principal"])

    # -- how it stands ------------------------------------------------------------------------------------------------

    def status(self) -> Told:
        """Give all of how it stands."""
        fleet = self._api.get(f"{V1}/fleet")
        return {
            "address": self._api.url,
            "leads": fleet["leads"],
            "term": fleet["term"],
            "desired": {
                "revision": fleet["revision"] or "",
                "exceptions": fleet["exceptions"],
                "mitigations": fleet["mitigations"],
            },
            "frozen": self._frozen(),
            "break_glass": self._glass(),
            "rollouts": self.rollouts(),
            "orders": self.orders(),
            "agents": self.agents(),
        }

    def rollouts(self) -> Sequence[Told]:
        """Give the rollouts."""
        found = [{**each, "since": _seconds(each["since"])} for each in self._api.items(f"{V1}/rollouts")]
        return found[::-1]

    def orders(self) -> Sequence[Told]:
        """Give the orders to PoPs."""
        found = [{**each, "expires": _seconds(each["expires"])} for each in self._api.items(f"{V1}/orders")]
        return found[::-1]

    def agents(self) -> Mapping[str, Told] | None:
        """Give what is known of agents."""
        pops = list(self._api.items(f"{V1}/pops"))
        if any(each["connected"] is None for each in pops):
            return None
        names = ("connected", "version", "assignment", "refused", "unsettled")
        return {
            each["name"]: {**{name: each[name] for name in names}, "since": _seconds(each["since"])}
            for each in pops
            if each["since"] is not None  # else its agent never dialled in
        }

    def report(self, pop: str) -> dict[str, Any]:
        """Give what an agent said last."""
        told = self._api.get(f"{V1}/pops/{pop}/report")
        return {**told["report"], "at": _seconds(told["at"])}

    def _frozen(self) -> Told | None:
        told = self._api.get(f"{V1}/freeze")
        return {**_of(told, "who", "reason"), "since": _seconds(told["since"])} if told["frozen"] else None

    def _glass(self) -> Told | None:
        told = self._api.get(f"{V1}/break-glass")
        if not told["asked"]:
            return None
        until = _seconds(told["until"]) or 0.0
        named = _of(told, "who", "reason", "lasts_s", "approved_by")
        return {**named, "asked": _seconds(told["since"]), "until": until}

    # -- orders -------------------------------------------------------------------------------------------------------

    def adopt(self, folder: Path, reason: str) -> str:
        """Take a fleet over."""
        revision = self._upload(folder)
        self._api.post(f"{V1}/fleet/adoption", {"revision": revision, "reason": reason})
        return revision

    def roll_out(self, folder: Path, asked: Asked) -> Started:
        """Roll a folder out."""
        revision = self._upload(folder)
        body: dict[str, Any] = {
            "revision": revision,
            "reason": asked.reason,
            "policy": {"bake_s": asked.bake_s, "patience_s": asked.patience_s, "gates": list(asked.gates)},
            "canary_upstreams": list(asked.canary_upstreams),
            "retiring": list(asked.retire),
        }
        if asked.basis is not None:
            body["basis"] = asdict(asked.basis)
        return Started(self._api.post(f"{V1}/rollouts", body)["number"], revision)

    def _upload(self, folder: Path) -> str:
        """Store a fleet folder; give its revision."""
        from anycastle.io.stored_folders import files_in

        files = {}
        for path, octets in files_in(folder).items():
            try:
                files[path] = octets.decode()
            except UnicodeDecodeError as error:
                raise WorldError(f"{folder / path}: this is not UTF-8", retryable=False) from error
        return str(self._api.post(f"{V1}/fleet/revisions", {"files": files})["revision"])

    def order(self, order: RolloutOrder, rollout: int, reason: str = "") -> None:
        """Order something of a rollout."""
        at, seen = f"{V1}/rollouts/{rollout}", None
        if order in _CONDITIONAL:
            told, seen = self._api.get_tagged(at)
            paused = f", paused by {told['paused_by']}" if told["paused_by"] else ""
            stands = f"{told['state']}{paused}, step {told['step']} of {len(told['steps'])}"
            self._decide(f"rollout {rollout}: {stands}, by {told['who']}: {told['reason']}", seen)
        self._api.post(f"{at}/{order.value}", {"reason": reason} if order is RolloutOrder.ABORT else {}, seen)

    def freeze(self, reason: str) -> None:
        """Let it change nothing."""
        self._api.post(f"{V1}/freeze", {"reason": reason})

    def thaw(self, reason: str) -> None:
        """End the freeze."""
        told, seen = self._api.get_tagged(f"{V1}/freeze")
        self._decide(f"frozen by {told['who']}: {told['reason']}" if told["frozen"] else "nothing is frozen", seen)
        self._api.post(f"{V1}/thaw", {"reason": reason}, seen)

    def ask_for_glass(self, reason: str, lasts_s: float) -> None:
        """Ask for the glass."""
        self._api.post(f"{V1}/break-glass", {"reason": reason, "lasts_s": lasts_s})

    def break_glass(self) -> None:
        """Agree that it be broken."""
        told, seen = self._api.get_tagged(f"{V1}/break-glass")
        stands = f"{told['who']} asks for {told['lasts_s']:g} s: {told['reason']}" if told["asked"] else "nobody asks"
        self._decide(stands, seen)
        self._api.post(f"{V1}/break-glass/approve", {}, seen)

    def drain(self, asked: Drain) -> int:
        """Have PoPs drain."""
        return int(self._api.post(f"{V1}/drain", asdict(asked))["number"])

    def undrain(self, pops: Sequence[str], services: Sequence[str], reason: str) -> int:
        """End drains."""
        body = {"pops": list(pops), "services": list(services), "reason": reason}
        return int(self._api.post(f"{V1}/undrain", body)["number"])

    def mitigate(self, prefix: str, reason: str, *, end: bool = False) -> Mitigation:
        """Announce against a hijack, or end that."""
        path = f"{V1}/mitigations/end" if end else f"{V1}/mitigations"
        number = self._api.post(path, {"prefix": prefix, "reason": reason})["number"]
        prefixes: list[str] = self._api.get(f"{V1}/rollouts/{number}")["mitigations"]
        return Mitigation(number, prefixes, share_won(parse_prefix(prefix), map(parse_prefix, prefixes)))

    # -- incidents ----------------------------------------------------------------------------------------------------

    def incidents(self) -> Sequence[Told]:
        """Give the incidents."""
        return [_timed(each, "opened", "cleared") for each in self._api.items(f"{V1}/incidents")][::-1]

    def incident(self, number: int) -> dict[str, Any]:
        """Give an incident whole."""
        told = _timed(self._api.get(f"{V1}/incidents/{number}"), "opened", "cleared")
        told["timeline"] = [_timed(each, "at") for each in told["timeline"]]
        told["deliveries"] = [_timed(each, "at") for each in told["deliveries"]]
        return told

    def postmortem(self, number: int, form: Literal["markdown", "html"]) -> str:
        """Give a postmortem."""
        return self._api.get_text(f"{V1}/incidents/{number}/postmortem", form=form)

    def acknowledge(self, number: int) -> None:
        """Say that somebody looks at it."""
        self._api.post(f"{V1}/incidents/{number}/acknowledge", {})

    def annotate(self, number: int, text: str) -> None:
        """Add words."""
        self._api.post(f"{V1}/incidents/{number}/notes", {"text": text})

    def budgets(self) -> dict[str, Any]:
        """Give what is left of budgets, and what clients got: as the API says it. The socket tells of none."""
        return self._api.get(f"{V1}/budgets")

    def deliveries(self) -> Sequence[Told]:
        """Give what was not taken."""
        return [_timed(each, "at") for each in self._api.items(f"{V1}/deliveries")]

    def send_again(self, keys: Sequence[str] | None) -> Sequence[str]:
        """Send dead letters again."""
        body: dict[str, Any] = {"all": True} if keys is None else {"keys": list(keys)}
        return list(self._api.post(f"{V1}/deliveries/retry", body)["again"])

    def _decide(self, stands: str, seen: str) -> None:
        self._tell(f"decided on: {stands} (ETag {seen})")


def _of(told: Told, *names: str) -> dict[str, Any]:
    return {name: told[name] for name in names}


def _timed(told: Told, *moments: str) -> dict[str, Any]:
    """Give it with its moments in seconds."""
    return {**told, **{name: _seconds(told[name]) for name in moments}}


def _seconds(text: str | None) -> float | None:
    """Give a moment of RFC 3339 in seconds since 1970."""
    return None if text is None else datetime.fromisoformat(text).timestamp()
