"""The quicker ways to read YAML give what ruamel's own parser gives: the same tree at the same places, or findings."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from anycastle.io.config import document, parsing
from anycastle.io.config.document import read_document
from anycastle.io.config.findings import Finding, Findings
from anycastle.io.config.nodes import Mapping, Node, Scalar, Sequence
from tests.property.test_config_folder import EXAMPLE, FRAGMENTS
from tests.unit.io.config.folders import SMALL

LINES = [
    "name: web\n",
    "# what is said of it\n",
    "checks:\n",
    "  - name: a\n",
    "    port: 80 # of TCP\n",
    "  -\n",
    "  - []\n",
    "- 1\n",
    "key: [a, b: c, {d: e, f}, 'it''s', \"x\\ty\"]\n",
    "other: {a: , b: 1, c}\n",
    "'quoted': \"a\n  b\"\n",
    "plain: words that\n  go on\n",
    "empty:\n",
    "url: http://[::1]:80/?a=b&c=d#e\n",
    "time: 22:22\r\n",
    "\n",
    "  deeper: é𝄞\n",
    "---\n",
    "...\n",
    ": x\n",
]


def events(text: str, *, quick: bool) -> list[str]:
    yaml = YAML(typ="safe", pure=True)
    if quick:
        yaml.Scanner = parsing.CheckedScanner
    found: list[str] = []
    try:
        found += [f"{event!r} {event.start_mark.line}:{event.start_mark.column}" for event in yaml.parse(text)]
    except (YAMLError, ValueError, OverflowError) as error:
        found.append(repr(error))
    return found


def tree(node: Node | None) -> object:
    """All that a tree says."""
    match node:
        case Mapping():
            entries = [(key, node.keys[key], tree(value)) for key, value in node.entries.items()]
            return "mapping", node.place, node.path(), entries
        case Sequence():
            return "list", node.place, node.path(), [tree(item) for item in node.items]
        case Scalar():
            return node.place, node.path(), node.text, repr(node.value), node.quoted
    return None


def read(text: str, *, quick: bool) -> tuple[object, tuple[Finding, ...]]:
    with pytest.MonkeyPatch.context() as patch:
        if not quick:
            patch.setattr(document, "reads_alike", lambda _text: False)
        findings = Findings()
        root = read_document("file.yaml", text.encode("utf-8", "surrogatepass"), findings)
    return tree(root), findings.sorted()


@given(st.lists(st.sampled_from(FRAGMENTS), max_size=20))
@settings(max_examples=500, deadline=None)
def test_events_are_the_same_for_any_text(parts: list[str]) -> None:
    text = "".join(parts)
    assert events(text, quick=True) == events(text, quick=False)


@pytest.mark.parametrize("text", [*EXAMPLE.values(), *SMALL.values()])
def test_the_same_is_read_from_what_an_operator_writes(text: str) -> None:
    assert events(text, quick=True) == events(text, quick=False)
    assert read(text, quick=True) == read(text, quick=False)


@given(st.lists(st.sampled_from(LINES + FRAGMENTS), max_size=20).map("".join) | st.text(max_size=40))
@example("a: b\n- c")
@example("a:\n  -\n  - x")
@example("a: 'b\n\n c'")
@example("|#\na: b")
@example("name: web\n...\n...\n")
@example('a: ["b":]\n')
@example("---\nname: web\n---\n")
@example("--- {a: b}\n")
@settings(max_examples=1500, deadline=None)
def test_both_parsers_read_the_same(text: str) -> None:
    assert read(text, quick=True) == read(text, quick=False)


@given(st.sampled_from(sorted(EXAMPLE.values()) + sorted(SMALL.values())), st.data())
@settings(max_examples=300, deadline=None)
def test_both_parsers_read_the_same_after_a_slip_of_the_pen(text: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(text)))
    slip = data.draw(st.sampled_from(LINES + FRAGMENTS))
    damaged = text[:at] + slip + text[at + data.draw(st.integers(0, 3)) :]
    assert read(damaged, quick=True) == read(damaged, quick=False)


@pytest.mark.skipif(parsing.CParser is None, reason="ruamel.yaml.clib is not installed: there is only one parser")
def test_a_fleet_is_read_by_the_quick_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(text: str) -> None:
        raise AssertionError(f"not read quickly: {text[:40]}")

    monkeypatch.setattr(document, "checked_events", refuse)
    for name, text in SMALL.items():
        findings = Findings()
        assert read_document(name, text.encode(), findings) is not None
        assert findings.sorted() == ()


def test_without_the_quick_parser_all_is_read_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parsing, "CParser", None)
    findings = Findings()
    assert read_document("fleet.yaml", SMALL["fleet.yaml"].encode(), findings) is not None
    assert findings.sorted() == ()
