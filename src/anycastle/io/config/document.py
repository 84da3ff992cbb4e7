"""YAML text -> tree of nodes, or findings.

ruamel.yaml's parser gives events with places; the tree is built from them here and not by its constructors, because
that is twice as fast, gives every value its place, and lets each bound (nesting, aliases, size) hold while the text
is still being read. Nothing in a file can name a type to make: there are no tags.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from ruamel.yaml.error import MarkedYAMLError, StringMark, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from anycastle.io.config.findings import FindingKind, Findings, Place
from anycastle.io.config.limits import NESTING_MAX, NODES_MAX, SCALAR_CHARACTERS_MAX
from anycastle.io.config.nodes import Mapping, Node, Scalar, Sequence, shown
from anycastle.io.config.parsing import QuickParserError, checked_events, quick_events, reads_alike
from anycastle.io.config.resolution import resolve

_LINE_BREAK: Final = re.compile(r"\r\n|\r|\n")  # those of YAML 1.2, and of editors
_SURROGATE: Final = re.compile(r"[\ud800-\udfff]")
_MERGE: Final = "<<"


def read_document(file: str, octets: bytes, findings: Findings) -> Mapping | None:
    """Give the outermost mapping of a file's YAML, or None with at least one finding."""
    try:
        text = octets.decode("utf-8")
    except UnicodeDecodeError as error:
        place = place_at(file, octets[: error.start].decode("utf-8"), error.start)
        findings.add(FindingKind.NOT_UTF8, place, "", f"the octet 0x{octets[error.start]:02x} is not UTF-8")
        return None
    text = text.removeprefix("\ufeff")
    root = _compose_quickly(file, text) or _Composer(file, findings).compose(text)
    if root is None:
        return None
    if not isinstance(root, Mapping):
        findings.add(FindingKind.WRONG_TYPE, root.place, "", "a file holds a mapping of keys to values")
        return None
    return root


def _compose_quickly(file: str, text: str) -> Node | None:
    """Give the tree of a text in which there is nothing to find; None for any other."""
    if not reads_alike(text):
        return None
    findings = Findings()
    composer = _Composer(file, findings, quick=True)
    try:
        root = composer.compose(text)
    except QuickParserError:
        return None
    return None if findings.sorted() or composer.doubtful else root


def place_at(file: str, text: str, offset: int) -> Place:
    """Give the place of a character offset (clipped to the text)."""
    before = text[:offset]
    breaks = list(_LINE_BREAK.finditer(before))
    return Place(file, len(breaks) + 1, len(before) - (breaks[-1].end() if breaks else 0) + 1)


class _GiveUp(Exception):
    """The rest of the file cannot be read; what is wrong has been added to the findings."""


@dataclass(slots=True)
class _Frame:
    """A list or mapping that is still open."""

    node: Mapping | Sequence
    key: Scalar | None = None
    merges: list[Node] = field(default_factory=list)


class _Composer:
    def __init__(self, file: str, findings: Findings, *, quick: bool = False) -> None:
        self.file = file
        self.doubtful = False
        """Whether something has a place on which the two parsers do not agree."""
        self._read = quick_events if quick else checked_events
        self.findings = findings
        self.frames: list[_Frame] = []
        self.anchors: dict[str, Node] = {}
        self.root: Node | None = None
        self.documents = 0
        self.nodes = 0
        self.last = Place(file)

    def compose(self, text: str) -> Node | None:
        try:
            for event in self._events(text):
                self._take(event)
        except _GiveUp:
            return None
        if self.root is None:
            self.findings.add(FindingKind.EMPTY, Place(self.file), "", "the file is empty")
        return self.root

    def _events(self, text: str) -> Iterator[Event]:
        try:
            yield from self._read(text)
        except MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            place = self._place(mark) if mark else self.last
            context = f" {error.context}" if error.context else ""
            self._give_up(FindingKind.SYNTAX, place, f"not YAML:{context} {error.problem or ''}".rstrip())
        except YAMLError as error:  # the reader's, for characters that YAML does not allow
            place = place_at(self.file, text, getattr(error, "position", 0))
            self._give_up(FindingKind.SYNTAX, place, "a control character stands here; YAML allows none")
        except (ValueError, OverflowError):  # chr() of an escape such as \UFFFFFFFF
            self._give_up(FindingKind.SYNTAX, self.last, "after this an escape names no character")

    def _place(self, mark: StringMark) -> Place:
        return Place(self.file, mark.line + 1, mark.column + 1)

    def _give_up(self, kind: FindingKind, place: Place, message: str) -> None:
        self.findings.add(kind, place, "", message)
        raise _GiveUp

    def _take(self, event: Event) -> None:
        match event:
            case ScalarEvent():
                self._attach(self._scalar(event), event.anchor)
            case MappingStartEvent():
                self._open(Mapping(self._start(event), None, ""), event.anchor)
            case SequenceStartEvent():
                self._open(Sequence(self._start(event), None, ""), event.anchor)
            case MappingEndEvent() | SequenceEndEvent():
                self._merge(self.frames.pop())
            case AliasEvent():
                self._alias(event)
            case DocumentStartEvent():
                self._document(event)
            case _:
                pass

    def _start(self, event: ScalarEvent | MappingStartEvent | SequenceStartEvent) -> Place:
        place = self.last = self._place(event.start_mark)
        self._count(1, place)
        if event.tag is not None and not (isinstance(event, ScalarEvent) and event.implicit[0]):
            message = f"the tag {shown(str(event.tag))} is not accepted; write the value alone"
            self.findings.add(FindingKind.UNSUPPORTED, place, "", message)
        return place

    def _count(self, nodes: int, place: Place) -> None:
        self.nodes += nodes
        if self.nodes > NODES_MAX:
            message = f"more than {NODES_MAX} keys and values, with aliases expanded"
            self._give_up(FindingKind.TOO_LARGE, place, message)

    def _scalar(self, event: ScalarEvent) -> Scalar:
        place = self._start(event)
        text: str = event.value
        if len(text) > SCALAR_CHARACTERS_MAX:
            message = f"a value of {len(text)} characters; at most {SCALAR_CHARACTERS_MAX} are read"
            self._give_up(FindingKind.TOO_LARGE, place, message)
        if _SURROGATE.search(text):
            self._give_up(FindingKind.SYNTAX, place, "an escape names half a character (a surrogate)")
        quoted = bool(event.style)
        if not text and not quoted and not (self.frames and self.frames[-1].key is not None):
            self.doubtful = True  # the value of a key takes the key's place
        return Scalar(place, None, "", text, text if quoted else resolve(text), quoted)

    def _document(self, event: DocumentStartEvent) -> None:
        self.documents += 1
        place = self._place(event.start_mark)
        if self.documents > 1:
            self._give_up(FindingKind.UNSUPPORTED, place, "a second document begins here; a file holds one")
        if event.tags or (event.version and tuple(event.version) != (1, 2)):
            self._give_up(FindingKind.UNSUPPORTED, place, "directives are not accepted; files are YAML 1.2")

    def _open(self, node: Mapping | Sequence, anchor: str | None) -> None:
        if len(self.frames) >= NESTING_MAX:
            self._give_up(FindingKind.TOO_LARGE, node.place, f"nested deeper than {NESTING_MAX} levels")
        self._attach(node, anchor)
        self.frames.append(_Frame(node))

    def _attach(self, node: Node, anchor: str | None) -> None:
        if anchor is not None:
            self.anchors[anchor] = node
        if not self.frames:
            self.root = node
            return
        frame = self.frames[-1]
        if isinstance(frame.node, Sequence):
            node.parent, node.key = frame.node, len(frame.node.items)
            frame.node.items.append(node)
        elif frame.key is None:
            if not isinstance(node, Scalar):
                self._give_up(FindingKind.UNSUPPORTED, node.place, "a key is one word, not a list or a mapping")
            else:
                frame.key = node
        else:
            key, frame.key = frame.key, None
            self._enter(frame, key, node)

    def _enter(self, frame: _Frame, key: Scalar, node: Node) -> None:
        mapping = frame.node
        assert isinstance(mapping, Mapping)
        node.parent, node.key = mapping, key.text
        if key.text == _MERGE and not key.quoted:
            frame.merges.append(node)
        elif key.text in mapping.entries:
            message = f"the key {shown(key.text)} is given twice; the first is at {mapping.keys[key.text]}"
            self.findings.add(FindingKind.DUPLICATE_KEY, key.place, mapping.path_of(key.text), message)
        else:
            mapping.entries[key.text] = node
            mapping.keys[key.text] = key.place
            if isinstance(node, Scalar) and not node.text and not node.quoted:
                node.place = key.place  # nothing stands there; the parser's place is that of what follows

    def _merge(self, frame: _Frame) -> None:
        """Apply `<<`: what the mapping says itself wins, then the first of the merged ones."""
        for merged in frame.merges:
            for source in merged.items if isinstance(merged, Sequence) else [merged]:
                if not isinstance(source, Mapping):
                    message = "`<<` merges a mapping or a list of mappings"
                    self.findings.add(FindingKind.UNSUPPORTED, source.place, "", message)
                    continue
                mapping = frame.node
                assert isinstance(mapping, Mapping)
                for key, value in source.entries.items():
                    if key not in mapping.entries:
                        mapping.entries[key] = self._copy(value, mapping, key, len(self.frames) + 1)
                        mapping.keys[key] = source.keys[key]

    def _alias(self, event: AliasEvent) -> None:
        place = self.last = self._place(event.start_mark)
        target = self.anchors.get(event.anchor)
        if target is None:
            self._give_up(FindingKind.SYNTAX, place, f"no anchor {shown(event.anchor)} stands before this alias")
        elif any(frame.node is target for frame in self.frames):
            self._give_up(FindingKind.UNSUPPORTED, place, f"the alias {shown(event.anchor)} is within its own anchor")
        else:
            self._attach(self._copy(target, None, "", len(self.frames)), None)

    def _copy(self, node: Node, parent: Mapping | Sequence | None, key: str | int, depth: int) -> Node:
        """Give a copy that has a path of its own; the bounds hold for what aliases expand to."""
        self._count(1, self.last)
        if depth > NESTING_MAX:
            self._give_up(FindingKind.TOO_LARGE, self.last, f"nested deeper than {NESTING_MAX} levels")
        if isinstance(node, Scalar):
            return Scalar(node.place, parent, key, node.text, node.value, node.quoted)
        if isinstance(node, Sequence):
            sequence = Sequence(node.place, parent, key)
            sequence.items = [self._copy(item, sequence, index, depth + 1) for index, item in enumerate(node.items)]
            return sequence
        assert isinstance(node, Mapping)
        mapping = Mapping(node.place, parent, key, keys=dict(node.keys))
        mapping.entries = {name: self._copy(item, mapping, name, depth + 1) for name, item in node.entries.items()}
        return mapping
