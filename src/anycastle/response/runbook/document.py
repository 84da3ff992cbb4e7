"""A runbook as text: Markdown whose fenced blocks are steps.

A heading of the second level names a step; the block below it, marked `check`, `command`, `approval` or `wait-for`, is
what is done. Its lines are `key: value`. A block marked `parameters`, before all steps, names what must be known:
`name: what it is`, or `name = default: what it is`. `{name}` stands for it in what is run or asked. Everything else is
for people. What is wrong is told all at once, each as `FILE:LINE:COLUMN`.

Values are put in after a line was split into words, so a value is one word whatever it holds, and no shell is asked.
"""

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import Enum
from hashlib import sha256
from types import MappingProxyType
from typing import Final, TypeVar

from anycastle.base.errors import ParseError
from anycastle.response.runbook.changing import changes, is_dangerous, why_forbidden

E = TypeVar("E", bound=Enum)

STEPS_MAX: Final = 100
TEXT_MAX: Final = 256 * 1024
WITHIN_S: Final = 60.0
WAIT_S: Final = 300.0
EVERY_S: Final = 5.0
WITHIN_MAX_S: Final = 86_400.0


class StepKind(Enum):
    """What a step is."""

    CHECK = "check"
    """Looks, changes nothing, and must find what is expected."""
    COMMAND = "command"
    """Changes something."""
    APPROVAL = "approval"
    """Waits for a person's word."""
    WAIT_FOR = "wait-for"
    """Looks again and again until what is expected is there."""


class Approver(Enum):
    """Whose word an approval needs."""

    ANYONE = "anyone"
    SECOND_PERSON = "second person"
    """Somebody else than who runs it."""


class Otherwise(Enum):
    """What happens where a check does not find what is expected."""

    STOP = "stop"
    CONTINUE = "continue"


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a command's answer must be."""

    exits: tuple[int, ...] = (0,)
    output: str = ""
    """A regular expression that the output holds; empty: any output."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step, from 1."""

    number: int
    title: str
    kind: StepKind
    line: int
    prose: str = ""
    run: tuple[str, ...] = ()
    """Words, the first of which is `anycastle`."""
    expect: Expectation = Expectation()
    otherwise: Otherwise = Otherwise.STOP
    dangerous: bool = False
    undo: str = ""
    ask: str = ""
    approver: Approver = Approver.ANYONE
    within_s: float = WITHIN_S
    every_s: float = EVERY_S


@dataclass(frozen=True, slots=True)
class Parameter:
    """Something that a run must be told."""

    name: str
    about: str
    default: str | None = None


@dataclass(frozen=True, slots=True)
class Runbook:
    """A runbook, read."""

    name: str
    title: str
    about: str
    parameters: tuple[Parameter, ...]
    steps: tuple[Step, ...]
    digest: str
    """Of the text: a run goes on with the file that it began with, or not at all."""


_KEYS: Final[Mapping[StepKind, frozenset[str]]] = MappingProxyType(
    {
        StepKind.CHECK: frozenset({"run", "expect", "else", "within"}),
        StepKind.COMMAND: frozenset({"run", "expect", "danger", "undo", "within"}),
        StepKind.APPROVAL: frozenset({"ask", "by"}),
        StepKind.WAIT_FOR: frozenset({"run", "expect", "within", "every"}),
    }
)
_PARAMETERS: Final = "parameters"
_NAME: Final = re.compile(r"[a-z][a-z0-9_]*")
_PLACE: Final = re.compile(r"\{([a-z][a-z0-9_]*)\}")
_SPAN: Final = re.compile(r"(\d+(?:\.\d+)?)(s|m|h)")
_UNITS: Final = {"s": 1.0, "m": 60.0, "h": 3600.0}


@dataclass(slots=True)
class _Block:
    kind: str
    line: int
    column: int
    title: str
    prose: str
    rows: list[tuple[int, str]] = field(default_factory=list)


class _Reader:
    """Reads one text, and gathers what is wrong with it."""

    def __init__(self, text: str, source: str) -> None:
        self.source = source
        self.errors: list[str] = []
        self.title = ""
        self.about: list[str] = []
        self.blocks: list[_Block] = []
        self._read(text)

    def blame(
        self, line: int, column: int, path: str, text: str, near: tuple[str, frozenset[str]] | None = None
    ) -> None:
        """Note what is wrong at a place; `near` is what was written, and what might have been meant."""
        found = get_close_matches(near[0], near[1], n=1) if near else []
        hint = f"; did you mean {found[0]!r}?" if found else ""
        self.errors.append(f"{self.source}:{line}:{column}: {path}: {text}{hint}")

    def _read(self, text: str) -> None:
        heading, prose, block, fence = "", list[str](), None, ""
        for number, line in enumerate(text.splitlines(), 1):
            stripped = line.strip()
            if fence:
                if stripped == fence:
                    block, fence = None, ""
                elif block is not None:
                    block.rows.append((number, line))
                continue
            if stripped.startswith("```"):
                mark = stripped.lstrip("`")
                fence = stripped[: len(stripped) - len(mark)]  # of more than three, others may stand within
                block = self._open(mark.strip(), number, line.index(fence) + len(fence) + 1, heading, prose)
            elif line.startswith("# ") and not self.title:
                self.title = line[2:].strip()
            elif line.startswith("## "):
                heading, prose = line[3:].strip(), []
            elif heading:
                prose.append(line)
            elif self.title:
                self.about.append(line)
        if fence:
            self.blame(len(text.splitlines()), 1, heading or "text", "a block that began with ``` has no end")

    def _open(self, kind: str, line: int, column: int, heading: str, prose: list[str]) -> _Block | None:
        """Begin a block; None for one that is only for people: without a mark, or marked as `console`, `text`."""
        known = frozenset({_PARAMETERS, *(each.value for each in StepKind)})
        if kind in known:
            if kind != _PARAMETERS and self.blocks and self.blocks[-1].title == heading:
                self.blame(line, column, heading or kind, "one heading has one step; give this one a heading")
            block = _Block(kind, line, column, heading, "\n".join(prose).strip())
            self.blocks.append(block)
            return block
        near = get_close_matches(kind, known, n=1) if kind not in ("", "console", "text", "yaml", "json", "sh") else []
        if near:
            self.blame(line, column, heading or "block", f"{kind!r} is no kind of step; did you mean {near[0]!r}?")
        return None


def parse_runbook(text: str, source: str, name: str) -> Runbook:
    """Read a runbook. Raises `ParseError` that tells all that is wrong."""
    if len(text) > TEXT_MAX:
        raise ParseError(f"{source}:1:1: text: more than {TEXT_MAX} characters")
    reader = _Reader(text, source)
    if not reader.title:
        reader.blame(1, 1, "title", "the first heading, `# Title`, is missing")
    parameters = [each for block in reader.blocks if block.kind == _PARAMETERS for each in _parameters(block, reader)]
    known = frozenset(each.name for each in parameters)
    steps = [block for block in reader.blocks if block.kind != _PARAMETERS]
    made = [_step(number, block, known, reader) for number, block in enumerate(steps[:STEPS_MAX], 1)]
    if not steps:
        reader.blame(1, 1, "steps", "there is no step: a block marked check, command, approval or wait-for")
    if len(steps) > STEPS_MAX:
        reader.blame(steps[STEPS_MAX].line, 1, "steps", f"more than {STEPS_MAX} steps")
    _require_approvals(made, reader)
    if reader.errors:
        raise ParseError("\n".join(reader.errors))
    about = "\n".join(reader.about).strip()
    digest = sha256(text.encode()).hexdigest()[:16]
    return Runbook(name, reader.title, about, tuple(parameters), tuple(made), digest)


def _parameters(block: _Block, reader: _Reader) -> list[Parameter]:
    found: list[Parameter] = []
    for number, row in block.rows:
        if not row.strip():
            continue
        head, colon, about = row.partition(":")
        name, equals, default = (part.strip() for part in head.partition("="))
        if not colon or not _NAME.fullmatch(name):
            reader.blame(number, 1, "parameters", "a line is `name: what it is`, or `name = default: what it is`")
        elif name in {each.name for each in found}:
            reader.blame(number, 1, f"parameters.{name}", "it is there twice")
        else:
            found.append(Parameter(name, about.strip(), default if equals else None))
    return found


def _step(number: int, block: _Block, known: frozenset[str], reader: _Reader) -> Step:
    kind = StepKind(block.kind)
    path = f"step {number}"
    if not block.title:
        reader.blame(block.line, block.column, path, "it has no heading, `## What is done`, above it")
    rows = _rows(block, kind, path, reader)
    needed = "ask" if kind is StepKind.APPROVAL else "run"
    if needed not in rows:
        reader.blame(block.line, block.column, path, f"{block.kind} needs `{needed}: ...`")
    for key, (line, column, value) in rows.items():
        for place in _PLACE.finditer(value) if key in ("run", "ask", "undo", "expect") else ():
            if place[1] not in known and key != "expect":
                where = column + place.start()
                reader.blame(line, where, f"{path}.{key}", f"no parameter is called {place[1]!r}", (place[1], known))
    return Step(
        number, block.title, kind, block.line, block.prose,
        run=_run(rows.get("run"), kind, path, reader),
        expect=_expect(rows.get("expect"), path, reader),
        otherwise=_word(rows.get("else"), Otherwise, Otherwise.STOP, f"{path}.else", reader),
        dangerous=_yes(rows.get("danger"), f"{path}.danger", reader),
        undo=rows["undo"][2] if "undo" in rows else "",
        ask=rows["ask"][2] if "ask" in rows else "",
        approver=_word(rows.get("by"), Approver, Approver.ANYONE, f"{path}.by", reader),
        within_s=_span(rows.get("within"), WAIT_S if kind is StepKind.WAIT_FOR else WITHIN_S, f"{path}.within", reader),
        every_s=_span(rows.get("every"), EVERY_S, f"{path}.every", reader),
    )  # fmt: skip


_Row = tuple[int, int, str]
"""Line, column of the value, value."""


def _rows(block: _Block, kind: StepKind, path: str, reader: _Reader) -> dict[str, _Row]:
    found: dict[str, _Row] = {}
    for number, row in block.rows:
        if not row.strip():
            continue
        key, colon, value = row.partition(":")
        column = len(key) + 2 + len(value) - len(value.lstrip())
        key = key.strip()
        if not colon or not value.strip():
            reader.blame(number, 1, path, "a line is `key: value`")
        elif key not in _KEYS[kind]:
            text = f"{key!r} is no key of a {kind.value}; it has {', '.join(sorted(_KEYS[kind]))}"
            reader.blame(number, 1, path, text, (key, _KEYS[kind]))
        elif key in found:
            reader.blame(number, 1, f"{path}.{key}", "it is there twice")
        else:
            found[key] = number, column, value.strip()
    return found


def _run(row: _Row | None, kind: StepKind, path: str, reader: _Reader) -> tuple[str, ...]:
    if row is None:
        return ()
    line, column, value = row
    try:
        words = tuple(shlex.split(value))
    except ValueError as error:
        reader.blame(line, column, f"{path}.run", f"{error}".lower())
        return ()
    if not words or words[0] != "anycastle":
        reader.blame(line, column, f"{path}.run", "a step runs a command of `anycastle`, and nothing else")
    elif why := why_forbidden(words):
        reader.blame(line, column, f"{path}.run", why)
    elif kind is not StepKind.COMMAND and changes(words):
        reader.blame(line, column, f"{path}.run", f"a {kind.value} changes nothing, and this command does")
    return words


def _expect(row: _Row | None, path: str, reader: _Reader) -> Expectation:
    if row is None:
        return Expectation()
    line, column, value = row
    exits: tuple[int, ...] = (0,)
    output = ""
    for part in value.split(";", 1) if value.startswith("exit") else [value]:
        word, _, rest = part.strip().partition(" ")
        if word == "exit" and rest.split() and all(each.isdecimal() for each in rest.split()):
            exits = tuple(map(int, rest.split()))
        elif word == "output" and rest.strip():
            output = rest.strip()
            try:
                re.compile(_PLACE.sub("x", output))
            except re.error as error:
                reader.blame(line, column, f"{path}.expect", f"no regular expression: {error}")
        else:
            text = "write `exit 0 3`, `output REGEX`, or `exit 0; output REGEX`"
            reader.blame(line, column, f"{path}.expect", text)
    return Expectation(exits, output)


def _word(row: _Row | None, kind: type[E], default: E, path: str, reader: _Reader) -> E:
    if row is None:
        return default
    words = {each.value: each for each in kind}
    if row[2] not in words:
        reader.blame(row[0], row[1], path, f"{row[2]!r} is none of {', '.join(words)}", (row[2], frozenset(words)))
    return words.get(row[2], default)


def _yes(row: _Row | None, path: str, reader: _Reader) -> bool:
    if row is not None and row[2] not in ("yes", "no"):
        reader.blame(row[0], row[1], path, f"{row[2]!r} is neither yes nor no")
    return row is not None and row[2] == "yes"


def _span(row: _Row | None, default: float, path: str, reader: _Reader) -> float:
    if row is None:
        return default
    found = _SPAN.fullmatch(row[2])
    seconds = float(found[1]) * _UNITS[found[2]] if found else 0.0
    if not 0 < seconds <= WITHIN_MAX_S:
        reader.blame(row[0], row[1], path, f"{row[2]!r} is no span such as 30s, 5m or 1h, up to a day")
        return default
    return seconds


def _require_approvals(steps: list[Step], reader: _Reader) -> None:
    """Blame a dangerous command that no approval right before it allows, and one that does not say what it is."""
    approved = False
    for step in steps:
        if step.kind is StepKind.APPROVAL:
            approved = True
        elif step.kind is StepKind.COMMAND:
            if is_dangerous(step.run) and not step.dangerous:
                reader.blame(step.line, 1, f"step {step.number}", "this command moves traffic: say `danger: yes`")
            if step.dangerous and not approved:
                reader.blame(
                    step.line, 1, f"step {step.number}", "a dangerous command needs an approval of its own before it"
                )
            approved = approved and not step.dangerous


def filled(text: str, values: Mapping[str, str]) -> str:
    """Put values in their places; a place without a value stays as it is."""
    return _PLACE.sub(lambda place: values.get(place[1], place[0]), text)


def words_of(step: Step, values: Mapping[str, str]) -> tuple[str, ...]:
    """Give what is run, each value a part of one word. Raises `ParseError` for a value that would be an option."""
    words = []
    for word in step.run:
        full = filled(word, values)
        if full.startswith("-") and not word.startswith("-"):
            raise ParseError(f"step {step.number}: the value {full!r} begins with -, and would be an option")
        words.append(full)
    return tuple(words)


def pattern_of(step: Step, values: Mapping[str, str]) -> "re.Pattern[str] | None":
    """Give what the output must hold, values taken literally; None where any output will do."""
    if not step.expect.output:
        return None
    literal = _PLACE.sub(lambda place: re.escape(values.get(place[1], place[0])), step.expect.output)
    return re.compile(literal, re.MULTILINE)
