"""Collector paths: lines `COLLECTOR<tab>PEER<tab>AS_PATH`, the path's ASNs parted by commas or spaces."""

from collections.abc import Iterable
from pathlib import Path

from anycastle.base.errors import ParseError
from anycastle.io.catchments.text import read_text
from anycastle.model.asn import ASN
from anycastle.model.catchment import CollectorPath


def read_collector_paths(path: Path, announced: Iterable[str], origin: ASN) -> tuple[CollectorPath, ...]:
    """Give the paths of a file that end at `origin`, cut before its first place (what follows it is the PoP's own).

    Lines without the origin are left out: a collector also sees what covers the prefix. Raises `ParseError`.
    """
    return parse_collector_paths(read_text(path), str(path), announced, origin)


def parse_collector_paths(text: str, name: str, announced: Iterable[str], origin: ASN) -> tuple[CollectorPath, ...]:
    """Parse the lines. Raises `ParseError` that names file, line and what stands there."""
    pops = tuple(sorted(announced))
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        fields = line.split("\t")
        if len(fields) != 3:
            raise ParseError(
                f"{name}:{number}: {len(fields)} fields; a line is COLLECTOR, PEER, AS_PATH parted by tabs"
            )
        asns = _parse_path(fields[2], f"{name}:{number}")
        if origin in asns[1:]:
            found.append(CollectorPath(pops, tuple(asns[: asns.index(origin)])))
    return tuple(found)


def _parse_path(text: str, where: str) -> list[ASN]:
    """Give the ASNs; the members of an AS_SET stand in the order written."""
    words = text.replace("{", " ").replace("}", " ").replace(",", " ").split()
    for word in words:
        if not (word.isascii() and word.isdigit() and len(word) <= 10 and int(word) <= 0xFFFFFFFF):
            raise ParseError(f"{where}: {word!r} in the path is no AS number")
    return [ASN(int(word)) for word in words]
