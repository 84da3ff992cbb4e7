"""The forms of output, and colour only where it is wanted."""

import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from anycastle.cli.output import Table, _yaml_lines, print_ndjson, print_table, styled

WORDS = st.sampled_from(["no", "65535:0", "010", "1e3", "null", "-", "a: b", "#", "", "22:22", "é", "a\nb", "~", "<<"])
TEXT = WORDS | st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn", "Co"]), max_size=8)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(TEXT.filter(lambda key: key != "<<"), PLAIN, max_size=4))
def test_yaml_reads_back_the_same(value: dict[str, Any]) -> None:
    assert YAML(typ="safe", pure=True).load("\n".join(_yaml_lines(value)) + "\n") == value


def test_columns_are_aligned_also_with_wide_characters(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(Table(("CITY", "N"), [("São Paulo", "1"), ("東京", "2"), ("e\u0301", "3")]))

    assert capsys.readouterr().out == "CITY       N\nSão Paulo  1\n東京       2\ne\u0301          3\n"


def test_one_line_a_value(capsys: pytest.CaptureFixture[str]) -> None:
    print_ndjson([{"a": "é"}, [1]])

    assert capsys.readouterr().out == '{"a":"é"}\n[1]\n'


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stream", "no_color", "coloured"),
    [(Terminal(), "", True), (Terminal(), "1", False), (io.StringIO(), "", False)],
)
def test_colour_only_on_a_terminal_and_never_with_no_color(
    stream: io.StringIO, no_color: str, coloured: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", no_color)
    monkeypatch.setenv("TERM", "xterm")

    assert (styled("x", stream=stream, fg="red") != "x") is coloured
