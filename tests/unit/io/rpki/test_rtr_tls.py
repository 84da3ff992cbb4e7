"""The feed over TLS: StayRTR's own, and one before it that wants to know who we are."""

import asyncio
import datetime as dt
import ipaddress
import json
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from anycastle.base.errors import WorldError
from anycastle.io.rpki.cache_place import CachePlace, TLSFiles
from anycastle.io.rpki.export import RPKIData
from anycastle.io.rpki.rtr import fetch
from tests.ports import free_port

WAIT_S = 20.0
ROAS = [{"asn": 64500, "prefix": "192.0.2.0/24", "maxLength": 24, "ta": "test", "expires": 4000000000}]


class Authority:
    """A certification authority in a folder."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        basic = x509.BasicConstraints(ca=True, path_length=0)
        self.path = folder / f"{name}.pem"
        self.path.write_bytes(self._signed(self._name, self._key.public_key(), (basic, True)))

    def _signed(
        self, subject: x509.Name, key: ec.EllipticCurvePublicKey, *extensions: tuple[x509.ExtensionType, bool]
    ) -> bytes:
        today = dt.datetime.now(dt.UTC)
        builder = x509.CertificateBuilder(self._name, subject, key, x509.random_serial_number())
        builder = builder.not_valid_before(today - dt.timedelta(days=1)).not_valid_after(today + dt.timedelta(days=1))
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        return builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    def issue(self, name: str, *alternatives: x509.GeneralName) -> tuple[Path, Path]:
        """Give a certificate and its key, as files."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        names = [(x509.SubjectAlternativeName(alternatives), False)] if alternatives else []
        certificate, secret = self._folder / f"{name}.crt", self._folder / f"{name}.key"
        certificate.write_bytes(self._signed(subject, key.public_key(), *names))
        form = serialization.PrivateFormat.TraditionalOpenSSL
        secret.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
        return certificate, secret


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"), "authority")


@contextmanager
def stayrtr(folder: Path, certificate: Path, key: Path) -> Iterator[tuple[int, int]]:
    """Give the ports of a cache: in the clear, and over TLS."""
    program = shutil.which("stayrtr")
    if program is None:
        pytest.skip("stayrtr is not installed (Debian package stayrtr)")
    clear, secured = free_port(), free_port()
    (folder / "vrps.json").write_text(json.dumps({"metadata": {}, "roas": ROAS}))
    with (folder / "stayrtr.log").open("w") as log:
        process = subprocess.Popen(
            [program, "-bind", f"127.0.0.1:{clear}", "-tls.bind", f"127.0.0.1:{secured}", "-tls.cert", str(certificate),
             "-tls.key", str(key), "-cache", str(folder / "vrps.json"), "-checktime=false", "-metrics.addr", ""],
            stdout=log, stderr=log,
        )  # fmt: skip
    try:
        asyncio.run(asyncio.wait_for(_listening(clear, secured), WAIT_S))
        yield clear, secured
    finally:
        process.kill()
        process.wait()


async def _listening(*ports: int) -> None:
    for port in ports:
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.02)
            else:
                writer.close()
                break


def fetched(place: CachePlace) -> RPKIData:
    return asyncio.run(asyncio.wait_for(fetch(place), WAIT_S))


@pytest.mark.rfc("8210", "9.2")
@pytest.mark.mission("I8")
def test_a_cache_that_names_its_host_and_is_signed_for_is_believed(authority: Authority, tmp_path: Path) -> None:
    names = (x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
    with stayrtr(tmp_path, *authority.issue("both", *names)) as (clear, port):
        for host in ("localhost", "127.0.0.1"):
            assert len(fetched(CachePlace(host, port, TLSFiles(authority.path))).vrps) == 1
        with pytest.raises(WorldError, match=f"localhost port {port}: its certificate is refused: "):
            fetched(CachePlace("localhost", port, TLSFiles(Authority(tmp_path, "stranger").path)))
        with pytest.raises(WorldError, match="its certificate is refused: "):
            fetched(CachePlace("localhost", port, TLSFiles()))
        with pytest.raises(WorldError, match="No such file"):
            fetched(CachePlace("localhost", port, TLSFiles(tmp_path / "none.pem")))
        with pytest.raises(WorldError, match=f"localhost port {clear}: "):
            fetched(CachePlace("localhost", clear, TLSFiles(authority.path)))


@pytest.mark.rfc("8210", "9.2")
def test_a_certificate_for_another_host_or_by_its_common_name_alone_is_refused(
    authority: Authority, tmp_path: Path
) -> None:
    for certificate in (authority.issue("other", x509.DNSName("other.example")), authority.issue("localhost")):
        with stayrtr(tmp_path, *certificate) as (_, port), pytest.raises(WorldError, match="Hostname mismatch"):
            fetched(CachePlace("localhost", port, TLSFiles(authority.path)))


@asynccontextmanager
async def wants_a_certificate(authority: Authority, own: tuple[Path, Path], cache: int) -> AsyncIterator[int]:
    """Give the port of a front for a cache that lets in who shows a certificate of the authority."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=authority.path)
    context.load_cert_chain(*own)
    context.verify_mode = ssl.CERT_REQUIRED

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while octets := await reader.read(65536):
                writer.write(octets)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()

    tasks: list[asyncio.Task[None]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind, ahead = await asyncio.open_connection("127.0.0.1", cache)
        tasks.extend((asyncio.create_task(pass_on(reader, ahead)), asyncio.create_task(pass_on(behind, writer))))

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)


@pytest.mark.rfc("8210", "9.2")
def test_a_cache_that_asks_who_we_are_is_shown_our_certificate(authority: Authority, tmp_path: Path) -> None:
    own = authority.issue("front", x509.DNSName("localhost"))
    certificate, key = authority.issue("router", x509.DNSName("router.example"))

    async def run(cache: int) -> None:
        async with wants_a_certificate(authority, own, cache) as port, asyncio.timeout(WAIT_S):
            data = await fetch(CachePlace("localhost", port, TLSFiles(authority.path, certificate, key)))
            assert len(data.vrps) == 1
            with pytest.raises(WorldError, match="the cache closed the connection"):
                await fetch(CachePlace("localhost", port, TLSFiles(authority.path)))

    with stayrtr(tmp_path, *own) as (clear, _):
        asyncio.run(run(clear))
