"""Relationship files: what is read of them, what is refused and where, and the cache that may never be wrong."""

import bz2
import gzip
import lzma
import os
from pathlib import Path

import numpy as np
import pytest

from anycastle.base.errors import ParseError, WorldError
from anycastle.io import as_graph
from anycastle.io.as_graph import default_cache_folder, encode_graph, load_graph, map_graph
from anycastle.model.asn import ASN
from anycastle.twin.graph import ASGraph, Link

SERIAL_1 = b"""\
# source:topology|BGP|20250901|ripe|rrc00
# inferred clique: 1 2
# IXP ASes: 90 91
1|2|0
1|3|-1
2|4|-1
3|4|0
"""
SERIAL_2 = SERIAL_1.replace(b"0\n", b"0|bgp,mlp\n").replace(b"-1\n", b"-1|bgp\r\n").replace(b"rrc00|bgp,mlp", b"rrc00")


def _put(folder: Path, octets: bytes, name: str = "graph.txt") -> Path:
    path = folder / name
    path.write_bytes(octets)
    return path


def _same(one: ASGraph, other: ASGraph) -> bool:
    return encode_graph(one) == encode_graph(other)


@pytest.mark.parametrize("pack", [bytes, bz2.compress, gzip.compress, lzma.compress])
@pytest.mark.parametrize("text", [SERIAL_1, SERIAL_2], ids=["serial-1", "serial-2"])
def test_every_form_gives_the_same_graph(tmp_path: Path, text: bytes, pack: type[bytes]) -> None:
    graph = load_graph(_put(tmp_path, pack(text))).graph

    assert graph.by_asn.tolist() == [1, 2, 3, 4, 90, 91]
    assert graph.asn[graph.peers(graph.node(4))].tolist() == [3]
    assert graph.asn[graph.providers(graph.node(4))].tolist() == [2]
    assert (graph.origin.date, graph.origin.clique, graph.origin.ixps) == ("2025-09-01", (1, 2), (90, 91))


def test_the_name_gives_the_date_where_no_header_does(tmp_path: Path) -> None:
    assert load_graph(_put(tmp_path, b"1|2|0\n", "20150201.as-rel.txt")).graph.origin.date == "2015-02-01"
    assert load_graph(_put(tmp_path, b"1|2|0")).graph.origin.date == ""


def test_bad_lines_are_named_all_at_once(tmp_path: Path) -> None:
    bad = b"1|2\n5|5|0\n1|7|2\n4294967296|1|0\n1|2|0x\nAS1|AS2|0\n1|3|--1\n99999999999|3|0\n"
    path = _put(tmp_path, SERIAL_1 + bad)

    with pytest.raises(ParseError) as raised:
        load_graph(path)
    said = str(raised.value).splitlines()
    assert said[0].startswith(f"8 lines of {path} cannot be read; a link is AS|AS|relation")
    assert said[1:] == [f"{path}:{8 + at}: {line!r}" for at, line in enumerate(bad.decode().splitlines())]


def test_many_bad_lines_are_cut(tmp_path: Path) -> None:
    with pytest.raises(ParseError, match=r"and 1980 more$"):
        load_graph(_put(tmp_path, b"?\n" * 2000))


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        (b"# nothing\n", "no line of the form"),
        (b"", "no line of the form"),
        (bz2.compress(SERIAL_1)[:-20], "cannot be unpacked; is it whole"),
        (gzip.compress(SERIAL_1, mtime=0)[:-20], "cannot be unpacked; is it whole"),
        (SERIAL_1 + b"2|1|-1\n", "graph.txt:8: AS2 and AS1 are related otherwise in line 4"),
        (SERIAL_1 + b"3|9|-1\n9|1|-1\n", "graph.txt: providers go in a circle"),
    ],
    ids=["comments", "empty", "cut-bz2", "cut-gz", "contradiction", "circle"],
)
def test_what_is_refused(tmp_path: Path, octets: bytes, words: str) -> None:
    with pytest.raises(ParseError, match=words):
        load_graph(_put(tmp_path, octets))


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(WorldError, match="No such file"):
        load_graph(tmp_path / "absent")


def test_a_line_given_twice_counts_once(tmp_path: Path) -> None:
    assert load_graph(_put(tmp_path, SERIAL_1 + b"2|1|0\n1|3|-1|bgp\n")).graph.link_count == 4


def test_from_the_cache_it_is_the_same(tmp_path: Path) -> None:
    path, cache = _put(tmp_path, SERIAL_1), tmp_path / "cache"
    first, second = load_graph(path, cache=cache), load_graph(path, cache=cache)

    assert (first.from_cache, second.from_cache) == (False, True)
    assert second.cached_at == first.cached_at
    assert _same(first.graph, second.graph)
    assert not second.graph.asn.flags.writeable
    path.write_bytes(SERIAL_1 + b"3|5|-1\n")  # the key is the content
    assert 5 in load_graph(path, cache=cache).graph.by_asn


def test_the_same_octets_under_another_name_keep_that_name_and_its_date(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    for name, date in (("20240101.as-rel.txt", "2024-01-01"), ("20250901.as-rel.txt", "2025-09-01")):
        (tmp_path / name).write_text("1|2|-1\n2|3|-1\n")
        for _ in range(2):
            origin = load_graph(tmp_path / name, cache=cache).graph.origin
            assert (origin.name, origin.date) == (name, date)


def test_own_links_are_not_in_the_cache(tmp_path: Path) -> None:
    path, cache = _put(tmp_path, SERIAL_1), tmp_path / "cache"
    loaded = load_graph(path, [Link(ASN(3), ASN(7), -1)], cache)

    assert (loaded.cached_at, loaded.graph.origin.own_links) == (None, 1)
    assert 7 in loaded.graph.by_asn
    assert 7 not in load_graph(path, cache=cache).graph.by_asn


def test_a_damaged_entry_is_made_anew(tmp_path: Path) -> None:
    path, cache = _put(tmp_path, SERIAL_1), tmp_path / "cache"
    first = load_graph(path, cache=cache)
    entry = first.cached_at
    assert entry is not None
    sound = entry.read_bytes()
    damaged = [sound[:at] for at in range(0, len(sound), 7)]
    damaged += [sound[:at] + bytes([sound[at] ^ 1]) + sound[at + 1 :] for at in range(len(sound))]
    for octets in damaged:
        entry.write_bytes(octets)
        assert map_graph(entry) is None
    entry.write_bytes(sound[:-1])
    assert not load_graph(path, cache=cache).from_cache
    assert entry.read_bytes() == sound


def test_an_entry_of_another_version_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, cache = _put(tmp_path, SERIAL_1), tmp_path / "cache"
    load_graph(path, cache=cache)
    monkeypatch.setattr(as_graph, "CACHE_VERSION", 0)

    assert not load_graph(path, cache=cache).from_cache


def test_a_cache_that_cannot_be_written_is_no_failure(tmp_path: Path) -> None:
    nowhere = _put(tmp_path, b"", "a file") / "cache"

    assert load_graph(_put(tmp_path, SERIAL_1), cache=nowhere).cached_at is None


def test_where_the_cache_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/x")
    assert default_cache_folder() == Path("/x/anycastle/as-graph")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert default_cache_folder() == Path.home() / ".cache" / "anycastle" / "as-graph"


def test_real_graphs() -> None:
    data = Path(os.environ.get("ANYCASTLE_DATA", Path(__file__).parents[3].parent / "shared" / "data")) / "as-graph"
    if not data.exists():
        pytest.skip(f"no {data}; set ANYCASTLE_DATA to the folder of real inputs")
    serial_1 = load_graph(data / "20150201.as-rel.txt.bz2").graph
    serial_2 = load_graph(data / "20250901.as-rel2.txt.bz2").graph

    assert (len(serial_2), serial_2.link_count, serial_2.origin.date) == (78668, 570696, "2025-09-01")
    assert (len(serial_1), serial_1.link_count, serial_1.origin.date) == (49780, 189837, "2015-02-01")
    assert (len(serial_2.origin.clique), len(serial_2.origin.ixps), len(serial_1.origin.clique)) == (19, 28, 17)
    assert np.all(np.diff(serial_2.level) >= 0)
