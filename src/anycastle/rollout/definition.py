"""What a service is at a PoP beside its routes, part by part, each with a digest.

An agent says the digests of what it lives by, and a plan compares them with those of the files: so a change of a health
check is seen, and staged, as one of a route is. A digest is of the values alone: neither a default that is written out,
nor a field that a later release adds and nobody sets, makes another one.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from functools import lru_cache
from hashlib import sha256
from sys import intern
from typing import Any, Final

from anycastle.model.pop import PoP
from anycastle.model.service import Service

DIGEST_DIGITS: Final = 12
"""Hexadecimal digits that are kept: an agent says one for each part of each service."""

_OF_SERVICE: Final[Mapping[str, Callable[[Service], Any]]] = {
    "addresses": lambda service: (service.addresses, service.manage_addresses),
    "checks": lambda service: service.checks,
    "quorum": lambda service: service.quorum,
    "floor": lambda service: service.floor,
    "lease": lambda service: service.lease,
    "on_exit": lambda service: service.on_exit,
    "when_alone": lambda service: service.when_alone,
    "dampening": lambda service: service.dampening,
    "slow_start": lambda service: service.slow_start,
    "mitigations": lambda service: service.mitigations,
}
"""Part -> what it is of a service, at all of its PoPs alike."""

_MAINTENANCE: Final = "maintenance"
_RANK: Final = {part: rank for rank, part in enumerate((*_OF_SERVICE, _MAINTENANCE))}


def _at_pop(service: Service, pop: PoP) -> Iterator[tuple[str, Any]]:
    """Give the parts that are a PoP's own. How a route is steered is said where it is announced, and else nothing."""
    yield _MAINTENANCE, [(each.start, each.end, each.reason) for each in service.windows if pop.name in each.pops]
    for upstream in pop.upstreams:
        policy = service.policies.get((pop.name, upstream.name))
        if policy is not None and policy.announce:
            yield f"steering via {upstream.name}", policy.steered


class Definitions:
    """The digests of services at their PoPs; what is the same at all PoPs is worked out once."""

    def __init__(self) -> None:
        self._of_service: dict[str, tuple[Service, dict[str, str]]] = {}

    def at(self, service: Service, pop: PoP) -> dict[str, str]:
        """Give the digest of each part of what a service is at a PoP."""
        known = self._of_service.get(service.name)
        if known is None or known[0] is not service:
            made = {part: _digest(value(service)) for part, value in _OF_SERVICE.items()}
            known = self._of_service[service.name] = service, made
        return known[1] | {part: _digest(value) for part, value in _at_pop(service, pop)}


def differing_parts(one: Mapping[str, str], other: Mapping[str, str]) -> tuple[str, ...]:
    """Give the parts that both sides say and that differ: of what one of them does not know nothing can be said."""
    found = (part for part in one.keys() & other.keys() if one[part] != other[part])
    return tuple(sorted(found, key=lambda part: (_RANK.get(part, len(_RANK)), part)))


def _digest(value: Any) -> str:
    return intern(sha256(_canonical(value).encode()).hexdigest()[:DIGEST_DIGITS])  # most services have most in common


def _canonical(value: Any) -> str:
    """Give a value as text, the same for the same value in every process and release."""
    if isinstance(value, Enum):
        return repr(value.value)
    if isinstance(value, float) and value.is_integer():
        return repr(int(value))
    if is_dataclass(value):
        kind: Any = type(value)
        told = (f"{field.name}={_canonical(getattr(value, field.name))}" for field in fields(value) if field.compare)
        usual = _usual(kind)
        return f"{kind.__name__}({','.join(text for text in told if text not in usual)})"
    if isinstance(value, Mapping):
        return "{" + ",".join(sorted(f"{_canonical(key)}:{_canonical(each)}" for key, each in value.items())) + "}"
    if isinstance(value, frozenset):
        return "{" + ",".join(sorted(map(_canonical, value))) + "}"
    if isinstance(value, tuple | list):
        return "[" + ",".join(map(_canonical, value)) + "]"
    return repr(value)


@lru_cache
def _usual(kind: Any) -> frozenset[str]:
    """Give the texts of the fields of a class that have their defaults."""
    defaults = ((field.name, field.default) for field in fields(kind) if field.default is not MISSING)
    return frozenset(f"{name}={_canonical(value)}" for name, value in defaults)
