"""Which files either end of the link shows and trusts, and whom an agent dials: named here, read elsewhere.

An agent without a controller knows these names and imports nothing of the link's own.
"""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class CredentialFiles:
    """Where the files are."""

    authorities: Path
    """`bundle.pem`."""
    certificate: Path
    key: Path
    revoked: Path | None = None
    """`crl.pem`; controllers have it."""


@dataclass(frozen=True, slots=True)
class LinkSettings:
    """Which controllers an agent dials, and with what."""

    addresses: tuple[str, ...]
    files: CredentialFiles
