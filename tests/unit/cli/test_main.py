"""The table of commands, and a help that stays fast because it imports none of them."""

import subprocess
import sys

import click
import pytest

from anycastle.base.errors import WorldError
from anycastle.cli.lazy_group import Command
from anycastle.cli.main import COMMANDS, cli, main

HEAVY = (
    "pydantic",
    "ruamel",
    "rich",
    "asyncio",
    "dns",
    "pyroute2",
    "cryptography",
    "sqlite3",
    "msgspec",
    "anycastle.io",
    "numba",
    "numpy",
)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_where_the_table_says(name: str) -> None:
    command = cli.get_command(click.Context(cli), name)

    assert command is not None
    assert command.name == name
    assert command.help
    assert COMMANDS[name].summary.endswith(".")


def test_help_imports_nothing_heavy() -> None:
    code = f"""
import sys
from anycastle.cli.main import main
try:
    main(["--help"])
except SystemExit:
    print([name for name in sys.modules if name.startswith({HEAVY!r})], file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stderr.strip() == "[]"
    assert all(name in done.stdout for name in COMMANDS)


def test_an_error_of_our_own_is_one_line_and_exit_code_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cli, "table", {"fail": Command(__name__, "fail", "Fail.")})
    monkeypatch.setitem(sys.modules, __name__, sys.modules[test_help_imports_nothing_heavy.__module__])

    with pytest.raises(SystemExit) as exit_:
        main(["fail"])

    assert exit_.value.code == 1
    assert capsys.readouterr().err == "anycastle: the disk is full\n"


@click.command()
def fail() -> None:
    """Fail."""
    raise WorldError("the disk is full")
