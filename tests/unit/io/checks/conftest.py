"""Real servers on loopback for the checks to ask."""

import contextlib
import datetime as dt
import ipaddress
import random
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Serve = Callable[..., int]


def open_descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


@pytest.fixture(autouse=True)
def no_descriptor_leaks() -> Iterator[None]:
    before = open_descriptors()
    yield
    assert open_descriptors() <= before


@pytest.fixture
def serve(no_descriptor_leaks: None) -> Iterator[Serve]:
    """`serve(handler, host=, tls=)` runs `handler(connection)` for each connection in threads; gives the port."""
    with contextlib.ExitStack() as stack:

        def start(
            handler: Callable[[socket.socket], None], host: str = "127.0.0.1", tls: ssl.SSLContext | None = None
        ) -> int:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            listener = socket.socket(family, socket.SOCK_STREAM)
            listener.bind((host, 0))
            listener.listen(64)
            thread = threading.Thread(target=_accept, args=(listener, handler, tls), daemon=True)
            thread.start()
            stack.callback(_stop, listener, thread)
            return int(listener.getsockname()[1])

        yield start


def _stop(listener: socket.socket, thread: threading.Thread) -> None:
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(5)
    assert not thread.is_alive()


def _accept(listener: socket.socket, handler: Callable[[socket.socket], None], tls: ssl.SSLContext | None) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        connection.settimeout(5)
        # The peer may go away at any point: that is what many of the tests are about.
        with connection, contextlib.suppress(OSError):
            if tls is None:
                handler(connection)
            else:
                with tls.wrap_socket(connection, server_side=True) as secured:
                    handler(secured)


@pytest.fixture
def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port whose queue of connections is full: a connection attempt gets no answer at all."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(3):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        yield int(listener.getsockname()[1])


class Authority:
    """A certificate authority whose certificates last for as many days as a test wants."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test authority")])
        certificate = self._build(self._name, self._key.public_key(), 365, authority=True)
        self.file = folder / "ca.pem"
        self.file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def server(self, days: float = 90, name: str = "www.example", alpn: tuple[str, ...] = ()) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate = self._build(subject, key.public_key(), days, name=name)
        file = self._folder / f"server-{days}-{name}.pem"
        file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        if alpn:
            context.set_alpn_protocols(list(alpn))
        return context

    def _build(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePublicKey,
        days: float,
        *,
        authority: bool = False,
        name: str = "authority.example",
    ) -> x509.Certificate:
        now = dt.datetime.now(dt.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=400))
            .not_valid_after(now + dt.timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(
                x509.SubjectAlternativeName([x509.DNSName(name), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
                critical=False,
            )
            .sign(self._key, hashes.SHA256())
        )


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


ZONE = """\
$ORIGIN example.
$TTL 60
@ SOA ns hostmaster 7 3600 600 86400 60
@ NS ns
ns A 192.0.2.53
ns AAAA 2001:db8::53
@ TXT "pop one"
big TXT {big}
"""


def is_free(port: int) -> bool:
    """Tell whether a server may have a port. Those below the ephemeral ones are taken by no client meanwhile."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp, socket.socket() as tcp:
        try:
            udp.bind(("127.0.0.1", port))
            tcp.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


@pytest.fixture(scope="session")
def nsd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A real name server, authoritative for `example.`, on 127.0.0.1 and ::1; gives its port."""
    program = shutil.which("nsd", path="/usr/sbin:/usr/bin")
    if program is None:
        pytest.skip("nsd is not installed (Debian package nsd)")
    folder = tmp_path_factory.mktemp("nsd")
    port = next(filter(is_free, (random.randrange(10_000, 30_000) for _ in range(100))))
    (folder / "example.zone").write_text(ZONE.format(big=" ".join(f'"{"x" * 250}"' for _ in range(20))))
    (folder / "nsd.conf").write_text(
        f"""server:
  ip-address: 127.0.0.1
  ip-address: ::1
  port: {port}
  zonesdir: "{folder}"
  database: ""
  username: ""
  pidfile: "{folder}/nsd.pid"
  xfrdfile: "{folder}/xfrd.state"
  zonelistfile: "{folder}/zone.list"
  xfrdir: "{folder}"
  cookie-secret-file: ""
  identity: "pop1"
  nsid: "ascii_pop1"
  rrl-ratelimit: 0
  server-count: 1
remote-control:
  control-enable: no
zone:
  name: "example"
  zonefile: "example.zone"
"""
    )
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([program, "-d", "-c", str(folder / "nsd.conf")], stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 10
        while not _accepts(port):
            assert process.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < deadline, (folder / "log").read_text()
            threading.Event().wait(0.02)
        yield port
    finally:
        process.terminate()
        process.wait(10)


def _accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
