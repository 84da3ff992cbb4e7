"""The TLS check: shake hands, verify the chain, and count the days that the certificate has left."""

import ssl
import time
from functools import lru_cache
from pathlib import Path
from typing import Final

from anycastle.io.checks.stream import Stream, connect
from anycastle.io.checks.verdict import Failed, Undecided, endpoint, judged
from anycastle.model.check import CheckResult, TLSTarget

_DAY_S: Final = 86400


async def run(target: TLSTarget, timeout_s: float) -> CheckResult:
    """Shake hands with the target once."""
    return await judged(_attempt(target), timeout_s, endpoint(target.address, target.port))


async def _attempt(target: TLSTarget) -> str:
    context = client_context(target.verify, target.ca_file, target.alpn)
    with Stream(await connect(target.address, target.port)) as stream:
        tls = await handshake(stream, context, target.server_name)
    if target.alpn and tls.selected_alpn_protocol() is None:
        raise Failed(f"no protocol of {', '.join(target.alpn)} was agreed by ALPN")
    evidence = f"{tls.version()} with {target.server_name}"
    if target.certificate_days_left is None:
        return evidence
    return f"{evidence}, {certificate_days(tls, target.certificate_days_left)}"


def client_context(verify: bool, ca_file: str | None, alpn: tuple[str, ...] = ()) -> ssl.SSLContext:
    """Give a context, made once per setting and version of the CA file. Raises `Undecided` if it cannot be used."""
    try:
        stamp = Path(ca_file).stat().st_mtime_ns if ca_file and verify else 0
        return _context(verify, ca_file, stamp, alpn)
    except ssl.SSLError as error:
        raise Undecided(f"the CA file {ca_file} holds no usable certificate: {error.reason}") from error
    except OSError as error:
        raise Undecided(f"the CA file {ca_file} cannot be read: {error.strerror}") from error


@lru_cache(maxsize=64)
def _context(verify: bool, ca_file: str | None, _stamp: int, alpn: tuple[str, ...]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if verify:
        if ca_file:
            context.load_verify_locations(ca_file)
        else:
            context.load_default_certs()
    else:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if alpn:
        context.set_alpn_protocols(list(alpn))
    return context


async def handshake(stream: Stream, context: ssl.SSLContext, server_name: str) -> ssl.SSLObject:
    """Shake hands on a stream. Raises `Failed` with the reason in words."""
    try:
        return await stream.start_tls(context, server_name)
    except ssl.SSLCertVerificationError as error:
        raise Failed(f"the certificate does not verify: {error.verify_message}") from error
    except (ssl.SSLEOFError, ssl.SSLZeroReturnError) as error:
        raise Failed("the connection was closed during the TLS handshake") from error
    except ssl.SSLError as error:
        raise Failed(f"the TLS handshake failed: {(error.reason or str(error)).lower().replace('_', ' ')}") from error
    except ValueError as error:  # a name that cannot be sent as SNI
        raise Undecided(f"{server_name!r} cannot be asked for in TLS: {error}") from error


def certificate_days(tls: ssl.SSLObject, days_left: int) -> str:
    """Give the days that the peer's certificate has left. Raises `Failed` when they are fewer than `days_left`."""
    left = (_ends_at(tls) - time.time()) / _DAY_S
    if left < 0:
        raise Failed(f"the certificate ended {-left:.0f} days ago")
    if left < days_left:
        raise Failed(f"the certificate ends in {left:.0f} days, expected {days_left} or more")
    return f"certificate for {left:.0f} more days"


def _ends_at(tls: ssl.SSLObject) -> float:
    verified = tls.getpeercert()
    if verified:
        return float(ssl.cert_time_to_seconds(str(verified["notAfter"])))
    from cryptography import x509  # the standard library parses only certificates that it verified

    encoded = tls.getpeercert(binary_form=True)
    assert encoded is not None
    return x509.load_der_x509_certificate(encoded).not_valid_after_utc.timestamp()
