"""What all shapes share: strict keys, findings with places, and going on after an error so that all are found."""

from collections.abc import Iterable
from typing import Any, ClassVar, Final, Self, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    ModelWrapValidatorHandler,
    PrivateAttr,
    ValidationError,
    ValidationInfo,
    model_validator,
)
from pydantic.functional_validators import BeforeValidator
from pydantic_core import ErrorDetails, PydanticCustomError

from anycastle.io.config.findings import FindingKind, Findings, Place, did_you_mean
from anycastle.io.config.nodes import Mapping, Node, Sequence, described, shown
from anycastle.io.config.scalars import refuse

S = TypeVar("S", bound="Shape")

_REPORTED: Final = "reported"
SECRET_KEYS: Final = frozenset(
    {"password", "passwd", "passphrase", "secret", "key", "md5", "md5_key", "tcp_md5", "token", "auth", "credential"}
)


class Shape(BaseModel):
    """A mapping of the fleet's files. Reading it adds findings; what is wrong is left out and reading goes on."""

    # Built at first use, and so with the shapes of a whole file only: half the time that the module takes to import.
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True, defer_build=True)

    passes_over_x: ClassVar[bool] = False
    """Whether keys that begin with `x-` are passed over."""

    _node: Mapping = PrivateAttr()

    @model_validator(mode="wrap")
    @classmethod
    def _read(cls, node: Any, handler: ModelWrapValidatorHandler[Self], info: ValidationInfo) -> Self:
        assert isinstance(info.context, Findings)
        findings = info.context
        if not isinstance(node, Mapping):
            assert isinstance(node, Node)
            kind = FindingKind.EMPTY if described(node) == "nothing" else FindingKind.WRONG_TYPE
            raise refuse(kind, f"a mapping of keys to values is needed here, not {described(node)}")
        known = _known_entries(cls, node, findings)
        try:
            shape = handler(known)
        except ValidationError as error:
            shape = _read_the_rest(cls, node, known, handler, error, findings)
        shape._node = node
        shape.review(findings)
        return shape

    def review(self, findings: Findings) -> None:
        """Add the findings that concern this mapping alone."""

    @property
    def node(self) -> Mapping:
        """Where the mapping stands."""
        return self._node

    def place_of(self, key: str) -> Place:
        """Give the place of a key's value, or of the mapping if the key is not given."""
        node = self._node.entries.get(key)
        return node.place if node else self._node.place

    def misread(self, *keys: str) -> bool:
        """Tell whether one of the keys is written and could not be read: the default in its place proves nothing."""
        return any(key in self._node.entries and key not in self.model_fields_set for key in keys)

    def add_at_entry(self, findings: Findings, kind: FindingKind, key: str, name: str, message: str) -> None:
        """Add a finding about one name of a key that holds a mapping of free names."""
        holder = self._node.entries[key]
        place = holder.keys[name] if isinstance(holder, Mapping) else holder.place
        findings.add(kind, place, f"{holder.path()}.{name}", message)

    def add(self, findings: Findings, kind: FindingKind, key: str, message: str) -> None:
        """Add a finding about a key's value."""
        findings.add(kind, self.place_of(key), self._node.path_of(key), message)


def read_shape(shape: type[S], root: Mapping, findings: Findings) -> S | None:
    """Give the shape of a file, without what is wrong in it; None if too little is left."""
    try:
        return shape.model_validate(root, context=findings)
    except ValidationError as error:
        for detail in error.errors(include_url=False, include_input=False):
            _report(root, detail, findings)
        return None


def _known_entries(shape: type[Shape], node: Mapping, findings: Findings) -> dict[str, Node]:
    known = {}
    for key, value in node.entries.items():
        if key in shape.model_fields:
            known[key] = value
        elif not (shape.passes_over_x and key.startswith("x-")):
            kind, message = _unknown_key(key, shape.model_fields)
            findings.add(kind, node.keys[key], node.path_of(key), message)
    return known


def _unknown_key(key: str, fields: Iterable[str]) -> tuple[FindingKind, str]:
    if key.lower() in SECRET_KEYS:
        hint = "; write password_file with the path of a file that holds it" if "password_file" in fields else ""
        return FindingKind.SECRET, f"a secret is never written into the fleet{hint}"
    return FindingKind.UNKNOWN_KEY, f"unknown key {shown(key)}{did_you_mean(key, fields)}"


def _read_the_rest(
    shape: type[S],
    node: Mapping,
    known: dict[str, Node],
    handler: ModelWrapValidatorHandler[S],
    error: ValidationError,
    findings: Findings,
) -> S:
    """Report what is wrong, leave it out, and read once more; refuse the whole if a required key is gone."""
    details = error.errors(include_url=False, include_input=False)
    rest: dict[str, Node] = dict(known)
    for detail in details:
        _report(node, detail, findings)
        _leave_out(rest, node, detail["loc"])
    required = {name for name, info in shape.model_fields.items() if info.is_required()}
    if not required <= rest.keys():
        raise PydanticCustomError(_REPORTED, "reported")
    return handler(rest)


def _leave_out(rest: dict[str, Node], node: Mapping, loc: tuple[int | str, ...]) -> None:
    key = str(loc[0])
    holder = rest.get(key)
    if len(loc) > 1 and isinstance(holder, Sequence):
        original = node.entries[key]
        assert isinstance(original, Sequence)
        bad = original.items[int(loc[1])]
        kept = Sequence(holder.place, holder.parent, holder.key, [item for item in holder.items if item is not bad])
        rest[key] = kept
        if not kept.items:
            del rest[key]
    elif len(loc) > 1 and isinstance(holder, Mapping) and str(loc[1]) in holder.entries:
        entries = {name: value for name, value in holder.entries.items() if name != loc[1]}
        rest[key] = Mapping(holder.place, holder.parent, holder.key, entries, holder.keys)
        if not entries:
            del rest[key]
    else:
        rest.pop(key, None)


def _report(node: Mapping, detail: ErrorDetails, findings: Findings) -> None:
    if detail["type"] == _REPORTED:
        return
    place, path = _locate(node, detail["loc"])
    if detail["type"] == "missing":
        findings.add(FindingKind.MISSING_KEY, place, path, f"the key {str(detail['loc'][-1])!r} is missing")
        return
    assert detail["type"] == "finding", detail
    context = detail["ctx"]
    findings.add(context["kind"], place, path, context["message"])


def _locate(node: Mapping, loc: tuple[int | str, ...]) -> tuple[Place, str]:
    """Give the place of an error: the value's, the key's for a bad key, the mapping's for a missing one."""
    here: Node = node
    for part in loc:
        if part == "[key]":
            parent = here.parent
            assert isinstance(parent, Mapping)
            return parent.keys[str(here.key)], here.path()
        if isinstance(here, Mapping) and part in here.entries:
            here = here.entries[str(part)]
        elif isinstance(here, Sequence) and isinstance(part, int):
            here = here.items[part]
        else:
            path = here.path_of(str(part)) if isinstance(here, Mapping) else here.path()
            return here.place, path
    return here.place, here.path()


def _items(node: Any) -> list[Node]:
    if not isinstance(node, Sequence):
        kind = FindingKind.EMPTY if described(node) == "nothing" else FindingKind.WRONG_TYPE
        hint = "; an empty value never means all" if kind is FindingKind.EMPTY else ""
        raise refuse(kind, f"a list is needed here, not {described(node)}{hint}")
    if not node.items:
        raise refuse(FindingKind.EMPTY, "the list is empty, and an empty list never means all; name what is meant")
    return node.items


def _entries(node: Any) -> dict[str, Node]:
    if not isinstance(node, Mapping):
        kind = FindingKind.EMPTY if described(node) == "nothing" else FindingKind.WRONG_TYPE
        raise refuse(kind, f"a mapping of keys to values is needed here, not {described(node)}")
    if not node.entries:
        raise refuse(
            FindingKind.EMPTY, "the mapping is empty, and an empty mapping never means all; name what is meant"
        )
    return node.entries


ITEMS: Final = BeforeValidator(_items)
"""Reads a list that is not empty."""

ENTRIES: Final = BeforeValidator(_entries)
"""Reads a mapping of free keys that is not empty."""
