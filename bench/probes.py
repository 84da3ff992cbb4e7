"""What a probe costs, and how punctual probes are: ours, and Debian's prometheus-blackbox-exporter in the same run.

First the rate: `anycastle prober run` on one core asks a real nsd 5,000 times a second and writes every result. Its
lateness is that of each result, from the planned time to the probe's beginning; the processor's time is the process's
own. Then side by side, per kind: the same questions to the same servers, a few hundred a second, with the CPU time of
each contestant per probe. blackbox-exporter probes when it is scraped, so it is scraped over kept connections; ours is
measured twice, by its own schedule, and by its page `/probe`, a connection each. What Prometheus itself spends to
scrape, read and store is in none of the figures.

Servers and the scraper run on the last core, the contestant alone on the first.
"""

import http.client
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from anycastle.lab.netns import Namespace, end, program

BIN = Path(sys.executable).parent
NAMESPACE = Namespace("anyc-bench-pb")
HOST = "127.0.0.1"
DNS_PORT, HTTP_PORT, BLACKBOX_PORT, OURS_PORT = 5300, 8000, 9115, 9479
CONNECTIONS = 8
WARM_UP_S = 3.0
START_S = 20.0
FIRST_CORE, LAST_CORE = "0", str((os.cpu_count() or 2) - 1)
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass
class Rate:
    """Many probes a second from one process on one core."""

    wanted_per_s: int
    done_per_s: float
    wrong: int
    late_ms_p50: float
    late_ms_p99: float
    late_ms_max: float
    late_over_20_ms: float
    """Share."""
    cpu_share: float
    """Of one core."""
    cpu_us_per_probe: float
    rtt_ms_p50: float
    memory_mb: float


@dataclass
class Cost:
    """CPU time of one probe."""

    contestant: str
    kind: str
    probes: int
    cpu_us_per_probe: float


def cpu_s(pid: int) -> float:
    """Give a process's CPU time, with that of all its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_A_SECOND


def memory_mb(pid: int) -> float:
    """Give a process's resident memory."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def spawn(core: str, folder: Path, *command: str, **environment: str) -> "subprocess.Popen[bytes]":
    settings = [f"{key}={value}" for key, value in environment.items()]
    name = Path(command[0]).name
    return NAMESPACE.spawn("env", *settings, "taskset", "-c", core, *command, log=folder / f"{name}.log")


def awaited(url: str) -> None:
    """Return once a page is served."""
    deadline = time.monotonic() + START_S
    while True:
        try:
            NAMESPACE.call(lambda: urllib.request.urlopen(url, timeout=2).read())
        except OSError as error:
            if time.monotonic() > deadline:
                raise click.ClickException(f"{url} is not served: {error}") from error
            time.sleep(0.05)
        else:
            return


@contextmanager
def servers(folder: Path) -> Iterator[None]:
    """nsd and nginx, on the last core."""
    (folder / "example.zone").write_text("$ORIGIN example.\n$TTL 60\n@ SOA ns h 7 3600 600 86400 60\n@ NS ns\n")
    (folder / "nsd.conf").write_text(
        f'server:\n  ip-address: {HOST}\n  port: {DNS_PORT}\n  zonesdir: "{folder}"\n  database: ""\n  username: ""\n'
        f'  pidfile: "{folder}/nsd.pid"\n  xfrdfile: "{folder}/xfrd.state"\n  zonelistfile: "{folder}/zone.list"\n'
        f'  xfrdir: "{folder}"\n  cookie-secret-file: ""\n  nsid: "ascii_fra1"\n  rrl-ratelimit: 0\n  server-count: 1\n'
        'remote-control:\n  control-enable: no\nzone:\n  name: "example"\n  zonefile: "example.zone"\n'
    )
    (folder / "page").write_text("hello\n")
    (folder / "nginx.conf").write_text(
        f"daemon off; worker_processes 1; user root; pid {folder}/nginx.pid; events {{ worker_connections 4096; }}\n"
        f"http {{ access_log off; server {{ listen {HOST}:{HTTP_PORT}; root {folder}; }} }}\n"
    )
    nsd = spawn(LAST_CORE, folder, program("nsd"), "-d", "-c", str(folder / "nsd.conf"))
    nginx = spawn(LAST_CORE, folder, program("nginx"), "-c", str(folder / "nginx.conf"), "-e", str(folder / "errors"))
    try:
        awaited(f"http://{HOST}:{HTTP_PORT}/page")
        yield
    finally:
        end(nginx)
        end(nsd)


def write_prober_file(path: Path, targets: int, interval: str, kind: str) -> None:
    """A file of one module and as many targets."""
    port = {"dns": DNS_PORT, "http": HTTP_PORT, "tcp": HTTP_PORT}[kind]
    row = f"host: {HOST}, port: {port}, module: {kind}, interval: {interval}"
    path.write_text(
        "name: bench\nunder_way: 5000\nmodules:\n  - {name: dns, dns: {name: example}}\n"
        "  - {name: http, http: {tls: false, path: /page}}\n  - {name: tcp, tcp: {}}\ntargets:\n"
        + "".join(f"  - {{name: t{number}, {row}}}\n" for number in range(targets))
    )


@contextmanager
def prober(folder: Path, *options: str) -> Iterator[int]:
    """Our prober on the first core; gives its process."""
    process = spawn(
        FIRST_CORE, folder, str(BIN / "anycastle"), "prober", "run", str(folder / "prober.yaml"),
        "--state-dir", str(folder / "state"), "--listen", f"{HOST}:{OURS_PORT}", *options,
    )  # fmt: skip
    try:
        awaited(f"http://{HOST}:{OURS_PORT}/healthz")
        yield process.pid
    finally:
        end(process)


def results(path: Path, begin: float, until: float) -> list[dict]:
    """Give results of a span of time."""
    with path.open() as file:
        rows = [json.loads(line) for line in file if line.endswith("\n")]
    return [row for row in rows if begin <= row["at"] < until]


def spent(folder: Path, per_s: int, kind: str, span_s: float) -> tuple[list[dict], float, float, float]:
    """Run our schedule, each target five times a second: results, CPU seconds, the span, megabytes."""
    write_prober_file(folder / "prober.yaml", per_s // 5, "200ms", kind)
    out = folder / f"out-{kind}-{per_s}.ndjson"
    with prober(folder, "--out", str(out), "--seed", "1") as pid:
        time.sleep(WARM_UP_S)
        begin, before = time.time(), cpu_s(pid)
        time.sleep(span_s)
        used, until, memory = cpu_s(pid) - before, time.time(), memory_mb(pid)
    return results(out, begin, until), used, until - begin, memory


def measure_rate(folder: Path, per_s: int, span_s: float) -> Rate:
    """Probe as often as is wanted, and see what comes of it."""
    rows, used, passed_s, memory = spent(folder, per_s, "dns", span_s)
    late = sorted(row["late_ms"] for row in rows)
    right = sorted(row["duration_ms"] for row in rows if row["failure"] is None)
    return Rate(
        wanted_per_s=per_s,
        done_per_s=len(rows) / passed_s,
        wrong=sum(row["failure"] is not None for row in rows),
        late_ms_p50=late[len(late) // 2],
        late_ms_p99=late[int(len(late) * 0.99)],
        late_ms_max=late[-1],
        late_over_20_ms=sum(each > 20 for each in late) / len(late),
        cpu_share=used / passed_s,
        cpu_us_per_probe=used / len(rows) * 1e6,
        rtt_ms_p50=right[len(right) // 2],
        memory_mb=memory,
    )


def scrape(port: int, path: str, probes: int, per_s: int, *, kept: bool) -> None:
    """Ask for a page so many times, evenly; each answer must say that the probe was right."""
    failed: list[str] = []
    begin = time.monotonic() + 0.1

    def some(first: int) -> None:
        connection = http.client.HTTPConnection(HOST, port, timeout=10)
        for number in range(first, probes, CONNECTIONS):
            time.sleep(max(0.0, begin + number / per_s - time.monotonic()))
            if not kept:
                connection = http.client.HTTPConnection(HOST, port, timeout=10)
            connection.request("GET", path)
            body = connection.getresponse().read()
            if b"\nprobe_success 1" not in body:
                failed.append(body.decode())
            if not kept:
                connection.close()
        connection.close()

    def in_namespace(first: int) -> None:
        NAMESPACE.call(lambda: some(first))

    threads = [threading.Thread(target=in_namespace, args=(first,)) for first in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise click.ClickException(f"{len(failed)} of {probes} probes of {path} failed, such as:\n{failed[0]}")


def measure_scraped(pid: int, name: str, kind: str, port: int, path: str, probes: int, per_s: int, kept: bool) -> Cost:
    """Give the CPU time of a probe that a scrape asks for."""
    scrape(port, path, per_s, per_s, kept=kept)  # warm
    before = cpu_s(pid)
    scrape(port, path, probes, per_s, kept=kept)
    return Cost(name, kind, probes, (cpu_s(pid) - before) / probes * 1e6)


def measure_costs(folder: Path, kinds: tuple[str, ...], per_s: int, span_s: float) -> list[Cost]:
    """Every contestant with every kind."""
    costs: list[Cost] = []
    probes = int(per_s * span_s)
    blackbox = program("prometheus-blackbox-exporter")
    (folder / "blackbox.yaml").write_text(
        "modules:\n"
        "  dns: {prober: dns, timeout: 5s, dns: {query_name: example, query_type: SOA, preferred_ip_protocol: ip4}}\n"
        "  http: {prober: http, timeout: 5s, http: {preferred_ip_protocol: ip4}}\n"
        "  tcp: {prober: tcp, timeout: 5s, tcp: {preferred_ip_protocol: ip4}}\n"
    )
    targets = {"dns": f"{HOST}:{DNS_PORT}", "http": f"http://{HOST}:{HTTP_PORT}/page", "tcp": f"{HOST}:{HTTP_PORT}"}
    for kind in kinds:
        path = f"/probe?target={targets[kind]}&module={kind}"
        process = spawn(
            FIRST_CORE, folder, blackbox, f"--config.file={folder}/blackbox.yaml",
            f"--web.listen-address={HOST}:{BLACKBOX_PORT}", GOMAXPROCS="1",
        )  # fmt: skip
        try:
            awaited(f"http://{HOST}:{BLACKBOX_PORT}/-/healthy")
            costs.append(
                measure_scraped(process.pid, "blackbox-exporter", kind, BLACKBOX_PORT, path, probes, per_s, True)
            )
        finally:
            end(process)
        write_prober_file(folder / "prober.yaml", 1, "1h", kind)
        with prober(folder) as pid:
            costs.append(measure_scraped(pid, "ours, /probe", kind, OURS_PORT, path, probes, per_s, False))
        rows, used, _passed_s, _memory = spent(folder, per_s, kind, span_s)
        wrong = sum(row["failure"] is not None for row in rows)
        if wrong:
            raise click.ClickException(f"{wrong} of {len(rows)} probes of our schedule failed")
        costs.append(Cost("ours, scheduled", kind, len(rows), used / len(rows) * 1e6))
    return costs


def rate_in_words(measured: Rate) -> str:
    """Give it as one line."""
    return (
        f"DNS probes a second of a process on one core: {measured.wanted_per_s} wanted, {measured.done_per_s:.0f} done,"
        f" {measured.wrong} wrong; late p50 {measured.late_ms_p50:.2f} ms, p99 {measured.late_ms_p99:.2f} ms,"
        f" most {measured.late_ms_max:.1f} ms, over 20 ms {measured.late_over_20_ms:.3%}; {measured.cpu_share:.0%} of"
        f" the core, {measured.cpu_us_per_probe:.0f} us a probe, rtt p50 {measured.rtt_ms_p50:.3f} ms,"
        f" {measured.memory_mb:.0f} MB"
    )


@click.command(short_help="What a probe costs and how punctual it is: ours and blackbox-exporter.")
@click.option("--rate", type=int, default=5000, show_default=True, help="Probes a second of the first part.")
@click.option("--span", type=float, default=20.0, show_default=True, help="Seconds of the first part.")
@click.option("--beside", type=int, default=400, show_default=True, help="Probes a second side by side.")
@click.option("--beside-span", type=float, default=6.0, show_default=True, help="Seconds of each of those.")
@click.option("--kind", "kinds", multiple=True, type=click.Choice(["dns", "http", "tcp"]),
              default=("dns", "tcp", "http"), show_default=True)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def main(rate: int, span: float, beside: int, beside_span: float, kinds: tuple[str, ...], as_json: bool) -> None:
    """Measure, and print."""
    if os.geteuid() != 0:
        raise click.ClickException("network namespaces need root")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-probes-")))
        NAMESPACE.remove()
        NAMESPACE.make()
        stack.callback(NAMESPACE.remove)
        stack.enter_context(servers(folder))
        measured = measure_rate(folder, rate, span)
        if not as_json:
            click.echo(rate_in_words(measured))
        costs = measure_costs(folder, kinds, beside, beside_span)
    if as_json:
        click.echo(json.dumps({"rate": asdict(measured), "costs": [asdict(cost) for cost in costs]}, indent=2))
        return
    for kind in kinds:
        of_kind = {cost.contestant: cost for cost in costs if cost.kind == kind}
        peer = of_kind["blackbox-exporter"].cpu_us_per_probe
        for cost in of_kind.values():
            click.echo(
                f"{kind:5} {cost.contestant:18} {cost.cpu_us_per_probe:7.0f} us of CPU a probe,"
                f" {cost.cpu_us_per_probe / peer:5.2f} of the peer ({cost.probes} probes)"
            )


if __name__ == "__main__":
    main()
