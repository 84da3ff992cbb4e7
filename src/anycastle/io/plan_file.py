"""Plans as JSON: versioned, whole, and without secrets (a plan's values hold none: keys are named by their files)."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from anycastle.base.errors import ParseError
from anycastle.base.ports import Timestamp
from anycastle.io.announcement_json import AttributesShape, attributes_of, attributes_shape_of
from anycastle.io.durable import write_durably
from anycastle.io.whole_file import read_whole
from anycastle.model.announcement import RouteAttributes
from anycastle.model.prefix import parse_prefix
from anycastle.rollout.difference import AttributeChange, Change, DefinitionChange, Difference, Drift, Explained
from anycastle.rollout.finding import PlanFinding
from anycastle.rollout.foreseen import ForeseenPoP, ForeseenShift, Loss
from anycastle.rollout.intent import RouteKey
from anycastle.rollout.plan import Basis, Plan
from anycastle.rollout.staging import Step, StepKind

FORMAT: Final = "anycastle-plan"
VERSION: Final = 2
"""2: definitions of services are compared and staged as routes are."""
FILE_BYTES_MAX: Final = 256 * 1024 * 1024
"""Octets of a plan file: 1,000,000 changed routes."""


class RouteShape(msgspec.Struct, frozen=True, kw_only=True):
    """Which route it is."""

    service: str
    pop: str
    upstream: str
    prefix: str


class ChangeShape(RouteShape, frozen=True, kw_only=True):
    """A route that changes. `kind` is added, changed or withdrawn."""

    kind: str
    before: AttributesShape | None
    after: AttributesShape | None
    attributes: tuple[AttributeChange, ...] = ()


class DefinitionShape(msgspec.Struct, frozen=True):
    """A service that is otherwise at a PoP, beside its routes."""

    service: str
    pop: str
    parts: tuple[str, ...]


class ExplainedShape(RouteShape, frozen=True, kw_only=True):
    """A route that health explains."""

    why: str


class DriftShape(RouteShape, frozen=True, kw_only=True):
    """A route that the router announces otherwise than it was told; null is not announced."""

    told: AttributesShape | None
    exported: AttributesShape | None
    intended: AttributesShape | None


class StepShape(msgspec.Struct, frozen=True):
    """A step. `changes` and `definitions` are places in the plan's lists, from 0."""

    number: int
    kind: StepKind
    pops: tuple[str, ...]
    upstreams: tuple[str, ...]
    changes: tuple[int, ...]
    definitions: tuple[int, ...]


class ShiftShape(msgspec.Struct, frozen=True):
    """A predicted shift."""

    service: str
    prefix: str
    graph: str
    pops: tuple[ForeseenPoP, ...]
    moved: float
    moved_though_kept: float
    ases_moved_though_kept: float
    doubt: float
    losses: tuple[Loss, ...]


class DifferenceShape(msgspec.Struct, frozen=True):
    """The difference alone."""

    changes: tuple[ChangeShape, ...]
    definitions: tuple[DefinitionShape, ...]
    explained: tuple[ExplainedShape, ...]
    drifts: tuple[DriftShape, ...]
    unheard: tuple[str, ...]
    undefined: tuple[str, ...]


class PlanShape(msgspec.Struct, frozen=True, kw_only=True):
    """A plan as it is saved."""

    format: str = FORMAT
    version: int = VERSION
    fleet: str
    made: datetime
    basis: Basis
    refused: bool
    difference: DifferenceShape
    findings: tuple[PlanFinding, ...]
    steps: tuple[StepShape, ...]
    shift: tuple[ShiftShape, ...] | None


class _Head(msgspec.Struct):
    format: str = ""
    version: int = 0


def write_plan(plan: Plan, path: Path) -> None:
    """Write a plan, whole or not at all. Raises `WorldError`."""
    write_durably(path, msgspec.json.format(msgspec.json.encode(_shape(plan))) + b"\n", 0o644)


def read_plan(path: Path) -> Plan:
    """Read a plan. Raises `WorldError` where it cannot be read, `ParseError` where it is none."""
    octets = read_whole(path, FILE_BYTES_MAX)
    try:
        head = msgspec.json.decode(octets, type=_Head)
        problem = _unreadable(head)
        if problem is None:
            return _plan(msgspec.json.decode(octets, type=PlanShape))
    except (msgspec.DecodeError, ParseError, IndexError) as error:
        problem = str(error)
    raise ParseError(f"{path}: not a plan that can be read: {problem}")


def _unreadable(head: _Head) -> str | None:
    if head.format != FORMAT:
        return f"its format is not {FORMAT}"
    if head.version == VERSION:
        return None
    hint = "; make the plan anew" if head.version < VERSION else ""
    return f"it is of version {head.version}; this release reads {VERSION}{hint}"


def plain_plan(plan: Plan) -> dict[str, Any]:
    """Give a plan as plain values, as they are saved."""
    built: dict[str, Any] = msgspec.to_builtins(_shape(plan))
    return built


def plain_difference(difference: Difference) -> dict[str, Any]:
    """Give a difference as plain values, as a plan has it."""
    built: dict[str, Any] = msgspec.to_builtins(_difference_shape(difference))
    return built


def _shape(plan: Plan) -> PlanShape:
    place = {change: at for at, change in enumerate(plan.difference.changes)}
    defined = {each: at for at, each in enumerate(plan.difference.definitions)}
    return PlanShape(
        fleet=plan.fleet,
        made=datetime.fromtimestamp(plan.made, UTC),
        basis=plan.basis,
        refused=plan.refused,
        difference=_difference_shape(plan.difference),
        findings=plan.findings,
        steps=tuple(
            StepShape(
                step.number,
                step.kind,
                step.pops,
                step.upstreams,
                tuple(place[each] for each in step.changes),
                tuple(defined[each] for each in step.definitions),
            )
            for step in plan.steps
        ),
        shift=None if plan.foreseen is None else tuple(_shift_shape(shift) for shift in plan.foreseen),
    )


def _plan(shape: PlanShape) -> Plan:
    difference = _difference(shape.difference)
    steps = (
        Step(
            step.number,
            step.kind,
            tuple(difference.changes[at] for at in step.changes),
            tuple(difference.definitions[at] for at in step.definitions),
        )
        for step in shape.steps
    )
    return Plan(
        fleet=shape.fleet,
        made=Timestamp(shape.made.timestamp()),
        basis=shape.basis,
        difference=difference,
        findings=shape.findings,
        steps=tuple(steps),
        foreseen=None if shape.shift is None else tuple(_shift(each) for each in shape.shift),
    )


def _difference_shape(difference: Difference) -> DifferenceShape:
    return DifferenceShape(
        changes=tuple(
            ChangeShape(
                **_route(each.key, each.service),
                kind=each.kind.name.lower(),
                before=_attributes_shape(each.before),
                after=_attributes_shape(each.after),
                attributes=each.attributes,
            )
            for each in difference.changes
        ),
        definitions=tuple(DefinitionShape(each.service, each.pop, each.parts) for each in difference.definitions),
        explained=tuple(
            ExplainedShape(**_route(each.key, each.service), why=each.why) for each in difference.explained
        ),
        drifts=tuple(
            DriftShape(
                **_route(each.key, each.service),
                told=_attributes_shape(each.told),
                exported=_attributes_shape(each.exported),
                intended=_attributes_shape(each.intended),
            )
            for each in difference.drifts
        ),
        unheard=difference.unheard,
        undefined=difference.undefined,
    )


def _difference(shape: DifferenceShape) -> Difference:
    return Difference(
        changes=tuple(
            Change(_key(each), each.service, _attributes(each.before), _attributes(each.after))
            for each in shape.changes
        ),
        explained=tuple(Explained(_key(each), each.service, each.why) for each in shape.explained),
        drifts=tuple(
            Drift(
                _key(each), each.service, _attributes(each.told), _attributes(each.exported), _attributes(each.intended)
            )
            for each in shape.drifts
        ),
        unheard=shape.unheard,
        definitions=tuple(DefinitionChange(each.pop, each.service, each.parts) for each in shape.definitions),
        undefined=shape.undefined,
    )


def _route(key: RouteKey, service: str) -> dict[str, str]:
    return {"service": service, "pop": key.pop, "upstream": key.upstream, "prefix": str(key.prefix)}


def _key(shape: RouteShape) -> RouteKey:
    return RouteKey(shape.pop, shape.upstream, parse_prefix(shape.prefix))


def _attributes_shape(told: RouteAttributes | None) -> AttributesShape | None:
    return None if told is None else attributes_shape_of(told)


def _attributes(shape: AttributesShape | None) -> RouteAttributes | None:
    return None if shape is None else attributes_of(shape)


def _shift_shape(shift: ForeseenShift) -> ShiftShape:
    values = {name: getattr(shift, name) for name in ShiftShape.__struct_fields__}
    return ShiftShape(**{**values, "prefix": str(shift.prefix)})


def _shift(shape: ShiftShape) -> ForeseenShift:
    values = {name: getattr(shape, name) for name in ShiftShape.__struct_fields__}
    return ForeseenShift(**{**values, "prefix": parse_prefix(shape.prefix)})
