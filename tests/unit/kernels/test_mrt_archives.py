"""Every real archive: the kernels equal the object path row by row, and bgpdump line by line."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from anycastle.io.feeds.byte_source import ByteSource
from anycastle.wire.mrt.codec import decode_records
from tests.unit.kernels.mrt_reference import Kernels, Reference, assert_equal

REPOSITORY = Path(__file__).parents[3]
ARCHIVES = Path(os.environ.get("ANYCASTLE_DATA", REPOSITORY.parent / "shared" / "data")) / "mrt"
ROWS = {
    "bird-mrtdump_bgp": 24,
    "bird6-mrtdump_rib": 10,
    "bview.20020722.2337.gz": 115521,
    "bview.ipv4_unicast_add_path.gz": 62,
    "openbgpd_rib_table-v2": 31,
    "quagga_bgp": 38,
    "quagga_rib": 9,
    "rib.20140523.0600_firstMB.bz2": 270005,
    "rib6.20151101.0600_firstMB.bz2": 149578,
    "updates.20070211.0141.gz": 53657,
    "updates.20160811.1600.gz": 41234,
    "updates.et-header.2015.gz": 577744,
}


def archive(name: str) -> Path:
    path = ARCHIVES / name
    if not path.exists():
        pytest.skip(f"no {path}; set ANYCASTLE_DATA to the folder of real inputs")
    return path


@pytest.mark.mission("C6", "I2")
@pytest.mark.parametrize("name", ROWS)
def test_the_kernels_equal_the_object_path(name: str) -> None:
    with ByteSource(str(archive(name))) as source:
        stream = b"".join(source.pieces())
    kernels, reference = Kernels(), Reference()
    assert assert_equal(kernels.rows(stream), reference.rows(decode_records([stream[: 1 << 30]]))) == ROWS[name]
    cut = name.endswith(".bz2")
    assert (kernels.damaged, reference.damaged) == (0, int(cut))
    assert (kernels.end < len(stream)) == cut


@pytest.mark.mission("C6", "I2")
@pytest.mark.parametrize("name", ROWS)
def test_the_text_is_that_of_bgpdump_octet_for_octet(name: str, tmp_path: Path) -> None:
    if shutil.which("bgpdump") is None:
        pytest.skip("bgpdump is not installed")
    path, theirs, ours = archive(name), tmp_path / "theirs", tmp_path / "ours"
    with theirs.open("wb") as file:
        subprocess.run(["bgpdump", "-q", "-m", str(path)], stdout=file, stderr=subprocess.DEVNULL, check=True)
    command = [sys.executable, "-c", "from anycastle.cli.main import main; main()", "mrt", str(path)]
    with ours.open("wb") as file:
        subprocess.run(command, stdout=file, stderr=subprocess.DEVNULL, check=True)
    text = ours.read_bytes()
    assert text.count(b"\n") == ROWS[name]
    assert text == theirs.read_bytes()
