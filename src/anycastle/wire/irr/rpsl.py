"""RPSL text <-> objects, each a list of attributes (RFC 2622 §2).

An object begins with its class attribute and ends at an empty line. A value goes on in lines that begin with a space,
a tab or `+`; what follows `#` is a comment; lines that begin with `%` are a server's remarks. A line that is none of
these is `Damage`: it is told with its number, and the rest of its object is read all the same.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from anycastle.wire.irr.printable import printable

OBJECT_CHARACTERS_MAX: Final = 1 << 22
"""Characters of one object: an as-set of 300,000 members."""

_NAME_CHARACTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_")
_CONTINUED: Final = (" ", "\t", "+")
_FIRST_COLUMN: Final = 16


@dataclass(frozen=True, slots=True)
class RPSLObject:
    """An object: (name in lower case, value) in the order of the text, without comments; lines joined by a space."""

    attributes: tuple[tuple[str, str], ...]

    @property
    def kind(self) -> str:
        """The class, such as `route6`: the name of the first attribute (RFC 2622 §2)."""
        return self.attributes[0][0]

    @property
    def key(self) -> str:
        """The value of the first attribute."""
        return self.attributes[0][1]

    def first(self, name: str) -> str:
        """Give the first value of an attribute, or an empty text."""
        return next((value for each, value in self.attributes if each == name), "")

    def items(self, *names: str) -> tuple[str, ...]:
        """Give what the lists of these attributes hold: commas part it, and in practice spaces too."""
        values = (value for name, value in self.attributes if name in names)
        return tuple(item for value in values for item in value.replace(",", " ").split())


@dataclass(frozen=True, slots=True)
class Damage:
    """A line that is no RPSL."""

    line: int
    what: str


def parse_rpsl(lines: Iterable[str]) -> Iterator[RPSLObject | Damage]:
    """Give the objects of a text, line by line, and what in it is none. Holds one object at a time."""
    reading = _Reading()
    for number, line in enumerate(lines, 1):
        text = line.rstrip("\r\n")
        if not text.strip():  # a continuation line without a value is written `+` (RFC 2622 §2)
            yield from reading.end()
        elif text.startswith(("%", "#")):
            continue
        elif (wrong := reading.take(text)) is not None:
            yield Damage(number, wrong)
    yield from reading.end()


class _Reading:
    """The object that is being read; its values in pieces, so that a long list costs no more than its length."""

    def __init__(self) -> None:
        self._attributes: list[tuple[str, list[str]]] = []
        self._characters = 0

    def end(self) -> Iterator[RPSLObject]:
        """Give the object, if there is one, and begin anew."""
        if self._attributes:
            yield RPSLObject(tuple((name, " ".join(filter(None, pieces))) for name, pieces in self._attributes))
        self._attributes, self._characters = [], 0

    def take(self, text: str) -> str | None:
        """Add a line. Gives what is wrong with it, if anything."""
        self._characters += len(text)
        if self._characters > OBJECT_CHARACTERS_MAX:
            return f"an object of more than {OBJECT_CHARACTERS_MAX} characters"
        if text.startswith(_CONTINUED):
            if not self._attributes:
                return "a continuation of nothing"
            self._attributes[-1][1].append(_bare(text[1:]))
            return None
        name, colon, value = text.partition(":")
        name = name.strip().lower()
        if not colon or not name or not set(name) <= _NAME_CHARACTERS:
            return f"{text[:40]!r} is no attribute"
        self._attributes.append((name, [_bare(value)]))
        return None


def _bare(text: str) -> str:
    """Give a text without its comment."""
    return printable(text.partition("#")[0].strip())


def format_rpsl(each: RPSLObject) -> str:
    """Give the text of an object, with a line break at its end."""
    return "".join(f"{f'{name}:':<{_FIRST_COLUMN}}{value}".rstrip() + "\n" for name, value in each.attributes)
