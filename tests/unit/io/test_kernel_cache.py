"""Object code is compiled once, kept where only we can write, and never trusted when it is damaged."""

import ctypes
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from anycastle.io import kernel_cache
from anycastle.io.kernel_cache import load_kernel
from anycastle.kernels.mrt import DECODE_ROUTES, FILL_SLOTS
from anycastle.kernels.native import ObjectCode, compile_kernel, kernel_key, link_kernel


@pytest.fixture(scope="module")
def code() -> ObjectCode:
    return compile_kernel(FILL_SLOTS)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path / "temporary"))
    return tmp_path


def use(function: object) -> list[int]:
    kept, starts, slots = (ctypes.c_uint8 * 8)(1, 2, 3, 4, 5), (ctypes.c_int64 * 4)(0, 0, 4, 5), (ctypes.c_uint32 * 8)()
    count = function(*map(ctypes.addressof, (kept, starts, slots)), 3, 7)  # type: ignore[operator]
    assert count == 3
    return sorted(slots)


def test_linked_code_runs(code: ObjectCode) -> None:
    assert use(link_kernel(FILL_SLOTS, code)) == [0] * 6 + [1, 2]


def test_it_is_compiled_once(home: Path, code: ObjectCode, monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = []
    monkeypatch.setattr(kernel_cache, "compile_kernel", lambda kernel: compiled.append(kernel) or code)
    for _ in range(3):
        assert use(load_kernel(FILL_SLOTS)) == [0] * 6 + [1, 2]
    assert len(compiled) == 1
    (kept,) = (home / "cache/anycastle/kernels").iterdir()
    assert kept.name == f"fill_slots-{kernel_key(FILL_SLOTS)}.o"
    assert (home / "cache/anycastle/kernels").stat().st_mode & 0o077 == 0

    kept.write_bytes(kept.read_bytes()[:-100])
    assert use(load_kernel(FILL_SLOTS)) == [0] * 6 + [1, 2]
    assert len(compiled) == 2


def test_a_home_that_cannot_be_written_to(home: Path, code: ObjectCode, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel_cache, "compile_kernel", lambda _kernel: code)
    (home / "cache").write_text("no folder")
    load_kernel(FILL_SLOTS)
    (kept,) = (home / f"temporary/anycastle-{os.getuid()}").iterdir()
    assert kept.suffix == ".o"


def test_neither_folder(home: Path, code: ObjectCode, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel_cache, "compile_kernel", lambda _kernel: code)
    (home / "cache").write_text("no folder")
    (home / "temporary").write_text("no folder")
    assert use(load_kernel(FILL_SLOTS)) == [0] * 6 + [1, 2]


def test_a_folder_that_others_may_write_to_is_not_used(
    home: Path, code: ObjectCode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kernel_cache, "compile_kernel", lambda _kernel: code)
    folder = home / "cache/anycastle/kernels"
    folder.mkdir(parents=True)
    folder.chmod(0o777)
    load_kernel(FILL_SLOTS)
    assert list(folder.iterdir()) == []
    assert len(list((home / f"temporary/anycastle-{os.getuid()}").iterdir())) == 1


def test_another_source_has_another_key(monkeypatch: pytest.MonkeyPatch) -> None:
    before = kernel_key(FILL_SLOTS)
    assert before == kernel_key(FILL_SLOTS)
    monkeypatch.setattr(FILL_SLOTS.modules[0], "AGGREGATOR", 64)
    assert kernel_key(FILL_SLOTS) != before


def test_counting_imports_neither_numba_nor_numpy(tmp_path: Path) -> None:
    """A count is done before numba would be imported."""
    archive = tmp_path / "empty"
    archive.touch()
    load_kernel(DECODE_ROUTES)
    program = (
        "import sys\nfrom anycastle.cli.main import cli\n"
        f"cli.main(['mrt', '-o', 'count', {str(archive)!r}], standalone_mode=False)\n"
        "assert not {'numba', 'numpy', 'pyarrow'} & set(sys.modules), sorted(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
