"""`anycastle slo budgets` without a controller's API, and how old it says its figures are. With one: `tests/lab`."""

from click.testing import CliRunner

from anycastle.cli.main import cli
from anycastle.cli.slo_budgets import _age

OLD = "2026-11-27T00:00:00Z"


def test_it_needs_a_server() -> None:
    told = CliRunner().invoke(cli, ["slo", "budgets"], env={"ANYCASTLE_SERVER": None})
    assert told.exit_code == 2
    assert "name it by --server" in told.output


def test_age_and_trouble_are_told() -> None:
    told = {"asked": True, "at": OLD, "trouble": None}
    assert _age(told).startswith("as of ")
    assert _age({**told, "trouble": "it is silent"}).endswith(" s ago; stale: it is silent")
    assert _age({**told, "at": None, "trouble": "it is silent"}).endswith("not answered yet: it is silent")
    assert "asks no Prometheus" in _age({**told, "asked": False})
