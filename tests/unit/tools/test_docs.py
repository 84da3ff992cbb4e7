"""The pages name commands, options, targets, metrics and files that there are."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from tools.agent_reference import metrics_page

from anycastle.cli.main import cli

ROOT = Path(__file__).parents[3]
PAGES = sorted(
    page
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/**/*.md")]
    if "_build" not in page.parts
)
NAMES = [page.relative_to(ROOT).as_posix() for page in PAGES]
COMMAND = re.compile(r"^\s*(?:\$ )?(?:sudo )?(?:\.venv/bin/)?anycastle (.+?)(?:\s+#.*)?$", re.MULTILINE)


def code(page: Path) -> Iterator[str]:
    """Give what a page shows as code: fenced blocks, and words between backticks."""
    text = page.read_text(encoding="utf-8")
    yield from re.findall(r"^ *```\w*\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL)
    yield from re.findall(r"`([^`\n]+)`", re.sub(r"^ *```.*?^ *```", "", text, flags=re.MULTILINE | re.DOTALL))


def wrong_in(words: list[str]) -> str | None:
    """Tell what a command line names that there is not."""
    command: click.Command = cli
    with click.Context(cli) as context:
        for word in words:
            if isinstance(command, click.Group) and word.startswith("-") is False:
                if word not in command.list_commands(context):
                    default = command.get_command(context, "list")
                    if default is None:
                        return f"no command {word!r}" if re.fullmatch(r"[a-z]+", word) else None
                    command = default
                    continue
                command = command.get_command(context, word) or command
            elif word.startswith("-") and word not in ("-h", "--help"):
                known = {option for parameter in command.params for option in parameter.opts}
                if not isinstance(command, click.Group) and word.partition("=")[0] not in known:
                    return f"{command.name} has no option {word}"
    return None


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_commands_and_their_options_exist(page: Path) -> None:
    for block in code(page):
        for line in COMMAND.findall(block):
            assert wrong_in(shlex.split(line.replace("...", " "))) is None, line


def test_a_wrong_command_is_found() -> None:
    assert wrong_in(["agent", "drian"]) == "no command 'drian'"
    assert wrong_in(["agent", "status", "--pops"]) == "status has no option --pops"
    assert wrong_in(["events", "events.db", "--kinds"]) == "list has no option --kinds"
    assert wrong_in(["events", "events.db", "--kind", "alarm"]) is None


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_targets_of_make_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = {word for block in code(page) for word in re.findall(r"(?:^|\s)make ([a-z][a-z-]*)", block)}
    assert named <= targets


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_metrics_exist(page: Path) -> None:
    known = set(re.findall(r"anycastle_[a-z_]+", metrics_page()))
    text = page.read_text(encoding="utf-8")
    named = {name for name in re.findall(r"anycastle_[a-z_]+", text) if not name.startswith("anycastle_export")}
    assert named <= known


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        assert (page.parent / link).exists(), link


def test_every_page_is_reached_from_the_first() -> None:
    tree = set(
        re.findall(r"^([a-z-]+(?:/[a-z0-9-]+)?)$", (ROOT / "docs/index.md").read_text(encoding="utf-8"), re.MULTILINE)
    )
    pages = {page.relative_to(ROOT / "docs").with_suffix("").as_posix() for page in PAGES if "docs" in page.parts[-3:]}
    assert {page for page in pages if not re.match(r"adr/\d|index", page)} <= tree
