"""AS graphs from files: CAIDA's relationship files, plain or packed, and their arrays kept for the next time.

Theory of operation. A file is read whole, and hashes of its octets and of its name, which may hold its date, name an
entry of the cache: one file of a JSON header and the graph's arrays, each at a multiple of 64 octets. A graph from
the cache is a view of that file, mapped into memory: it loads in milliseconds, and processes that read the same graph
share its pages. A checksum stands before all else; an entry that is cut, altered or of another version is made anew,
and so is one that cannot be read.
"""

import bz2
import gzip
import hashlib
import json
import lzma
import mmap
import os
import zlib
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from anycastle.base.errors import ParseError, WorldError
from anycastle.io.durable import write_durably
from anycastle.kernels.relations import parse_links
from anycastle.model.asn import ASN
from anycastle.twin.graph import ASGraph, Link, Links, Origin, build_graph

CACHE_VERSION: Final = 1
"""Of the arrays' form; entries of another version are not read."""
FILE_BYTES_MAX: Final = 1 << 30
"""Octets of an unpacked relationship file; that of September 2025 has 11 million."""
BAD_LINES_SHOWN: Final = 20
_MAGIC: Final = b"anycastle as-graph "
_FIRST_LINE: Final = len(_MAGIC) + 9
"""Octets of the first line: the checksum as eight digits, and the line's end."""
_ALIGNED: Final = 64
_HEADER_MAX: Final = 1 << 20

_UNPACK: Final[MappingProxyType[bytes, Callable[[bytes], bytes]]] = MappingProxyType(
    {b"BZh": bz2.decompress, b"\x1f\x8b": gzip.decompress, b"\xfd7zXZ": lzma.decompress}
)
"""First octets of a file -> how it is unpacked."""


@dataclass(frozen=True, slots=True)
class LoadedGraph:
    """A graph, and whether it came from the cache (where, too, so that other processes can map it)."""

    graph: ASGraph
    from_cache: bool
    cached_at: Path | None


def default_cache_folder() -> Path:
    """Give the folder of cached graphs of this user (XDG Base Directory Specification)."""
    root = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(root) / "anycastle" / "as-graph"


def load_graph(path: Path, own_links: Iterable[Link] = (), cache: Path | None = None) -> LoadedGraph:
    """Give the graph of a relationship file, from the cache where it is there. `cache` None: no cache is used.

    Raises `WorldError` where the file cannot be read, `ParseError` that names each bad line as `FILE:LINE`.
    """
    octets = _read(path)
    digest = hashlib.blake2b(octets, digest_size=16).hexdigest()
    named = hashlib.blake2b(path.name.encode(errors="surrogateescape"), digest_size=8).hexdigest()
    entry = None if cache is None else cache / f"{digest}.{named}.graph"
    found = None if entry is None else map_graph(entry)
    graph = found or parse_graph(octets, path, digest)
    kept = found is not None or (entry is not None and _keep(graph, entry))
    own = list(own_links)
    return LoadedGraph(graph.with_links(own) if own else graph, found is not None, entry if kept and not own else None)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise WorldError(f"{path} cannot be read: {error.strerror}", retryable=False) from error


def parse_graph(octets: bytes, path: Path, digest: str = "") -> ASGraph:
    """Give the graph of a file's octets, packed or not."""
    text = np.frombuffer(_unpacked(octets, path), np.uint8)
    left, right, relation, line, bad, bad_count = parse_links(text, int(np.count_nonzero(text == 10)) + 1)
    if bad_count:
        raise ParseError(_bad_lines(text, path, bad, bad_count))
    if not len(left):
        raise ParseError(f"{path}: no line of the form AS|AS|relation; is this a file of AS relationships?")
    _no_contradiction(path, Links(left, right, relation), line)
    origin = _origin(text, path, digest)
    return build_graph(Links(left, right, relation), origin, [*origin.clique, *origin.ixps])


def _unpacked(octets: bytes, path: Path) -> bytes:
    for start, unpack in _UNPACK.items():
        if octets.startswith(start):
            try:
                octets = unpack(octets)
            except (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError) as error:
                raise ParseError(f"{path} cannot be unpacked; is it whole? {error}") from error
    if len(octets) > FILE_BYTES_MAX:
        raise ParseError(f"{path} has {len(octets)} octets unpacked; the most that are read are {FILE_BYTES_MAX}")
    return octets


def _line(text: NDArray[np.uint8], number: int) -> str:
    ends = np.flatnonzero(text == 10)
    start = 0 if number == 1 else int(ends[number - 2]) + 1
    return text[start : start + 80].tobytes().split(b"\n")[0].decode("utf-8", "replace")


def _bad_lines(text: NDArray[np.uint8], path: Path, bad: NDArray[np.int64], count: int) -> str:
    shown = [f"{path}:{number}: {_line(text, number)!r}" for number in map(int, bad[:BAD_LINES_SHOWN])]
    more = [f"and {count - len(shown)} more"] if count > len(shown) else []
    want = "a link is AS|AS|relation, two different ASNs up to 4294967295, relation -1 (provides for) or 0 (peers)"
    return "\n".join([f"{count} line{'s' * (count != 1)} of {path} cannot be read; {want}", *shown, *more])


def _no_contradiction(path: Path, links: Links, line: NDArray[np.int64]) -> None:
    """Raise `ParseError` at the first pair that two lines relate in different ways."""
    pairs = links.pairs()
    order = np.argsort(pairs, kind="stable")
    for place in np.flatnonzero(pairs[order][1:] == pairs[order][:-1]):
        one, other = int(order[place]), int(order[place + 1])
        sold = (links.left[one], links.relation[one]) == (links.left[other], links.relation[other])
        if not sold and (links.relation[one] or links.relation[other]):
            names = f"AS{links.left[other]} and AS{links.right[other]}"
            raise ParseError(f"{path}:{line[other]}: {names} are related otherwise in line {line[one]}")


def _origin(text: NDArray[np.uint8], path: Path, digest: str) -> Origin:
    """Give what the comment lines tell: date, clique, IXPs. They stand before the first link."""
    date, clique, ixps = "", tuple[ASN, ...](), tuple[ASN, ...]()
    position = 0
    while position < len(text) and text[position] in b"#\r\n":
        end = position + int(np.argmax(text[position : position + _HEADER_MAX] == 10))
        line = text[position : max(end, position + 1)].tobytes().decode("utf-8", "replace").strip("# \r\n")
        name, _, rest = line.partition(":")
        if name.endswith("clique"):
            clique = clique or _asns(rest)
        elif name == "IXP ASes":
            ixps = _asns(rest)
        elif name in ("source", "date"):
            date = date or _date(rest)
        position = max(end, position) + 1
    return Origin(path.name, date or _date(path.name.replace(".", "|")), digest, clique, ixps)


def _asns(text: str) -> tuple[ASN, ...]:
    return tuple(ASN(int(word)) for word in text.split() if word.isdigit() and int(word) <= 0xFFFFFFFF)


def _date(text: str) -> str:
    for word in text.replace(" ", "|").split("|"):
        if len(word) == 8 and word.isdigit():
            return f"{word[:4]}-{word[4:6]}-{word[6:]}"
    return ""


def _arrays(graph: ASGraph) -> dict[str, NDArray[Any]]:
    return {each.name: getattr(graph, each.name) for each in fields(ASGraph) if each.name != "origin"}


def encode_graph(graph: ASGraph) -> bytes:
    """Give a cache entry: a line that names the form and a checksum of the rest, a header line of JSON, the arrays."""
    body, placed = bytearray(), []
    for name, array in _arrays(graph).items():
        body += bytes(-len(body) % _ALIGNED)
        placed.append((name, array.dtype.str, len(body), len(array)))
        body += array.tobytes()
    header = {"version": CACHE_VERSION, "arrays": placed, "origin": asdict(graph.origin)}
    rest = json.dumps(header).encode() + b"\n"
    rest += bytes(-(_FIRST_LINE + len(rest)) % _ALIGNED) + bytes(body)
    return _first_line(rest) + rest


def _first_line(rest: bytes | memoryview) -> bytes:
    return b"%s%08x\n" % (_MAGIC, zlib.crc32(rest))


def _keep(graph: ASGraph, entry: Path) -> bool:
    try:
        entry.parent.mkdir(parents=True, exist_ok=True)
        write_durably(entry, encode_graph(graph), 0o644)
    except (OSError, WorldError):  # a cache that cannot be written costs the next start half a second, no more
        return False
    return True


def map_graph(entry: Path) -> ASGraph | None:
    """Give the graph of a cache entry, mapped into memory; None where there is none, or it is not as it was written."""
    try:
        with entry.open("rb") as file:
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError):  # absent or empty
        return None
    if mapped[:_FIRST_LINE] != _first_line(memoryview(mapped)[_FIRST_LINE:]):
        return None
    end = mapped.find(b"\n", _FIRST_LINE, _HEADER_MAX)
    try:
        header = json.loads(mapped[_FIRST_LINE:end])
        if header["version"] != CACHE_VERSION:
            return None
        start = end + 1 + (-(end + 1) % _ALIGNED)
        arrays: dict[str, Any] = {
            name: np.frombuffer(mapped, np.dtype(kind), length, start + offset)
            for name, kind, offset, length in header["arrays"]
        }
        told: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in header["origin"].items()}
        return ASGraph(**arrays, origin=Origin(**told))
    except (KeyError, TypeError, ValueError):  # sound, and not of this version
        return None


def keep_graph(graph: ASGraph, cache: Path) -> Path:
    """Put any graph into the cache, for other processes to map; give its entry. Raises `WorldError`."""
    octets = encode_graph(graph)
    entry = cache / f"{hashlib.blake2b(octets, digest_size=16).hexdigest()}.graph"
    if not entry.exists():
        try:
            entry.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise WorldError(f"{entry.parent} cannot be made: {error.strerror}") from error
        write_durably(entry, octets, 0o644)
    return entry
