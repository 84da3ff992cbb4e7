"""The tree of a YAML file: each value with the place where it stands and the path by which it is reached."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from anycastle.io.config.findings import Place
from anycastle.io.config.limits import SHOWN_CHARACTERS_MAX

T = TypeVar("T")


@dataclass(slots=True, eq=False)
class Node:
    """A value. After an alias, the place is that of the anchor's text and the path that of the use."""

    place: Place
    parent: "Mapping | Sequence | None"
    key: str | int

    def path(self) -> str:
        """Give the path from the file's outermost mapping, such as `upstreams[0].asn`."""
        parts: list[str] = []
        node: Node = self
        while node.parent is not None:
            parts.append(f"[{node.key}]" if isinstance(node.key, int) else f".{node.key}")
            node = node.parent
        return "".join(reversed(parts)).removeprefix(".")


@dataclass(slots=True, eq=False)
class Scalar(Node):
    """One value: its text, and what YAML 1.2 reads in it (null, boolean, number, else the text)."""

    text: str
    value: bool | int | float | str | None
    quoted: bool


@dataclass(slots=True, eq=False)
class Sequence(Node):
    """A list."""

    items: list[Node] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Mapping(Node):
    """A mapping, with the place of each key."""

    entries: dict[str, Node] = field(default_factory=dict)
    keys: dict[str, Place] = field(default_factory=dict)

    def path_of(self, key: str) -> str:
        """Give the path of a key, also of one that is missing."""
        path = self.path()
        return f"{path}.{key}" if path else key

    def text_of(self, key: str) -> str | None:
        """Give a value's text if it is a scalar other than null."""
        node = self.entries.get(key)
        return node.text if isinstance(node, Scalar) and node.value is not None else None


@dataclass(frozen=True, slots=True)
class Placed(Generic[T]):
    """A value that has been read, with the node that it stands in."""

    value: T
    node: Node


def children(node: Node | None) -> Iterator[Node]:
    """Give what a list or a mapping holds; nothing for anything else."""
    if isinstance(node, Sequence):
        yield from node.items
    elif isinstance(node, Mapping):
        yield from node.entries.values()


def shown(text: str) -> str:
    """Give a text as a message repeats it: quoted, without control characters, not too long."""
    return repr(text if len(text) <= SHOWN_CHARACTERS_MAX else text[: SHOWN_CHARACTERS_MAX - 1] + "…")


def described(node: Node) -> str:
    """Say what a value is, for a message."""
    if isinstance(node, Mapping):
        return "a mapping" if node.entries else "an empty mapping"
    if isinstance(node, Sequence):
        return "a list" if node.items else "an empty list"
    assert isinstance(node, Scalar)
    if node.value is None:
        return "nothing"
    if isinstance(node.value, bool):
        return f"the boolean {node.text}"
    if isinstance(node.value, int | float):
        return f"the number {shown(node.text)[1:-1]}"
    return f"the text {shown(node.text)}"
