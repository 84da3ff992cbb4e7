"""Sources to batches: windows, pieces and threads change nothing about the rows."""

import bz2
import gzip
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from anycastle.base.errors import WorldError
from anycastle.io.feeds import byte_source
from anycastle.io.feeds.byte_source import ByteSource
from anycastle.io.feeds.read_ahead import ReadAhead
from anycastle.io.feeds.route_batches import RouteReader
from anycastle.io.feeds.row_values import row_values
from anycastle.wire.bgp.message import Update
from anycastle.wire.bgp.nlri import NLRI
from anycastle.wire.mrt.bgp4mp import BGPMessage
from anycastle.wire.mrt.codec import encode_content
from tests.unit.wire.mrt.mrt_values import AT_US, CONTENTS, P4, V4, v4_attributes

import numpy as np  # isort: skip

STREAM = b"".join(encode_content(AT_US, CONTENTS[name]) for name in sorted(CONTENTS))
PACKINGS: tuple[Callable[[bytes], bytes], ...] = (bytes, gzip.compress, bz2.compress)


def rows(reader: RouteReader, *names: Path) -> Iterator[object]:
    for batch in reader.read([str(name) for name in names]):
        assert batch.rows == len(batch.columns.kind) > 0
        yield from row_values(batch, np.arange(batch.rows, dtype=np.uint32), batch.attributes())


@pytest.fixture
def archives(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / str(number) for number in range(9)]
    for number, path in enumerate(paths):
        path.write_bytes(PACKINGS[number % 3](STREAM * (number + 1)))
    return paths


@pytest.fixture
def once(tmp_path: Path) -> list[object]:
    path = tmp_path / "once"
    path.write_bytes(STREAM)
    found = list(rows(RouteReader(), path))
    assert len(found) > 20
    return found


@pytest.mark.mission("C6", "I2")
def test_sources_come_in_their_order(archives: list[Path], once: list[object]) -> None:
    reader = RouteReader()
    assert list(rows(reader, *archives)) == once * 45
    assert reader.decoder.counts.records == 45 * len(CONTENTS)
    assert reader.octets_read == 45 * len(STREAM)
    assert (reader.damaged, reader.damage) == (0, [])


@pytest.mark.parametrize("size", [1, 13, 700])
@pytest.mark.parametrize("number", [1, 2, 3])
def test_pieces_of_any_size(
    size: int, number: int, archives: list[Path], once: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(byte_source, "READ_MAX", size)
    monkeypatch.setattr(byte_source, "PIECE_MAX", size)
    assert list(rows(RouteReader(), archives[number])) == once * (number + 1)


@pytest.mark.parametrize("pack", PACKINGS)
def test_a_cut_source_is_counted_with_its_place(pack: Callable[[bytes], bytes], tmp_path: Path) -> None:
    cut, whole = tmp_path / "cut", tmp_path / "whole"
    cut.write_bytes(pack(STREAM * 2)[:-20])
    whole.write_bytes(pack(STREAM))
    reader = RouteReader()
    list(rows(reader, cut, whole))
    assert reader.damaged == 1
    ((name, damage),) = reader.damage
    assert name == str(cut)
    assert damage.offset <= 2 * len(STREAM)


def test_whoever_stops_reading_ends_the_threads(archives: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(byte_source, "READ_MAX", 20)
    monkeypatch.setattr(byte_source, "PIECE_MAX", 20)  # so that the queues are full, and the threads wait
    before = threading.active_count()
    batches = RouteReader().read([str(path) for path in archives])
    next(batches)
    assert threading.active_count() > before
    batches.close()  # type: ignore[attr-defined]
    assert threading.active_count() == before


def test_a_source_that_fails_while_it_is_read(archives: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(byte_source, "READ_MAX", 1)
    source = ByteSource(str(archives[1]))
    source._file.close()
    ahead = ReadAhead(source)
    with pytest.raises(WorldError, match="closed file"):
        list(ahead.pieces())
    ahead.close()


def test_an_empty_source_has_no_batches(tmp_path: Path) -> None:
    path = tmp_path / "empty"
    path.touch()
    reader = RouteReader()
    assert list(reader.read([str(path)])) == []
    assert reader.damaged == 0


def test_a_file_that_is_cut_while_it_is_read_ends_as_one_that_was_cut_before(tmp_path: Path) -> None:
    record = encode_content(7, BGPMessage(V4, Update(attributes=v4_attributes(64500), nlri=(NLRI(P4),))))
    path = tmp_path / "updates"
    path.write_bytes(record * (64 * 1024 * 1024 // len(record)))
    reader = RouteReader()
    batches = reader.read([str(path)])
    rows = next(batches).rows
    os.truncate(path, 100)
    rows += sum(batch.rows for batch in batches)
    assert 0 < rows < 64 * 1024 * 1024 // len(record)
