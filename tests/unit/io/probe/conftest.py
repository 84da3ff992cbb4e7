"""Real servers on loopback: nsd, nginx with HTTP/1.1 and HTTP/2, unbound with DNS over TLS and HTTPS."""

import random
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.unit.io.checks.conftest import (
    Authority,
    authority,
    closed_port,
    is_free,
    no_descriptor_leaks,
    nsd,
    serve,
    silent_port,
)

__all__ = ["authority", "closed_port", "no_descriptor_leaks", "nsd", "serve", "silent_port"]


@dataclass(frozen=True)
class Nginx:
    """Ports of the server, and its authority's file."""

    plain: int
    secure: int
    h2: int
    h2_plain: int
    ca_file: str


@pytest.fixture(scope="session")
def nginx(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[Nginx]:
    program = shutil.which("nginx", path="/usr/sbin:/usr/bin")
    if program is None:
        pytest.skip("nginx is not installed (Debian package nginx-light)")
    folder = tmp_path_factory.mktemp("nginx")
    found = Nginx(*free_ports(4), ca_file=str(authority.file))
    certificate = certificate_of(authority, folder)
    (folder / "nginx.conf").write_text(_configuration(folder, found, certificate))
    with (folder / "log").open("wb") as log:
        command = [program, "-c", str(folder / "nginx.conf"), "-e", str(folder / "log")]
        process = subprocess.Popen(command, stdout=log, stderr=log)
    with awaited(process, folder / "log", found.plain, found.secure, found.h2, found.h2_plain):
        yield found


def free_ports(number: int) -> list[int]:
    return [port for port in random.sample(range(10_000, 30_000), 60) if is_free(port)][:number]


def certificate_of(authority: Authority, folder: Path) -> Path:
    """Certificate and key of www.example, 60 days, in one file."""
    authority.server(days=60, name="www.example")
    return Path(shutil.copy(authority.file.parent / "server-60-www.example.pem", folder / "server.pem"))


@contextmanager
def awaited(process: "subprocess.Popen[bytes]", log: Path, *ports: int) -> Iterator[None]:
    """A server once it accepts at all its ports; ended afterwards."""
    try:
        deadline = time.monotonic() + 10
        while not all(_accepts(port) for port in ports):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            threading.Event().wait(0.02)
        yield
    finally:
        process.terminate()
        process.wait(10)


def _accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _configuration(folder: Path, ports: Nginx, certificate: Path) -> str:
    (folder / "page").write_text("hello from fra\n")
    (folder / "large").write_bytes(b"x" * 3_000_000)
    locations = f"""
    root {folder};
    server_name www.example;
    add_header X-Served-By fra1-edge always;
    location /missing {{ return 404; }}
"""
    tls = f"ssl_certificate {certificate}; ssl_certificate_key {certificate};"
    return f"""daemon off;
worker_processes 1;
user root;
pid {folder}/pid;
error_log {folder}/log;
events {{ worker_connections 512; }}
http {{
  access_log off;
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{ listen 127.0.0.1:{ports.plain}; {locations} }}
  server {{ listen 127.0.0.1:{ports.secure} ssl; {tls} {locations} }}
  server {{ listen 127.0.0.1:{ports.h2} ssl http2; {tls} {locations} }}
  server {{ listen 127.0.0.1:{ports.h2_plain} http2; {locations} }}
}}
"""


@dataclass(frozen=True)
class Unbound:
    """Ports of the server, and its authority's file."""

    plain: int
    tls: int
    https: int
    ca_file: str


@pytest.fixture(scope="session")
def unbound(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[Unbound]:
    program = shutil.which("unbound", path="/usr/sbin:/usr/bin")
    if program is None:
        pytest.skip("unbound is not installed (Debian package unbound)")
    folder = tmp_path_factory.mktemp("unbound")
    found = Unbound(*free_ports(3), ca_file=str(authority.file))
    certificate = certificate_of(authority, folder)
    (folder / "unbound.conf").write_text(
        f"""server:
  directory: "{folder}"
  chroot: ""
  username: ""
  pidfile: ""
  use-syslog: no
  logfile: "{folder}/log"
  interface: 127.0.0.1@{found.plain}
  interface: 127.0.0.1@{found.tls}
  interface: 127.0.0.1@{found.https}
  port: {found.plain}
  tls-port: {found.tls}
  https-port: {found.https}
  tls-service-key: "{certificate}"
  tls-service-pem: "{certificate}"
  identity: "ams2.example"
  nsid: "ascii_ams2.example"
  module-config: "iterator"
  local-zone: "example." static
  local-data: "www.example. 60 IN A 192.0.2.80"
remote-control:
  control-enable: no
"""
    )
    log = folder / "log"
    log.touch()
    process = subprocess.Popen([program, "-d", "-c", str(folder / "unbound.conf")], stderr=subprocess.DEVNULL)
    with awaited(process, log, found.plain, found.tls, found.https):
        yield found
