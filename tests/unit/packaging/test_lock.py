"""What is locked installs on every Python that we say we run on, Debian 12's 3.11.2 among them."""

import tomllib
from importlib.metadata import distributions
from pathlib import Path

from packaging.specifiers import SpecifierSet

PROJECT = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
OLDEST = "3.11.0"


def test_no_locked_package_wants_a_later_python() -> None:
    assert OLDEST in SpecifierSet(PROJECT["requires-python"])
    wanted = {one.name: SpecifierSet(",".join(one.metadata.get_all("Requires-Python", []))) for one in distributions()}
    assert "click" in wanted
    assert {name: str(range_) for name, range_ in wanted.items() if OLDEST not in range_} == {}
