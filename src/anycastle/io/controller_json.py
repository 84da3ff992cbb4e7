"""What a controller keeps, as the JSON in which its database holds it.

A unit is written as a list: PoP, upstream and prefix of a route, or PoP and service of a definition. Units with one
revision stand together under it, for there are many of them and few revisions.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from anycastle.base.errors import ParseError
from anycastle.base.ports import Timestamp
from anycastle.model.prefix import parse_prefix
from anycastle.rollout.desired import DefinitionKey, Desired, Unit
from anycastle.rollout.gates import parse_gate
from anycastle.rollout.intent import RouteKey
from anycastle.rollout.kept import AgentOrder, Document, Frozen, Glass, Kept
from anycastle.rollout.mitigation import mitigations_of
from anycastle.rollout.orders import RolloutPolicy
from anycastle.rollout.rollout import Rollout, RolloutState

_FORMAT: Final = 1
"""Raised when a document is written in another way; older ones are still read."""


class _Desired(msgspec.Struct, tag="desired", forbid_unknown_fields=True):
    format: int
    revision: str
    exceptions: dict[str, list[list[str]]]


class _Policy(msgspec.Struct, forbid_unknown_fields=True):
    bake_s: float
    patience_s: float
    gates: list[str]


class _Rollout(msgspec.Struct, tag="rollout", forbid_unknown_fields=True):
    format: int
    number: int
    revision: str
    steps: list[dict[str, list[list[str]]]]
    """Of each step, the units by the revision that they had before."""
    prefixes: list[str]
    who: str
    reason: str
    policy: _Policy
    marks: list[str]
    approved_by: str | None
    state: str
    step: int
    since: float
    paused_by: str | None
    why: str


class _Plain(msgspec.Struct, tag="plain", forbid_unknown_fields=True):
    format: int
    kind: str
    value: msgspec.Raw


_SHAPES: Final = msgspec.json.Decoder(_Desired | _Rollout | _Plain)
_PLAIN: Final[Mapping[str, Any]] = {"order": AgentOrder, "freeze": Frozen, "break-glass": Glass, "number": int}


def encode(part: Document) -> bytes:
    """Give a part as octets."""
    match part:
        case Desired():
            shape: Any = _Desired(_FORMAT, part.revision, _grouped(part.exceptions))
        case Rollout():
            shape = _rollout_shape(part)
        case _:
            kind = next(kind for kind, made in _PLAIN.items() if isinstance(part, made))
            shape = _Plain(_FORMAT, kind, msgspec.Raw(msgspec.json.encode(part)))
    return msgspec.json.encode(shape)


def decode(octets: bytes) -> Document:
    """Give the part of octets. Raises `ParseError`."""
    try:
        shape = _SHAPES.decode(octets)
        if shape.format != _FORMAT:
            raise ParseError(f"a document of format {shape.format}, and this program knows {_FORMAT}")
        match shape:
            case _Desired(revision=revision, exceptions=exceptions):
                return Desired(revision, dict(_spread(exceptions)))
            case _Rollout():
                return _rollout_of(shape)
            case _Plain(kind=kind, value=value):
                if kind not in _PLAIN:
                    raise ParseError(f"a document of kind {kind!r} is not known")
                made: Document = msgspec.json.decode(value, type=_PLAIN[kind])
                return made
    except (msgspec.MsgspecError, ValueError) as error:
        raise ParseError(f"a document of the controller is not what it should be: {error}") from error
    raise ParseError("a document of the controller is of no kind")


def kept_of(documents: Mapping[str, bytes], fallback: Desired) -> Kept:
    """Give what a controller kept, from its documents. Raises `ParseError`, naming the document."""
    kept: dict[str, Any] = {"desired": fallback, "rollouts": {}, "orders": {}}
    for key, octets in documents.items():
        try:
            part = decode(octets)
        except ParseError as error:
            raise ParseError(f"{key}: {error}") from error
        match part:
            case Desired():
                kept["desired"] = part
            case Rollout():
                kept["rollouts"][part.number] = part
            case AgentOrder():
                kept["orders"][part.number] = part
            case Frozen():
                kept["frozen"] = part
            case Glass():
                kept["glass"] = part
            case int():
                kept["number"] = part
    return Kept(**kept)


def unit_shape(unit: Unit) -> list[str]:
    """Give a unit as a list of texts."""
    if isinstance(unit, RouteKey):
        return [unit.pop, unit.upstream, str(unit.prefix)]
    return [unit.pop, unit.service]


def unit_of(shape: Iterable[str]) -> Unit:
    """Give the unit of a list of texts. Raises `ParseError`."""
    match list(shape):
        case [pop, upstream, prefix]:
            return RouteKey(pop, upstream, parse_prefix(prefix))
        case [pop, service]:
            return DefinitionKey(pop, service)
        case other:
            raise ParseError(f"{other} is no unit: PoP, upstream and prefix, or PoP and service")


def rollout_plain(rollout: Rollout, waits_for: str = "") -> dict[str, Any]:
    """Give a rollout as plain values, for people and other programs: its steps with their PoPs, not their units."""
    steps = [
        {"number": number, "units": len(units), "pops": sorted(rollout.pops_of(number))}
        for number, units in enumerate(rollout.steps, 1)
    ]
    policy = rollout.policy
    return {
        "number": rollout.number,
        "revision": rollout.revision,
        "who": rollout.who,
        "reason": rollout.reason,
        "approved_by": rollout.approved_by,
        "state": rollout.state.value,
        "step": rollout.step,
        "since": rollout.since,
        "paused_by": rollout.paused_by,
        "why": rollout.why,
        "waits_for": waits_for,
        "marks": list(rollout.marks),
        "steps": steps,
        "prefixes": sorted(map(str, rollout.prefixes)),
        "mitigations": sorted(map(str, mitigations_of(rollout))),
        "policy": {
            "bake_s": policy.bake_s, "patience_s": policy.patience_s, "gates": [str(gate) for gate in policy.gates]
        },
    }  # fmt: skip


def _grouped(units: Mapping[Unit, str]) -> dict[str, list[list[str]]]:
    groups: dict[str, list[list[str]]] = {}
    for unit, revision in units.items():
        groups.setdefault(revision, []).append(unit_shape(unit))
    return {revision: sorted(shapes) for revision, shapes in sorted(groups.items())}


def _spread(groups: Mapping[str, Iterable[Iterable[str]]]) -> Iterable[tuple[Unit, str]]:
    return ((unit_of(shape), revision) for revision, shapes in groups.items() for shape in shapes)


def _rollout_shape(rollout: Rollout) -> _Rollout:
    policy = rollout.policy
    return _Rollout(
        format=_FORMAT,
        number=rollout.number,
        revision=rollout.revision,
        steps=[_grouped({unit: rollout.before[unit] for unit in step}) for step in rollout.steps],
        prefixes=sorted(map(str, rollout.prefixes)),
        who=rollout.who,
        reason=rollout.reason,
        policy=_Policy(policy.bake_s, policy.patience_s, [str(gate) for gate in policy.gates]),
        marks=list(rollout.marks),
        approved_by=rollout.approved_by,
        state=rollout.state.value,
        step=rollout.step,
        since=rollout.since,
        paused_by=rollout.paused_by,
        why=rollout.why,
    )


def _rollout_of(shape: _Rollout) -> Rollout:
    before = dict(pair for step in shape.steps for pair in _spread(step))
    steps = tuple(frozenset(unit for unit, _ in _spread(step)) for step in shape.steps)
    policy = shape.policy
    return Rollout(
        number=shape.number,
        revision=shape.revision,
        steps=steps,
        before=before,
        prefixes=frozenset(map(parse_prefix, shape.prefixes)),
        who=shape.who,
        reason=shape.reason,
        policy=RolloutPolicy(policy.bake_s, policy.patience_s, tuple(map(parse_gate, policy.gates))),
        marks=tuple(shape.marks),
        approved_by=shape.approved_by,
        state=RolloutState(shape.state),
        step=shape.step,
        since=Timestamp(shape.since),
        paused_by=shape.paused_by,
        why=shape.why,
    )
