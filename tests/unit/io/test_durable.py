import os
from pathlib import Path

import pytest

from anycastle.base.errors import WorldError
from anycastle.io.durable import write_durably


def test_a_file_is_written_whole_with_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "state"
    for octets in (b"", b"first", b"x" * 3_000_000):
        write_durably(path, octets)
        assert path.read_bytes() == octets
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["state"]


def test_what_cannot_be_written_leaves_the_old_content(tmp_path: Path) -> None:
    path = tmp_path / "state"
    write_durably(path, b"old")
    (tmp_path / f".state.{os.getpid()}").mkdir()  # in the way of the temporary file
    with pytest.raises((WorldError, IsADirectoryError)):
        write_durably(path, b"new")
    assert path.read_bytes() == b"old"
    with pytest.raises(WorldError, match="cannot be written: No such file"):
        write_durably(tmp_path / "no" / "folder", b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_an_error_and_not_half_a_file(tmp_path: Path) -> None:
    (tmp_path / f".state.{os.getpid()}").symlink_to("/dev/full")
    with pytest.raises(WorldError, match="No space left"):
        write_durably(tmp_path / "state", b"new")
    assert not (tmp_path / "state").exists()
