"""Write docs/rfc.md and docs/mission.md: what each test's markers say that it proves.

Clauses come from docs/rfc/NUMBER.toml, the mission's rows from docs/mission.toml, the code that carries a clause out
from its mentions (`RFC 4271 §6.3`) in the source. A marker that names a clause or a row that is not listed is an error.
"""

import re
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
TESTS = ROOT / "tests"
SOURCE = ROOT / "src" / "anycastle"
REFERENCE = re.compile(r"RFC ?(\d+)((?:(?:,| and| to)? §+ ?[0-9A-Z](?:[0-9.]*[0-9])?(?:\.[a-z]\b)?(?: [a-g]\b)?)*)")
CLAUSE = re.compile(r"§+ ?([0-9A-Z](?:[0-9.]*[0-9])?(?:\.[a-z]\b)?)")

Proofs = dict[str, dict[str, set[str]]]
"""Clause or row -> test file, relative to tests/ -> names of test functions."""


@dataclass
class Markers:
    """A pytest plugin that keeps what the markers of the collected tests name."""

    rfcs: dict[str, Proofs] = field(default_factory=lambda: defaultdict(dict))
    mission: Proofs = field(default_factory=dict)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        for item in session.items:
            file, name = item.path.relative_to(TESTS).as_posix(), item.name.partition("[")[0]
            for marker in item.iter_markers("rfc"):
                number, *clauses = marker.args
                for clause in clauses or ("",):
                    _add(self.rfcs[number], clause, file, name)
            for marker in item.iter_markers("mission"):
                for row in marker.args:
                    _add(self.mission, row, file, name)


def _add(proofs: Proofs, key: str, file: str, name: str) -> None:
    proofs.setdefault(key, {}).setdefault(file, set()).add(name)


def collect() -> Markers:
    """Give what the markers of every test name. The tests are imported, and not run."""
    markers, told = Markers(), StringIO()
    with redirect_stdout(told):
        code = pytest.main(
            ["--collect-only", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", f"--rootdir={ROOT}", str(TESTS)],
            plugins=[markers],
        )
    if code != pytest.ExitCode.OK:
        sys.exit(f"{told.getvalue()[-2000:]}the tests cannot be collected")
    return markers


def citations() -> dict[str, dict[str, set[str]]]:
    """Give RFC number -> clause -> modules that cite it; the clause is empty where a module cites the RFC as such."""
    found: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for path in sorted(SOURCE.rglob("*.py")):
        module = path.relative_to(SOURCE).as_posix()
        text = re.sub(r"\n\s*#? ?", " ", path.read_text(encoding="utf-8"))
        for number, tail in REFERENCE.findall(text):
            for clause in CLAUSE.findall(tail) or [""]:
                found[number][clause].add(module)
    return found


def enclosing(clause: str) -> Iterator[str]:
    """Give the clause and those that it lies in, the nearest first."""
    while clause:
        yield clause
        clause = clause.rpartition(".")[0]


def code_of(clause: str, cited: Mapping[str, set[str]]) -> str:
    """Give the modules that cite the clause, else those that cite the one around it."""
    for each in enclosing(clause):
        if cited.get(each):
            modules = ", ".join(f"`{module}`" for module in sorted(cited[each]))
            return modules if each == clause else f"{modules} (§{each})"
    return ""


def tests_of(proofs: Mapping[str, set[str]]) -> str:
    """Give the tests file by file, as one cell."""
    return "<br>".join(f"`{file}`: {', '.join(sorted(names))}" for file, names in sorted(proofs.items()))


def order(clause: str) -> tuple[tuple[bool, int, str], ...]:
    """Give what sorts clauses as the RFC does."""
    return tuple((not part.isdigit(), int(part) if part.isdigit() else 0, part) for part in clause.split("."))


RFC_HEAD = """\
# RFC conformance

<!-- Written by tools/conformance.py from markers, source and docs/rfc/*.toml. -->

A clause is **proven** when a test is marked with it (`rfc("4271", "6.3")`), **excused** where it does not apply and the
reason is given, and a **gap** otherwise. The code is where the source cites the clause; a number in brackets means that
only the clause around it is cited. Tests are below `tests/`, code is below `src/anycastle/`.

"""


def rfc_page(markers: Markers) -> str:
    """Give docs/rfc.md: the listed RFCs clause by clause, of the others the clauses that markers name."""
    cited, listed = citations(), {}
    for path in sorted((ROOT / "docs" / "rfc").glob("*.toml")):
        listed[path.stem] = tomllib.loads(path.read_text(encoding="utf-8"))
    sections, summary = [], ["| RFC | clauses | proven | excused | gaps |", "|---|---|---|---|---|"]
    for number, data in listed.items():
        proofs = markers.rfcs.get(number, {})
        _require_known(f"RFC {number}", proofs, data["clauses"])
        counts, section = _listed_section(number, data, proofs, cited.get(number, {}))
        summary.append(f"| [{number}](#rfc-{number}) {data['title']} | {counts} |")
        sections.append(section)
    sections.append(_others(markers, set(listed), cited))
    return RFC_HEAD + "\n".join([*summary, "", *sections])


def _require_known(what: str, proofs: Mapping[str, Any], known: Mapping[str, Any]) -> None:
    unknown = {key: sorted(proofs[key]) for key in proofs if key not in known}
    if unknown:
        sys.exit(f"{what}: markers name what is not listed: {unknown}")


def _listed_section(
    number: str, data: dict[str, Any], proofs: Proofs, cited: Mapping[str, set[str]]
) -> tuple[str, str]:
    rows, counts = [], {"proven": 0, "excused": 0, "gap": 0}
    for clause, about in sorted(data["clauses"].items(), key=lambda row: order(row[0])):
        tests, excuse = tests_of(proofs.get(clause, {})), about.get("excuse")
        state = "proven" if tests else "excused" if excuse else "gap"
        counts[state] += 1
        why = tests or (f"excused: {excuse}" if excuse else "**gap**")
        code = _named_code(about) if "code" in about else code_of(clause, cited)
        rows.append(f"| {clause} | {about['title']} | {code} | {why} |")
    lines = [f"(rfc-{number})=", f"## RFC {number}: {data['title']}", ""]
    lines += ["| § | clause | code | tests |", "|---|---|---|---|", *rows, ""]
    return f"{len(rows)} | {counts['proven']} | {counts['excused']} | {counts['gap']}", "\n".join(lines)


def _named_code(about: Mapping[str, Any]) -> str:
    absent = [module for module in about["code"] if not (SOURCE / module).exists()]
    if absent:
        sys.exit(f"no such module: {', '.join(absent)}")
    return ", ".join(f"`{module}`" for module in about["code"])


def _others(markers: Markers, listed: set[str], cited: Mapping[str, Mapping[str, set[str]]]) -> str:
    lines = ["## Other RFCs", "", "Only the clauses that a marker names.", ""]
    lines += ["| RFC | § | code | tests |", "|---|---|---|---|"]
    for number in sorted(markers.rfcs.keys() - listed, key=int):
        for clause, proofs in sorted(markers.rfcs[number].items(), key=lambda row: order(row[0])):
            code = code_of(clause, cited.get(number, {})) or ", ".join(
                f"`{module}`" for module in sorted(cited.get(number, {}).get("", ()))
            )
            lines.append(f"| {number} | {clause} | {code} | {tests_of(proofs)} |")
    return "\n".join([*lines, ""])


MISSION_HEAD = """\
# The mission, row by row

<!-- Written by tools/conformance.py from markers and docs/mission.toml. -->

What Anycastle is for, and which tests prove it (`mission("F7")`). A test that is named here proves a part of its row,
not always the whole; "not yet" means that no test names the row. Tests are below `tests/`.

"""


def mission_page(markers: Markers) -> str:
    """Give docs/mission.md."""
    groups = tomllib.loads((ROOT / "docs" / "mission.toml").read_text(encoding="utf-8")).values()
    rows = {row: text for group in groups for row, text in group.items() if row != "title"}
    _require_known("the mission", markers.mission, rows)
    lines = [f"{len(markers.mission)} of {len(rows)} rows have a test.", ""]
    for group in groups:
        lines += [f"## {group['title']}", "", "| id | what | tests |", "|---|---|---|"]
        for row, text in group.items():
            if row != "title":
                lines.append(f"| {row} | {text} | {tests_of(markers.mission.get(row, {})) or 'not yet'} |")
        lines.append("")
    return MISSION_HEAD + "\n".join(lines)


PAGES = {"docs/rfc.md": rfc_page, "docs/mission.md": mission_page}


def main() -> None:
    """Write the pages; with `--check`, only tell whether they are stale."""
    markers = collect()
    stale = []
    for name, page in PAGES.items():
        text = page(markers).rstrip("\n") + "\n"
        path = ROOT / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            stale.append(name)
            if "--check" not in sys.argv:
                path.write_text(text, encoding="utf-8")
    if stale and "--check" in sys.argv:
        sys.exit(f"{', '.join(stale)}: stale; run `make docs-tables`")


if __name__ == "__main__":
    main()
