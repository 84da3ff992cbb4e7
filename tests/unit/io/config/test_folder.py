"""The folder itself: what is missing, in the wrong place, or no file at all."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from anycastle.io.config import load_fleet
from anycastle.io.config.limits import FILE_BYTES_MAX
from tests.unit.io.config.folders import SMALL, write


def remove(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def put(name: str, octets: bytes) -> Callable[[Path], None]:
    return lambda folder: write_octets(folder / name, octets)


def write_octets(path: Path, octets: bytes) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(octets)


def link(name: str, target: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).symlink_to(target)


def pipe(folder: Path) -> None:
    os.mkfifo(folder / "pops/pipe.yaml")


def replace_pops_by_a_file(folder: Path) -> None:
    for pop in (folder / "pops").iterdir():
        pop.unlink()
    (folder / "pops").rmdir()
    (folder / "pops").write_text("x")


CASES = [
    (remove("fleet.yaml"), "CFG008", "fleet.yaml"),
    (put("pops/x.yml", b""), "CFG007", "pops/x.yml"),
    (put("services.yaml", b""), "CFG007", "services.yaml"),
    (put("service/x.yaml", b""), "CFG007", "service"),
    (put("fleet.yaml", b"name: \xff"), "CFG002", "fleet.yaml"),
    (put("fleet.yaml", b"#" * (FILE_BYTES_MAX + 1)), "CFG003", "fleet.yaml"),
    (put("fleet.yaml", b""), "CFG015", "fleet.yaml"),
    (put("fleet.yaml", b"# only a comment\n"), "CFG015", "fleet.yaml"),
    (put("fleet.yaml", b"- a\n"), "CFG012", "fleet.yaml"),
    (link("pops/self.yaml", "self.yaml"), "CFG001", "pops/self.yaml"),
    (link("pops/gone.yaml", "gone"), "CFG001", "pops/gone.yaml"),
    (link("pops/up", ".."), "CFG001", "pops/up/pops"),
    (lambda folder: (folder / "pops/x.yaml").mkdir(), "CFG001", "pops/x.yaml"),
    (pipe, "CFG001", "pops/pipe.yaml"),
    (replace_pops_by_a_file, "CFG001", "pops"),
]


@pytest.mark.parametrize(("harm", "code", "file"), CASES, ids=[f"{case[1]}-{case[2]}" for case in CASES])
def test_what_is_wrong_with_the_folder_is_found(
    harm: Callable[[Path], None], code: str, file: str, tmp_path: Path
) -> None:
    write(tmp_path, SMALL)
    harm(tmp_path)

    result = load_fleet(tmp_path)

    assert result.fleet is None
    assert (code, str(tmp_path / file)) in [(finding.code, finding.file) for finding in result.findings]


def test_the_place_of_an_octet_that_is_not_utf8(tmp_path: Path) -> None:
    write(tmp_path, SMALL)
    (tmp_path / "fleet.yaml").write_bytes("name: é\ncity: ü".encode() + b"\xe9")

    finding = next(each for each in load_fleet(tmp_path).findings if each.code == "CFG002")

    assert (finding.line, finding.column) == (2, 8)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    assert [finding.code for finding in load_fleet(tmp_path / "none").findings] == ["CFG001"]


def test_an_empty_folder_is_no_fleet(tmp_path: Path) -> None:
    assert [finding.code for finding in load_fleet(tmp_path).findings] == ["CFG008"] * 3


def test_folders_within_are_read_and_leavings_of_editors_are_not(tmp_path: Path) -> None:
    files = dict(SMALL)
    files["pops/asia/nrt1.yaml"] = files.pop("pops/nrt1.yaml")
    files |= {"pops/.nrt1.yaml.swp": "x: [", "pops/.hidden.yaml": "x: [", "pops/a.yaml~": "x: [", "README.md": "# x"}

    result = load_fleet(write(tmp_path, files))

    assert result.findings == ()


def test_a_byte_order_mark_and_windows_line_ends_are_read(tmp_path: Path) -> None:
    write(tmp_path, SMALL)
    (tmp_path / "fleet.yaml").write_bytes(b"\xef\xbb\xbf" + SMALL["fleet.yaml"].replace("\n", "\r\n").encode())

    assert load_fleet(tmp_path).findings == ()
