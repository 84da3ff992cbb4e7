"""What a report is made of, whichever form it is written in. All texts are plain; the writers escape them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Some sentences."""

    text: str


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list; `open` items are boxes that people tick."""

    items: Sequence[str]
    open: bool = False


@dataclass(frozen=True, slots=True)
class Rows:
    """A table."""

    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    mono: frozenset[int] = frozenset()
    """Columns of identifiers and times, which stand in a fixed width."""
    mark: int | None = None
    """The column whose words are shown as marks of their own."""


@dataclass(frozen=True, slots=True)
class Figures:
    """A few figures that matter most: (value, what it is)."""

    items: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawing in an SVG file, and what it shows in words."""

    path: Path
    words: str


Block = Paragraph | Bullets | Rows | Figures | Picture


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands below it."""

    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True, slots=True)
class Document:
    """A report."""

    title: str
    about: str
    sections: Sequence[Section] = field(default_factory=tuple)
