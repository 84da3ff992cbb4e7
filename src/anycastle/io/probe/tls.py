"""One TLS handshake, and what the certificate says."""

import ssl
import time
from functools import lru_cache
from typing import Final, NamedTuple

from anycastle.io.checks.verdict import Failed
from anycastle.io.probe.connection import opened, secured
from anycastle.io.probe.course import Course
from anycastle.model.prefix import Address
from anycastle.probe.kinds.tls import TLSAsk, TLSSeen
from anycastle.probe.target import ProbeTarget

_DAY_S: Final = 86_400
_NAMES_KEPT: Final = 20


class Certificate(NamedTuple):
    """What a certificate says."""

    subject: str
    issuer: str
    names: tuple[str, ...]
    not_after: float
    """Seconds since 1970."""

    @property
    def days_left(self) -> float:
        """Give the days that it is still valid; negative where it has ended."""
        return (self.not_after - time.time()) / _DAY_S


async def run(target: ProbeTarget, ask: TLSAsk, address: Address, course: Course) -> TLSSeen:
    """Shake hands once."""
    with await opened(address, target.port, course) as stream:
        name = ask.server_name or target.host
        tls = await secured(stream, name, course, verify=ask.verify, ca_file=ask.ca_file, alpn=ask.alpn)
    certificate = certificate_of(tls)
    cipher = tls.cipher()
    return TLSSeen(
        version=tls.version() or "",
        cipher=cipher[0] if cipher else "",
        alpn=tls.selected_alpn_protocol(),
        subject=certificate.subject,
        issuer=certificate.issuer,
        names=certificate.names,
        days_left=certificate.days_left,
    )


def certificate_of(tls: ssl.SSLObject) -> Certificate:
    """Give the peer's certificate. Raises `Failed` where it cannot be read."""
    encoded = tls.getpeercert(binary_form=True)
    if encoded is None:
        raise Failed("the server showed no certificate")
    return _parsed(encoded)


@lru_cache(maxsize=256)
def _parsed(encoded: bytes) -> Certificate:
    from cryptography import x509

    try:
        found = x509.load_der_x509_certificate(encoded)
        subject, issuer = (_common_name(each) for each in (found.subject, found.issuer))
        return Certificate(subject, issuer, _names(found), found.not_valid_after_utc.timestamp())
    except ValueError as error:
        raise Failed(f"the certificate cannot be read: {error}") from error


def _common_name(name: object) -> str:
    from cryptography import x509

    assert isinstance(name, x509.Name)
    found = name.get_attributes_for_oid(x509.oid.NameOID.COMMON_NAME)
    return str(found[0].value) if found else ""


def _names(certificate: object) -> tuple[str, ...]:
    from cryptography import x509

    assert isinstance(certificate, x509.Certificate)
    try:
        listed = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    found = [*listed.get_values_for_type(x509.DNSName), *map(str, listed.get_values_for_type(x509.IPAddress))]
    return tuple(found[:_NAMES_KEPT])
