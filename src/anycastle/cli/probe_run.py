"""`anycastle probe run`: one probe, now, from here, with its phases."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from anycastle.cli.output import Form, output_option
from anycastle.cli.probe_shots import probe_and_print

F = TypeVar("F", bound=Callable[..., Any])

TARGET = click.argument("target")
_READ = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group("run")
def run() -> None:
    """Probe a target now, and show the phases: where the time goes, who answered, and what failed.

    Exits with 4 where a probe failed.

    \b
    Examples:
      anycastle probe run dns 192.0.2.53 --name example.com --identity id.server
      anycastle probe run http https://www.example.com/ --http 2 --site-header x-served-by
      anycastle probe run icmp 2001:db8::53 --count 5
    """


def _common(command: F) -> F:
    """Give a command the options that every kind has."""
    options: Sequence[Callable[[F], F]] = (
        TARGET,
        click.option("--count", type=click.IntRange(1, 1000), default=1, show_default=True, help="Probes."),
        click.option("--interval", type=click.FloatRange(0.0, 3600), default=1.0, show_default=True, metavar="SECONDS",
                     help="From one to the next."),
        click.option("--timeout", type=click.FloatRange(0.001, 300), default=4.0, show_default=True, metavar="SECONDS",
                     help="How long one may take."),
        click.option("--pattern", metavar="REGEX", help="Finds the PoP in the server's name, as its one group."),
        click.option("--authorised", multiple=True, metavar="POP", help="A PoP that may answer; any may by default."),
        output_option(Form.TABLE, Form.JSON, Form.NDJSON),
    )  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


def _verified(command: F) -> F:
    """Give a command the options of TLS."""
    for option in (
        click.option("--ca-file", type=_READ, help="Authorities to verify with. [default: the system's]"),
        click.option("--insecure", is_flag=True, help="Do not verify the certificate."),
        click.option("--server-name", help="For SNI and verification. [default: the target's host]"),
    ):
        command = option(command)
    return command


_PORT = click.option("--source-port", type=click.IntRange(1, 65535), help="UDP port to ask from. [default: varied]")


@run.command("icmp")
@_common
@click.option("--size", type=click.IntRange(8, 65_499), default=56, show_default=True, help="Octets of data.")
def icmp(size: int, **common: Any) -> None:
    """Ping.

    \b
    Example:
      anycastle probe run icmp 192.0.2.53 --count 5
    """
    from anycastle.probe.kinds.icmp import ICMPAsk

    probe_and_print(ICMPAsk(size), **common)


@run.command("udp")
@_common
@click.option("--size", type=click.IntRange(8, 65_507), default=64, show_default=True, help="Octets of the datagram.")
@_PORT
def udp(size: int, **common: Any) -> None:
    """Send a datagram to an echo server (RFC 862).

    \b
    Example:
      anycastle probe run udp 192.0.2.7:7 --size 1400
    """
    from anycastle.probe.kinds.udp import UDPAsk

    probe_and_print(UDPAsk(size), **common)


@run.command("tcp")
@_common
@click.option("--send", help="Text to send.")
@click.option("--expect", help="Text that must come.")
def tcp(send: str | None, expect: str | None, **common: Any) -> None:
    """Connect.

    \b
    Example:
      anycastle probe run tcp 192.0.2.25:25 --expect 220
    """
    from anycastle.probe.kinds.tcp import TCPAsk

    probe_and_print(TCPAsk(send.encode() if send else None, expect.encode() if expect else None), **common)


@run.command("tls")
@_common
@_verified
@click.option("--alpn", multiple=True, help="A protocol to offer.")
@click.option("--days-left", type=click.IntRange(0, 3650), help="Days that the certificate must be valid.")
def tls(
    ca_file: Path | None, insecure: bool, server_name: str | None, alpn: tuple[str, ...], days_left: int | None,
    **common: Any,
) -> None:  # fmt: skip
    """Shake hands.

    \b
    Example:
      anycastle probe run tls www.example.com --alpn h2 --days-left 14
    """
    from anycastle.probe.kinds.tls import TLSAsk

    probe_and_print(TLSAsk(server_name, not insecure, _text(ca_file), alpn, days_left), **common)


@run.command("http")
@_common
@_verified
@click.option(
    "--http", "version", type=click.Choice(["1.1", "2", "3"]), default="1.1", show_default=True, help="Version."
)
@click.option("--method", type=click.Choice(["GET", "HEAD"]), default="GET", show_default=True, help="Method.")
@click.option(
    "--status", "statuses", type=click.IntRange(100, 599), multiple=True, help="A status that is right. [200]"
)
@click.option("--contains", help="Text that the body must contain.")
@click.option("--site-header", default="", help="Header in which the server names itself, such as x-served-by.")
def http(
    ca_file: Path | None, insecure: bool, server_name: str | None, version: str, method: str,
    statuses: tuple[int, ...], contains: str | None, site_header: str, **common: Any,
) -> None:  # fmt: skip
    """Ask for an URL.

    \b
    Example:
      anycastle probe run http https://www.example.com/ --http 2 --contains hello
    """
    from anycastle.probe.kinds.http import HTTPAsk

    ask = HTTPAsk(
        method=method, version=version, host=server_name, statuses=statuses or (200,), body_contains=contains,
        site_header=site_header, verify=not insecure, ca_file=_text(ca_file),
    )  # fmt: skip
    probe_and_print(ask, **common)


@run.command("dns")
@_common
@_verified
@click.option("--name", default=".", show_default=True, help="What is asked for.")
@click.option("--type", "record_type", default="SOA", show_default=True, help="Record type.")
@click.option("--transport", type=click.Choice(["udp", "tcp", "tls", "https", "quic"]), default="udp",
              show_default=True, help="Over what.")  # fmt: skip
@click.option("--identity", type=click.Choice(["id.server", "hostname.bind"]), default=None,
              help="A second question of class CHAOS, by which the server names itself.")  # fmt: skip
@click.option("--recursion", is_flag=True, help="Ask a resolver: set RD.")
@click.option("--rcode", default="NOERROR", show_default=True, help="Response code that is right.")
@click.option("--answer", help="Text of an A, AAAA or TXT record that must be in the answer.")
@click.option("--path", default="/dns-query", show_default=True, help="Of DNS over HTTPS.")
@_PORT
def dns(
    ca_file: Path | None, insecure: bool, server_name: str | None, name: str, record_type: str, transport: str,
    identity: str | None, recursion: bool, rcode: str, answer: str | None, path: str, **common: Any,
) -> None:  # fmt: skip
    """Ask a name server; its NSID (RFC 5001) is always asked for.

    \b
    Example:
      anycastle probe run dns 192.0.2.53 --name example.com --transport tls --identity id.server
    """
    from anycastle.probe.kinds.dns import DNSAsk
    from anycastle.wire.dns_query import encode_name, parse_type

    encode_name(name)
    ask = DNSAsk(
        name, str(record_type).upper(), transport, identity=identity or "", recursion=recursion, rcode=rcode.upper(),
        answer=answer, server_name=server_name, verify=not insecure, ca_file=_text(ca_file), path=path,
    )  # fmt: skip
    parse_type(ask.record_type)
    probe_and_print(ask, **common)


@run.command("traceroute")
@_common
@click.option("--protocol", type=click.Choice(["udp", "icmp", "tcp"]), default="udp", show_default=True,
              help="Of the probes; tcp sends SYNs to port 443, or the target's.")  # fmt: skip
@click.option("--hops", type=click.IntRange(1, 64), default=30, show_default=True, help="Hops at most.")
@click.option("--tries", type=click.IntRange(1, 10), default=3, show_default=True, help="Probes a hop.")
@_PORT
def traceroute(protocol: str, hops: int, tries: int, **common: Any) -> None:
    """Show the hops of one path (Paris traceroute): a load balancer takes all probes the same way.

    \b
    Example:
      anycastle probe run traceroute 192.0.2.53 --timeout 20 --source-port 40000
    """
    from anycastle.probe.kinds.traceroute import TraceAsk

    probe_and_print(TraceAsk(protocol, hops, tries), **common)


@run.command("mtu")
@_common
@click.option("--max", "octets_max", type=click.IntRange(576, 65_535), default=1500, show_default=True,
              help="Largest packet that is tried.")  # fmt: skip
@click.option("--min", "octets_min", type=click.IntRange(576, 65_535), help="Octets that must pass.")
@click.option("--tries", type=click.IntRange(1, 10), default=3, show_default=True, help="Packets of a size.")
def mtu(octets_max: int, octets_min: int | None, tries: int, **common: Any) -> None:
    """Find the path's MTU, and whether larger packets vanish without a word (a black hole).

    \b
    Example:
      anycastle probe run mtu 2001:db8::53 --timeout 20
    """
    from anycastle.base.errors import MisuseError
    from anycastle.probe.kinds.mtu import MTUAsk

    if octets_min is not None and octets_min > octets_max:
        raise MisuseError(f"--min {octets_min} is not tried: --max is {octets_max}")
    probe_and_print(MTUAsk(octets_max, octets_min, tries), **common)


@run.command("large-body")
@_common
@_verified
@click.option("--small-path", default="/", show_default=True, help="Page of 1 kB or less.")
@click.option("--stall", type=click.FloatRange(0.1, 60), default=2.0, show_default=True, metavar="SECONDS",
              help="Silence of so long is a stall.")  # fmt: skip
def large_body(
    ca_file: Path | None, insecure: bool, server_name: str | None, small_path: str, stall: float, **common: Any
) -> None:
    """Ask for a small body, then for the URL's large one; where that stalls, again in small segments.

    \b
    Example:
      anycastle probe run large-body https://www.example.com/200kB.bin --timeout 20
    """
    from anycastle.probe.kinds.large_body import LargeBodyAsk

    ask = LargeBodyAsk(
        "/", small_path, host=server_name, stall_s=stall, verify=not insecure, ca_file=_text(ca_file)
    )  # fmt: skip
    probe_and_print(ask, **common)


@run.command("session")
@_common
@_verified
@click.option("--speaks", type=click.Choice(["text", "http", "dns"]), default="http", show_default=True,
              help="What is said: lines, HEAD, or the question for the server's name.")  # fmt: skip
@click.option("--hold", type=click.FloatRange(0.1, 86_400), default=60.0, show_default=True, metavar="SECONDS",
              help="How long.")  # fmt: skip
@click.option("--every", type=click.FloatRange(0.05, 3600), default=5.0, show_default=True, metavar="SECONDS",
              help="From one question to the next.")  # fmt: skip
@click.option("--answer-timeout", type=click.FloatRange(0.05, 60), default=3.0, show_default=True, metavar="SECONDS",
              help="Silence of so long ends it.")  # fmt: skip
@click.option("--tls", is_flag=True, help="Over TLS.")
@click.option("--path", default="/", show_default=True, help="Of HTTP.")
@click.option("--site-header", default="", help="Of HTTP: header in which the server names itself.")
@click.option("--identity", type=click.Choice(["id.server", "hostname.bind"]), default="id.server",
              show_default=True, help="Of DNS: the question.")  # fmt: skip
@click.option("--send", default="", help="Of text: the line that is sent.")
def session(
    ca_file: Path | None, insecure: bool, server_name: str | None, speaks: str, hold: float, every: float,
    answer_timeout: float, tls: bool, path: str, site_header: str, identity: str, send: str, **common: Any,
) -> None:  # fmt: skip
    """Hold a session, and tell how long it lived, why it ended, and who answers now. Its time is not in --timeout.

    \b
    Example:
      anycastle probe run session 192.0.2.53 --speaks dns --hold 600 --pattern '(fra|ams)'
    """
    from anycastle.base.errors import MisuseError
    from anycastle.probe.kinds.session import SessionAsk

    if answer_timeout > every:
        raise MisuseError(f"--answer-timeout {answer_timeout:g} is longer than --every {every:g}")
    ask = SessionAsk(
        speaks, hold, every, answer_timeout, tls, server_name, path, site_header, identity, f"{send}\n".encode(),
        verify=not insecure, ca_file=_text(ca_file),
    )  # fmt: skip
    common["timeout"] += ask.timeout_s_min
    probe_and_print(ask, **common)


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)
