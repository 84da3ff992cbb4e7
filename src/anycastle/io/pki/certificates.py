"""Certificates of the link: how they are made, and how one is read from a file.

Keys are on P-256: every TLS stack takes ECDSA with it, and a handshake costs a tenth of what RSA costs. An authority
may sign certificates and revocation lists, and no further authority (`pathlen` 0). An agent's certificate is good for
clients only and names its PoP by a URI; a controller's is good for servers only and names its hosts beside it. So what
an agent holds can not pose as a controller, nor the other way round.
"""

import contextlib
import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from anycastle.base.errors import ParseError, WorldError
from anycastle.base.ports import Timestamp
from anycastle.model.identity import SCHEME, Identity, Role, parse_identity

BACKDATED_S: Final = 300.0
"""How far before its making a certificate is valid: the other's clock may be behind."""

DAY_S: Final = 86_400.0
FILE_OCTETS_MAX: Final = 1024 * 1024
_HOST: Final = re.compile(r"(?!.{254})[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*")

PublicKey = ec.EllipticCurvePublicKey
PrivateKey = ec.EllipticCurvePrivateKey


@dataclass(frozen=True, slots=True)
class Lifetime:
    """From when to when a certificate is good."""

    start: Timestamp
    end: Timestamp


def lifetime(now: Timestamp, days: float) -> Lifetime:
    """Give the lifetime of what is made now."""
    return Lifetime(Timestamp(now - BACKDATED_S), Timestamp(now + days * DAY_S))


def new_key() -> PrivateKey:
    """Make a key."""
    return ec.generate_private_key(ec.SECP256R1())


def key_octets(key: PrivateKey) -> bytes:
    """Give a key as PEM, without a passphrase: it is the file's mode that keeps it."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def pem(certificate: x509.Certificate | x509.CertificateRevocationList) -> bytes:
    """Give a certificate or a revocation list as PEM."""
    return certificate.public_bytes(serialization.Encoding.PEM)


def authority_certificate(fleet: str, key: PrivateKey, life: Lifetime) -> x509.Certificate:
    """Make the certificate of an authority, signed by itself."""
    serial = x509.random_serial_number()
    # Two authorities of one fleet, as during a rotation, must not bear one name: TLS looks issuers up by it.
    name = _name(fleet, f"Anycastle authority of {fleet} {serial:x}"[:64])
    usage = x509.KeyUsage(
        digital_signature=False, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    builder = _builder(name, name, key.public_key(), serial, life)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    return builder.add_extension(usage, critical=True).sign(key, hashes.SHA256())


def leaf_certificate(
    identity: Identity, hosts: Sequence[str], public_key: PublicKey, authority: x509.Certificate, key: PrivateKey,
    life: Lifetime,
) -> x509.Certificate:  # fmt: skip
    """Make an agent's or a controller's certificate. Raises `ParseError` for a host that is none."""
    names: list[x509.GeneralName] = [x509.UniformResourceIdentifier(str(identity)), *map(_host, hosts)]
    usage = x509.KeyUsage(
        digital_signature=True, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=False, crl_sign=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    purpose = ExtendedKeyUsageOID.CLIENT_AUTH if identity.role is Role.POP else ExtendedKeyUsageOID.SERVER_AUTH
    subject = _name(identity.fleet, identity.name)
    builder = _builder(subject, authority.subject, public_key, x509.random_serial_number(), life)
    issuer = authority.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    issued_by = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer)
    return (
        builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([purpose]), critical=True)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(issued_by, critical=False)
        .sign(key, hashes.SHA256())
    )


def revocation_list(
    revoked: Sequence[tuple[int, Timestamp]], number: int, authority: x509.Certificate, key: PrivateKey, life: Lifetime
) -> x509.CertificateRevocationList:
    """Make a list of the serial numbers that an authority took back, and when."""
    issuer = authority.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(authority.subject)
        .last_update(_date(life.start))
        .next_update(_date(life.end))
        .add_extension(x509.CRLNumber(number), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer), critical=False)
    )
    for serial, at in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(_date(at)).build()
        builder = builder.add_revoked_certificate(entry)
    return builder.sign(key, hashes.SHA256())


def identity_of(certificate: x509.Certificate) -> Identity:
    """Give who a certificate speaks for. Raises `ParseError` for one of another kind."""
    with contextlib.suppress(x509.ExtensionNotFound):
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        return identity_in(names.get_values_for_type(x509.UniformResourceIdentifier))
    raise ParseError("the certificate names nobody of a fleet")


def identity_in(addresses: Sequence[str]) -> Identity:
    """Give the identity among a certificate's URIs. Raises `ParseError` unless it is the only URI."""
    if len(addresses) != 1 or not addresses[0].startswith(SCHEME):
        raise ParseError(f"the certificate names {', '.join(addresses) or 'nobody'}, not one member of a fleet")
    return parse_identity(addresses[0])


def hosts_of(certificate: x509.Certificate) -> tuple[str, ...]:
    """Give the hosts that a certificate is for."""
    with contextlib.suppress(x509.ExtensionNotFound):
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        addresses = names.get_values_for_type(x509.IPAddress)
        return (*names.get_values_for_type(x509.DNSName), *map(str, addresses))
    return ()


def life_of(certificate: x509.Certificate) -> Lifetime:
    """Give from when to when a certificate is good."""
    start, end = certificate.not_valid_before_utc.timestamp(), certificate.not_valid_after_utc.timestamp()
    return Lifetime(Timestamp(start), Timestamp(end))


def read_certificate(path: Path) -> x509.Certificate:
    """Give the first certificate of a file. Raises `WorldError`."""
    return read_certificates(path)[0]


def read_certificates(path: Path) -> list[x509.Certificate]:
    """Give all certificates of a file, at least one. Raises `WorldError`."""
    try:
        return x509.load_pem_x509_certificates(read_file(path))
    except ValueError as error:
        raise WorldError(f"{path}: no certificate in PEM can be read from it", retryable=False) from error


def read_key(path: Path) -> PrivateKey:
    """Give the key of a file. Raises `WorldError`; its words never tell what is in it."""
    try:
        key = serialization.load_pem_private_key(read_file(path), None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise WorldError(f"{path}: no key of ours can be read from it", retryable=False)
    return key


def read_file(path: Path) -> bytes:
    """Give a small file's content. Raises `WorldError`."""
    try:
        with path.open("rb") as file:
            octets = file.read(FILE_OCTETS_MAX + 1)
    except OSError as error:
        raise WorldError(f"{path}: {error.strerror}", retryable=False) from error
    if len(octets) > FILE_OCTETS_MAX:
        raise WorldError(f"{path}: more than {FILE_OCTETS_MAX} octets", retryable=False)
    return octets


def _builder(
    subject: x509.Name, issuer: x509.Name, public_key: PublicKey, serial: int, life: Lifetime
) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(public_key)
    builder = builder.serial_number(serial).not_valid_before(_date(life.start)).not_valid_after(_date(life.end))
    return builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)


def _name(fleet: str, common: str) -> x509.Name:
    return x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, fleet), x509.NameAttribute(NameOID.COMMON_NAME, common)]
    )


def _host(text: str) -> x509.GeneralName:
    with contextlib.suppress(ValueError):
        return x509.IPAddress(ip_address(text))
    if not _HOST.fullmatch(text):
        raise ParseError(f"{text!r} is no host: give a name or an address")
    return x509.DNSName(text)


def _date(at: float) -> dt.datetime:
    return dt.datetime.fromtimestamp(int(at), dt.UTC)
