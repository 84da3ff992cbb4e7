from pathlib import Path

import pytest

from anycastle.base.errors import ParseError, WorldError
from anycastle.io.rpki.cache_place import CachePlace, TLSFiles, parse_cache_place


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("rtr.example.net:3323", CachePlace("rtr.example.net", 3323)),
        ("192.0.2.1:323", CachePlace("192.0.2.1", 323)),
        ("[2001:db8::1]:323", CachePlace("2001:db8::1", 323)),
        ("tls://rtr.example.net", CachePlace("rtr.example.net", 324, TLSFiles())),
        ("tls://[2001:db8::1]:8283", CachePlace("2001:db8::1", 8283, TLSFiles())),
        (
            "tls://rtr.example.net:8283?ca=/etc/ca.pem&cert=own.pem&key=own%20key.pem",
            CachePlace("rtr.example.net", 8283, TLSFiles(Path("/etc/ca.pem"), Path("own.pem"), Path("own key.pem"))),
        ),
    ],
)
def test_places(text: str, place: CachePlace) -> None:
    assert parse_cache_place(text) == place


@pytest.mark.parametrize(
    "text",
    ["", "host", "host:", "host:0", "host:x", "host:99999", ":323", "2001:db8::1:323", "host:323/path", "tls://",
     "tls://:8283", "tls://host/path", "tls://me@host", "host:323?ca=x", "ssh://host:22",
     "[::1", "tls://[::1?ca=x"],
)  # fmt: skip
def test_what_is_no_place(text: str) -> None:
    with pytest.raises(ParseError, match=r"is not HOST:PORT, or tls://"):
        parse_cache_place(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tls://host?cafile=x", "cafile: there are ca, cert and key"),
        ("tls://host?ca=", "ca: there are"),
        ("tls://host?key=x", "a key is of no use without its cert"),
    ],
)
def test_what_is_no_file_of_tls(text: str, said: str) -> None:
    with pytest.raises(ParseError, match=said):
        parse_cache_place(text)


def test_files_that_cannot_be_used(tmp_path: Path) -> None:
    garbage = tmp_path / "garbage.pem"
    garbage.write_text("nothing")
    for files in (TLSFiles(tmp_path / "none.pem"), TLSFiles(garbage), TLSFiles(certificate=garbage)):
        with pytest.raises(WorldError, match=str(tmp_path)):
            files.context()
