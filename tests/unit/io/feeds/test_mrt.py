"""Records out of every packing, from files, pipes and a web server, whole and cut."""

import bz2
import gzip
import io
import lzma
import os
import sys
from collections import Counter
from collections.abc import Callable
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
import zstandard

from anycastle.base.errors import WorldError
from anycastle.io.feeds.byte_source import PIECE_MAX, ByteSource
from anycastle.io.feeds.mrt import read_mrt
from anycastle.wire.mrt.codec import Record, decode_records, encode_content
from anycastle.wire.mrt.record import Damaged
from tests.unit.wire.mrt.mrt_values import AT_US, CONTENTS

REPOSITORY = Path(__file__).parents[4]
ARCHIVES = Path(os.environ.get("ANYCASTLE_DATA", REPOSITORY.parent / "shared" / "data")) / "mrt"
STREAM = b"".join(encode_content(AT_US, content) for content in CONTENTS.values())
RECORDS = list(decode_records([STREAM]))
PACKINGS: dict[str, Callable[[bytes], bytes]] = {
    "plain": bytes,
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": zstandard.ZstdCompressor().compress,
}


@pytest.mark.mission("I2")
@pytest.mark.parametrize("packing", PACKINGS)
def test_every_packing_gives_the_same_records(packing: str, tmp_path: Path) -> None:
    path = tmp_path / "archive"
    path.write_bytes(PACKINGS[packing](STREAM))
    with ByteSource(str(path)) as source:
        assert source.packing == packing
    assert list(read_mrt(str(path))) == RECORDS


@pytest.mark.parametrize("packing", [packing for packing in PACKINGS if packing != "plain"])
def test_members_one_after_the_other(packing: str, tmp_path: Path) -> None:
    path = tmp_path / "archive"
    path.write_bytes(PACKINGS[packing](STREAM) * 2)
    again = [Record(record.offset + len(STREAM), record.at_us, record.value) for record in RECORDS]
    assert list(read_mrt(str(path))) == RECORDS + again


@pytest.mark.parametrize("packing", PACKINGS)
def test_a_cut_file_gives_what_came_before_and_says_so(packing: str, tmp_path: Path) -> None:
    path = tmp_path / "archive"
    whole = PACKINGS[packing](os.urandom(1) and STREAM * 50)
    path.write_bytes(whole[: len(whole) * 2 // 3])
    records = list(read_mrt(str(path)))
    assert isinstance(records[-1].value, Damaged)
    whole_records = list(decode_records([STREAM * 50]))
    assert records[:-1] == whole_records[: len(records) - 1]
    if packing != "plain":
        assert f"{packing} ends too early" in records[-1].value.what


@pytest.mark.parametrize("packing", ["gzip", "bzip2", "xz", "zstd"])
def test_damage_within_the_packing(packing: str, tmp_path: Path) -> None:
    path = tmp_path / "archive"
    whole = bytearray(PACKINGS[packing](STREAM))
    middle = len(whole) // 2
    whole[middle : middle + 40] = bytes(40)
    path.write_bytes(whole)
    (*_, last) = read_mrt(str(path))
    assert isinstance(last.value, Damaged)
    assert packing in last.value.what


@pytest.mark.parametrize("packing", PACKINGS)
def test_standard_input(packing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()
    os.write(writer, PACKINGS[packing](STREAM))
    os.close(writer)
    with io.TextIOWrapper(io.FileIO(reader)) as piped:
        monkeypatch.setattr(sys, "stdin", piped)
        assert list(read_mrt("-")) == RECORDS
        assert not piped.closed


def test_a_web_server(tmp_path: Path) -> None:
    (tmp_path / "updates.gz").write_bytes(gzip.compress(STREAM))
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        root = f"http://127.0.0.1:{server.server_port}"
        assert list(read_mrt(f"{root}/updates.gz")) == RECORDS
        with pytest.raises(WorldError, match="404") as caught:
            list(read_mrt(f"{root}/nothing"))
        assert not caught.value.retryable
        server.shutdown()
    with pytest.raises(WorldError, match=r"updates.gz: Connection refused$") as refused:
        list(read_mrt(f"{root}/updates.gz"))
    assert refused.value.retryable


def test_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(WorldError, match="No such file") as caught:
        list(read_mrt(str(tmp_path / "nothing")))
    assert not caught.value.retryable


def test_an_empty_file_has_no_records(tmp_path: Path) -> None:
    path = tmp_path / "empty"
    path.touch()
    assert list(read_mrt(str(path))) == []


@pytest.mark.parametrize("packing", PACKINGS)
def test_pieces_stay_small(packing: str, tmp_path: Path) -> None:
    path = tmp_path / "zeros"
    path.write_bytes(PACKINGS[packing](bytes(20 * PIECE_MAX)))
    with ByteSource(str(path)) as source:
        lengths = [len(piece) for piece in source.pieces()]
    assert sum(lengths) == 20 * PIECE_MAX
    assert max(lengths) <= 2 * PIECE_MAX or packing == "zstd"


@pytest.mark.rfc("6396", "2")
@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("bird-mrtdump_bgp", {"StateChange": 12, "BGPMessage": 15}),
        ("bird6-mrtdump_rib", {"PeerIndexTable": 2, "RIB": 7}),
        ("bview.ipv4_unicast_add_path.gz", {"PeerIndexTable": 1, "RIB": 31}),
        ("openbgpd_rib_table-v2", {"PeerIndexTable": 1, "RIB": 23}),
        ("quagga_bgp", {"StateChange": 20, "BGPMessage": 47}),
        ("quagga_rib", {"PeerIndexTable": 1, "RIB": 6}),
        ("updates.20160811.1600.gz", {"BGPMessage": 17384, "StateChange": 22}),
    ],
)
def test_real_archives(name: str, kinds: dict[str, int]) -> None:
    path = ARCHIVES / name
    if not path.exists():
        pytest.skip(f"no {path}; set ANYCASTLE_DATA to the folder of real inputs")
    assert Counter(type(record.value).__name__ for record in read_mrt(str(path))) == kinds
