"""Where a validator's cache is, and how to speak to it: plain TCP, or TLS (RFC 8210 §9.2).

Over TLS the cache must show a certificate that names its host (as a DNS name or an address among the subject's
alternative names; a common name does not count) and that a trusted authority has signed. Where the cache asks who we
are, we show our own. The files are read at each dial, so that renewed ones are used.
"""

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

from anycastle.base.errors import ParseError, WorldError

TLS_PORT: Final = 324
"""IANA's port for RTR over TLS."""

_FILES: Final = ("ca", "cert", "key")


@dataclass(frozen=True, slots=True)
class TLSFiles:
    """PEM files: the authorities that are trusted (the system's, where none is named), and our own certificate."""

    authorities: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    """The certificate's key, where it is not in the same file."""

    def context(self) -> ssl.SSLContext:
        """Give what a dial needs. Raises `WorldError` for a file that cannot be used."""
        try:
            context = ssl.create_default_context(cafile=self.authorities)  # it verifies, and compares the host's name
            context.hostname_checks_common_name = False
            if self.certificate is not None:
                context.load_cert_chain(self.certificate, self.key)
        except OSError as error:
            names = ", ".join(str(each) for each in (self.authorities, self.certificate, self.key) if each is not None)
            raise WorldError(f"TLS with {names}: {error.strerror or error}", retryable=False) from error
        return context


@dataclass(frozen=True, slots=True)
class CachePlace:
    """A cache. Without `tls` it is spoken to in the clear."""

    host: str
    port: int
    tls: TLSFiles | None = None


def parse_cache_place(text: str) -> CachePlace:
    """Parse `HOST:PORT` or `tls://HOST[:PORT][?ca=FILE&cert=FILE&key=FILE]`. Raises `ParseError`."""
    secured = text.startswith("tls://")
    try:
        url = urlsplit(text if secured else f"tcp://{text}")
        port = TLS_PORT if url.port is None and secured else url.port
    except ValueError:
        url, port = urlsplit(""), None
    if not url.hostname or not port or url.path or url.fragment or url.username or (url.query and not secured):
        raise ParseError(f"{text!r} is not HOST:PORT, or tls://HOST:PORT?ca=FILE&cert=FILE&key=FILE")
    return CachePlace(unquote(url.hostname), port, _files(text, url.query) if secured else None)


def _files(text: str, query: str) -> TLSFiles:
    given = dict(parse_qsl(query, keep_blank_values=True))
    wrong = [name for name, file in given.items() if name not in _FILES or not file]
    if wrong:
        raise ParseError(f"{text!r}: {', '.join(wrong)}: there are ca, cert and key, each with a file")
    if "key" in given and "cert" not in given:
        raise ParseError(f"{text!r}: a key is of no use without its cert")
    return TLSFiles(*(Path(given[name]) if name in given else None for name in _FILES))
