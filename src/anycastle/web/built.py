"""The pages as they were built from `ui/`: a few small files, read once, sent compressed to who takes it."""

import gzip
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Final

SHELL: Final = "index.html"

MEDIA_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".json": "application/json",
}
"""Ending -> what a browser is told; files of another kind are not served."""

NOT_BUILT: Final = b"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Anycastle: the pages are not built</title>
<h1>The pages are not built</h1>
<p>This controller runs, and its API answers, but its package holds no pages.</p>
<p>In a clone of the repository, <code>make ui</code> builds them (Node 20 or later), and the controller has them from
its next start. What pages show, the commands show too: <code>anycastle controller status</code>.</p>
</html>
"""


@dataclass(frozen=True, slots=True)
class BuiltFile:
    """A file of the pages."""

    media_type: str
    octets: bytes
    compressed: bytes
    etag: str


@cache
def built_files() -> dict[str, BuiltFile]:
    """Give name -> file; none where the pages were not built."""
    folder = files("anycastle.web").joinpath("static")
    if not folder.is_dir():
        return {}
    made = {}
    for entry in folder.iterdir():
        media_type = MEDIA_TYPES.get("." + entry.name.rpartition(".")[2])
        if media_type is not None and entry.is_file():
            octets = entry.read_bytes()
            digest = sha256(octets).hexdigest()[:32]
            made[entry.name] = BuiltFile(media_type, octets, gzip.compress(octets, 9, mtime=0), f'"{digest}"')
    return made
