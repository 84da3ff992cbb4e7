"""What of an agent's report the public status is judged by."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from anycastle.response.public_status import Seen

PublicStanding = Mapping[str, Seen]
"""Service -> how it stands at a PoP; `planned` where it drains. Empty where the agent does not know its router."""


def public_standing(_pop: str, said: Mapping[str, Any]) -> PublicStanding:
    """Give how the services of a report stand.

    An agent that has just started has not read its router yet; one that only observes announces nothing.
    """
    if not said.get("booted", True) or said.get("observe_only", False):
        return {}
    exported = {route["prefix"] for route in said.get("exported", ())}
    return {each["name"]: _stands(each, exported) for each in said.get("services", ())}


def _stands(service: Mapping[str, Any], exported: set[str]) -> Seen:
    there = sum(prefix in exported for prefix in service["prefixes"])
    drains = service.get("drain") is not None and service["drain"].get("step", "normal") != "normal"
    # One family of two that is gone cuts clients off, and others not.
    well = service["condition"] != "down" and there == len(service["prefixes"])
    return _seen(there > 0, well, drains)


@cache
def _seen(announces: bool, well: bool, planned: bool) -> Seen:
    """Give one of eight, of which there are as many as PoPs have services."""
    return Seen(announces, well, planned)
