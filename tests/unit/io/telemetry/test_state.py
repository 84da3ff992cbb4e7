from pathlib import Path

import pytest

from anycastle.base.errors import WorldError
from anycastle.io.telemetry.state import StateFile
from anycastle.slo.telemetry.measurements import Measurements


def measured(region: str) -> Measurements:
    found = Measurements()
    found.add_time(region, "AS1", 12.0)
    found.tally("client_errors", region).add("AS1", good=False)
    found.shifts["AS1"] = [1.0]
    return found


def test_cells_and_places_are_kept_together(tmp_path: Path) -> None:
    state = StateFile(tmp_path / "t.db")
    from anycastle.io.telemetry.state import encode

    state.save({1: encode(measured("eu")), 2: encode(measured("na"))}, {"edge": b"7"})
    state.save({2: encode(measured("ap"))}, {"edge": b"9"}, gone=[1])
    state.close()
    again = StateFile(tmp_path / "t.db")
    assert again.load() == ({2: measured("ap")}, {"edge": b"9"})
    again.close()


def test_what_cannot_be_kept_leaves_what_was(tmp_path: Path) -> None:
    state = StateFile(tmp_path / "t.db")
    state.save({1: b"{}"}, {})
    with pytest.raises(WorldError, match="cannot be written"):
        state.save({2: b"{}", 3: None}, {"edge": b"9"})  # type: ignore[dict-item]
    cells, places = state.load()
    assert (list(cells), places) == ([1], {})
    state.save({2: b"nonsense"}, {})
    with pytest.raises(WorldError, match="cannot be read"):
        state.load()
    state.close()


def test_a_file_of_another_version_or_of_something_else_is_refused(tmp_path: Path) -> None:
    import sqlite3

    base = sqlite3.connect(tmp_path / "t.db")
    base.execute("pragma user_version=9")
    base.close()
    with pytest.raises(WorldError, match="another version"):
        StateFile(tmp_path / "t.db")
    (tmp_path / "u.db").write_bytes(b"no database" * 100)
    with pytest.raises(WorldError, match="cannot be used"):
        StateFile(tmp_path / "u.db")
