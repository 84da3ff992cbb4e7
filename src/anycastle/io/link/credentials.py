"""What either end of the link shows and trusts, read from files; and who the other end is.

Only TLS 1.3 is spoken. There are no session tickets: a resumed session would skip the look at the certificate, and at
what was revoked since. A certificate that was revoked is refused with words, before anything else is said. A revocation
list whose time is over is used on, and told as a problem: what it revokes stays revoked, and a list that nobody renewed
does not cut the fleet off from its controller.
"""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cryptography import x509

from anycastle.base.errors import ParseError, WorldError
from anycastle.base.ports import Timestamp
from anycastle.io.link.files import CredentialFiles
from anycastle.io.pki.certificates import (
    DAY_S,
    Lifetime,
    identity_in,
    identity_of,
    life_of,
    read_certificate,
    read_certificates,
    read_file,
)
from anycastle.model.identity import Identity, Role

EXPIRES_SOON_S: Final = 7 * DAY_S
"""A certificate with less than this to live is told as a problem, unless it lives for less than three times that."""


@dataclass(frozen=True, slots=True)
class Peer:
    """Who is at the other end, by its certificate."""

    identity: Identity
    serial: int
    issuer: str


@dataclass(frozen=True, slots=True)
class Revocations:
    """Serial numbers that were revoked, by their issuer's name, and until when the lists are fresh."""

    serials: frozenset[tuple[str, int]] = frozenset()
    fresh_until: Timestamp | None = None

    def refuses(self, peer: Peer) -> bool:
        """Tell whether a certificate was revoked."""
        return (peer.issuer, peer.serial) in self.serials


@dataclass(frozen=True, slots=True)
class Credentials:
    """What was read from the files."""

    context: ssl.SSLContext
    identity: Identity
    life: Lifetime
    revocations: Revocations = Revocations()

    def problems(self, now: Timestamp) -> list[str]:
        """Give what an operator should renew."""
        found = []
        left_s, whole_s = self.life.end - now, self.life.end - self.life.start
        if left_s <= 0:
            found.append(f"the certificate of {self.identity} has expired")
        elif left_s < min(EXPIRES_SOON_S, whole_s / 3):
            found.append(f"the certificate of {self.identity} expires in {left_s / 3600:.0f} hours")
        fresh_until = self.revocations.fresh_until
        if fresh_until is not None and fresh_until <= now:
            found.append("the revocation list is out of date: what was revoked since it was made is not known")
        return found


FileStamp = tuple[int, int, int] | None
"""What changes when a file is written or replaced: inode, size, time; None for one that is not there."""


def stamps_of(files: CredentialFiles) -> tuple[FileStamp, ...]:
    """Give the stamps of all files."""
    return tuple(_stamp(path) for path in (files.authorities, files.certificate, files.key, files.revoked))


def _stamp(path: Path | None) -> FileStamp:
    if path is None:
        return None
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns


def read_credentials(files: CredentialFiles, role: Role) -> Credentials:
    """Read what a controller (a server) or an agent (a client) needs. Raises `WorldError`."""
    server = role is Role.CONTROLLER
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server else ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_mode = ssl.CERT_REQUIRED
    if server:
        context.num_tickets = 0
    try:
        context.load_verify_locations(cafile=files.authorities)
        context.load_cert_chain(files.certificate, files.key, password=lambda: b"")
    except ssl.SSLError as error:
        reason = error.reason or error
        raise WorldError(
            f"{files.certificate} with its key {files.key}, or {files.authorities}: {reason}", retryable=False
        ) from error
    except OSError as error:
        named = next((path for path in (files.authorities, files.certificate, files.key) if not path.is_file()), "")
        raise WorldError(f"{named or files.key}: {error.strerror or error}", retryable=False) from error
    certificate = read_certificate(files.certificate)
    try:
        identity = identity_of(certificate)
    except ParseError as error:
        raise WorldError(f"{files.certificate}: {error}", retryable=False) from error
    if identity.role is not role:
        raise WorldError(f"{files.certificate} is that of {identity}, not of a {role.value}", retryable=False)
    revocations = Revocations() if files.revoked is None else read_revocations(files.revoked, files.authorities)
    return Credentials(context, identity, life_of(certificate), revocations)


def read_revocations(path: Path, authorities: Path) -> Revocations:
    """Read revocation lists, each signed by an authority that is trusted. Raises `WorldError`."""
    trusted = {certificate.subject: certificate for certificate in read_certificates(authorities)}
    serials: set[tuple[str, int]] = set()
    until: list[float] = []
    for number, octets in enumerate(_parts(read_file(path)), 1):
        try:
            revoked = x509.load_pem_x509_crl(octets)
        except ValueError as error:
            raise WorldError(f"{path}: list {number} cannot be read", retryable=False) from error
        issuer = trusted.get(revoked.issuer)
        if issuer is None:
            continue  # of an authority that is trusted no more, and its certificates with it
        if not revoked.is_signature_valid(issuer.public_key()):  # type: ignore[arg-type]  # of what signs certificates
            raise WorldError(f"{path}: list {number} was not signed by its authority", retryable=False)
        serials |= {(_name_of(revoked.issuer), entry.serial_number) for entry in revoked}
        if revoked.next_update_utc is not None:
            until.append(revoked.next_update_utc.timestamp())
    return Revocations(frozenset(serials), Timestamp(min(until)) if until else None)


def peer_of(certificate: Mapping[str, Any] | None) -> Peer:
    """Give who the other end is, by what `ssl` tells of its certificate. Raises `ParseError`."""
    if not certificate:
        raise ParseError("no certificate was shown")
    addresses = [value for kind, value in certificate.get("subjectAltName", ()) if kind == "URI"]
    issuer = ",".join(f"{key}={value}" for part in certificate["issuer"] for key, value in part)
    return Peer(identity_in(addresses), int(certificate["serialNumber"], 16), issuer)


_LONG_NAMES: Final = {"O": "organizationName", "CN": "commonName"}


def _name_of(name: x509.Name) -> str:
    """Give a name as `peer_of` does."""
    return ",".join(
        f"{_LONG_NAMES.get(each.rfc4514_attribute_name, each.rfc4514_attribute_name)}={each.value!s}" for each in name
    )


def _parts(octets: bytes) -> list[bytes]:
    begin = b"-----BEGIN X509 CRL-----"
    return [begin + part for part in octets.split(begin)[1:]]
