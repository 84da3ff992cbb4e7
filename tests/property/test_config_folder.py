"""Whatever stands in the files, loading gives a fleet or findings with places that exist, and raises nothing."""

import random
import re
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from anycastle.io.config import LoadResult, Severity, load_fleet
from anycastle.io.config.start import example_files
from tests.unit.io.config.folders import SMALL, write

EXAMPLE = {name: text for name, text in example_files().items() if name.endswith(".yaml")}

FRAGMENTS = [
    *"[]{},:-?&*!|>'\"%@`#~<\t \n\r\\",
    "\x85\u2028\ufeff\x00",
    ": ",
    "- ",
    "\n  ",
    "&a ",
    "*a",
    "!!str ",
    "!<x> ",
    "<<: ",
    "%YAML 1.1\n",
    "%TAG ! x\n",
    "---\n",
    "...\n",
    "|2\n",
    ">-\n",
    '"\\x4"',
    '"\\uD800"',
    '"\\UFFFFFFFF"',
    "name",
    "pops",
    "all",
    "prefixes",
    "192.0.2.0/24",
    "::/48",
    "0x1f",
    "1e999",
    "." * 3,
    ".inf",
    "9" * 100,
    "null",
    "true",
    "010",
    "1:30",
    "64500:1",
    "10G",
    "1s",
    "$ref",
    "{message}",
    "é中",
]
VALUES = [
    "",
    "[]",
    "{}",
    "null",
    "true",
    "-1",
    "0",
    "4294967296",
    "1.5",
    "'x'",
    "[1]",
    "{a: b}",
    "[[[]]]",
    "all",
    "*x",
    "1s",
    "10G",
]
BREAKS = re.compile(r"\r\n|\r|\n")


def load(files: dict[str, str]) -> tuple[LoadResult, dict[str, str]]:
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), {})
        for name, text in files.items():
            path = Path(folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode("utf-8", "surrogatepass"))
        result = load_fleet(folder)
        return result, {str(Path(folder) / name): text for name, text in files.items()}


def assert_sound(result: LoadResult, texts: dict[str, str]) -> None:
    errors = [finding for finding in result.findings if finding.severity is Severity.ERROR]
    assert (result.fleet is None) == bool(errors)
    for finding in result.findings:
        assert finding.message
        assert finding.message.isprintable()
        lines = BREAKS.split(texts.get(finding.file, ""))
        assert 1 <= finding.line <= len(lines), finding
        assert 1 <= finding.column <= len(lines[finding.line - 1]) + 2, finding


@example("fleet.yaml", ["[", "\x85", "0"])
@given(st.sampled_from(sorted(SMALL)), st.lists(st.sampled_from(FRAGMENTS) | st.text(max_size=8), max_size=25))
@settings(max_examples=300, deadline=None)
def test_any_text_gives_a_fleet_or_findings(file: str, parts: list[str]) -> None:
    assert_sound(*load({**SMALL, file: "".join(parts)}))


@given(st.sampled_from(sorted(SMALL)), st.binary(max_size=200))
@settings(max_examples=100, deadline=None)
def test_any_octets_give_findings(file: str, octets: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), SMALL)
        (Path(folder) / file).write_bytes(octets)
        assert load_fleet(folder).errors


def mutate(text: str, draw: random.Random) -> str:
    lines = text.splitlines(keepends=True)
    number = draw.randrange(len(lines))
    line = lines[number]
    match draw.randrange(6):
        case 0:
            del lines[number]
        case 1:
            lines[number] = re.sub(r": .*", ": " + draw.choice(VALUES), line)
        case 2:
            lines[number] = line.replace(":", draw.choice(["", "::", ": :"]), 1)
        case 3:
            lines.insert(number, line)
        case 4:
            lines[number] = draw.choice(["  ", "    ", ""]) + line.lstrip()
        case _:
            at = draw.randrange(len(line))
            lines[number] = line[:at] + draw.choice(FRAGMENTS) + line[at + 1 :]
    return "".join(lines)


@pytest.mark.mission("C3")
@given(st.sampled_from(sorted(EXAMPLE)), st.integers(0, 2**32), st.integers(1, 4))
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_mutated_example_loads_or_has_findings(file: str, seed: int, times: int) -> None:
    draw = random.Random(seed)
    text = EXAMPLE[file]
    for _ in range(times):
        text = mutate(text, draw) or "\n"
    assert_sound(*load({**EXAMPLE, file: text}))


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_any_value_of_any_type_under_any_key(data: Any) -> None:
    """A value of the example is replaced by one of another type: it loads, or the finding is in that file."""
    file = data.draw(st.sampled_from(sorted(EXAMPLE)))
    places = [match.span(1) for match in re.finditer(r"(?<=: )([^\s{\[#][^\n#,}\]]*)", EXAMPLE[file])]
    start, end = data.draw(st.sampled_from(places))
    text = EXAMPLE[file][:start] + data.draw(st.sampled_from(VALUES)) + EXAMPLE[file][end:]

    assert_sound(*load({**EXAMPLE, file: text}))
