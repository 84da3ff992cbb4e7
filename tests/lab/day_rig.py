"""The world of the scripted day: three PoPs with BIRD, an agent, nsd, nginx, Varnish and HAProxy; nine client networks;
a collector that hears eleven ASes; and what tells of it: telemetry at each PoP, probers, a watch."""

import json
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from anycastle.lab.namespaces import AgentOnBird, NamespacesLab
from anycastle.lab.netns import join, program, run
from anycastle.lab.topology import Node, Topology
from anycastle.lab.topology_file import read_topology
from anycastle.model.service import Quorum
from anycastle.slo.telemetry.measurements import Measurements

EDGE, DNS = "192.0.2.53", "198.51.100.53"
POPS = {"pop1": ("eu", 12), "pop2": ("na", 25), "pop3": ("ap", 50)}
"""PoP -> its region, and the milliseconds by which HAProxy holds each connection: the kernel here has no netem."""
CLIENTS = {f"c{n}": f"10.{100 + n}.0" for n in range(1, 10)}
HOMES = {"c1": "t1", "c2": "t1", "c3": "t1", "c4": "t2", "c5": "t2", "c6": "t2", "c7": "t1", "c8": "t2", "c9": "t2"}
REGIONS = {"eu": "DE", "na": "US", "ap": "SG"}
ATTACKER = "10.109.0.66"
ROGUE_PREFIX = "192.0.2.128/25"
TEST_PREFIX = "203.0.113.0/24"
"""What is toggled: t1 does as RFC 8326 says, t2 takes no notice of it."""
QUIET_S, SETTLE_S = 3.0, 3.0
"""The fleet's settling times: this Internet has eleven ASes, and no advertisement interval."""
NEEDED = ("haproxy", "varnishd", "varnishncsa", "nginx", "nsd", "bird", "nft")


def lacking() -> list[str]:
    found = f"{shutil.os.environ.get('PATH', '')}:/usr/sbin:/usr/bin:/sbin"
    return [name for name in NEEDED if shutil.which(name, path=found) is None]


def region_of(client: str) -> str:
    return {"t1": "eu", "t2": "na"}[HOMES[client]] if client not in ("c7", "c8", "c9") else "ap"


def asn_of(client: str) -> int:
    return 65_535 + int(client[1:])


def topology() -> Topology:
    place = "city: A, location: {latitude: 1, longitude: 2}"
    lines = ["name: day", "asn: 64500", "pops:"]
    lines += [f"  - {{name: {name}, {place}}}" for name in POPS]
    lines += ["transits:", f"  - {{name: t1, asn: 64496, {place}}}", f"  - {{name: t2, asn: 64497, {place}}}"]
    lines.append("clients:")
    lines += [
        f"  - {{name: {name}, asn: {asn_of(name)}, {place}, networks: [{network}.0/24]}}"
        for name, network in CLIENTS.items()
    ]
    lines += ["collectors:", f"  - {{name: ear, asn: 64510, {place}}}", "links:"]
    links = [("pop1", "t1", "customer"), ("pop2", "t2", "customer")]
    links += [("pop3", "t1", "customer, prepend: 1"), ("pop3", "t2", "customer, prepend: 1"), ("t1", "t2", "peer")]
    links += [(name, home, "customer") for name, home in HOMES.items()]
    links += [("pop3", name, "peer") for name in ("c7", "c8", "c9")]
    links += [(name, "ear", "monitor") for name in ("t1", "t2", *CLIENTS)]
    lines += [f"  - {{first: {first}, second: {second}, relation: {relation}}}" for first, second, relation in links]
    lines += [
        "services:",
        f"  - {{name: edge, prefix: 192.0.2.0/24, address: {EDGE}, pops: [pop1, pop2, pop3], floor: {{pops: 1}},",
        "     checks: [{name: web, interval: 1s, timeout: 900ms, http: {url: 'http://127.0.0.1/healthz'}},",
        "              {name: inside, interval: 1s, timeout: 900ms, http: {url: 'http://127.0.0.1:8082/'}}]}",
        f"  - {{name: dns, prefix: 198.51.100.0/24, address: {DNS}, pops: [pop1, pop2, pop3], floor: {{pops: 1}}}}",
        f"  - {{name: test, prefix: {TEST_PREFIX}, address: 203.0.113.53, pops: [pop1, pop2], floor: {{pops: 1}},",
        "     checks: [{name: inside, interval: 1s, timeout: 900ms, http: {url: 'http://127.0.0.1:8082/'}}]}",
        "timers: {check_interval: 1s, check_timeout: 500ms, fall: 3, rise: 2, hold_time: 9s, bfd: 200ms}",
    ]
    found = read_topology("day.yaml", "\n".join(lines).encode())
    assert found.topology is not None, [str(each) for each in found.findings]
    return found.topology


def one_check_is_enough(lab: NamespacesLab) -> None:
    """Let the edge serve while one of its two checks passes: a wrong one is then seen, and withdraws nothing."""
    services = tuple(replace(each, quorum=Quorum(1)) if each.name == "edge" else each for each in lab.fleet.services)
    lab.fleet = replace(lab.fleet, services=services)


class WebPoP(AgentOnBird):
    """A PoP with a web stack beside its name server."""

    def start(self, lab: NamespacesLab, node: Node) -> None:
        start_web(lab, node.name)
        super().start(lab, node)


def start_web(lab: NamespacesLab, pop: str) -> None:
    folder = lab.wiring.folder(pop)
    for name, text in {
        "nginx.conf": nginx_conf(folder, pop),
        "day.vcl": vcl(pop),
        "haproxy.cfg": haproxy_cfg(POPS[pop][1]),
        "filter.nft": NFT,
    }.items():
        (folder / name).write_text(text)
    lab.namespace(pop).run(program("nft"), "-f", str(folder / "filter.nft"))
    lab.spawn(f"echo9-{pop}", pop, sys.executable, "-m", "anycastle.lab.echo", pop, "127.0.0.1", "7001")
    lab.spawn(f"nginx-{pop}", pop, program("nginx"), "-c", str(folder / "nginx.conf"), "-e", str(folder / "nginx.err"))
    lab.spawn(
        f"varnish-{pop}", pop, program("varnishd"), "-F", "-a", "127.0.0.1:6081", "-f", str(folder / "day.vcl"),
        "-n", str(folder / "vsm"), "-s", "malloc,64m", "-j", "none", "-p", "thread_pool_min=20", "-T", "none",
    )  # fmt: skip
    lab.spawn(f"haproxy-{pop}", pop, program("haproxy"), "-db", "-f", str(folder / "haproxy.cfg"))


def start_varnishncsa(lab: NamespacesLab, pop: str) -> None:
    from anycastle.wire.access.varnish import FORMAT

    folder = lab.wiring.folder(pop)
    lab.namespace(pop).run(
        program("varnishncsa"), "-n", str(folder / "vsm"), "-j", "-F", FORMAT, "-t", "10",
        "-D", "-P", str(folder / "varnishncsa.pid"), "-a", "-w", str(folder / "varnish.log"),
        "-q", 'ReqURL ~ "^/(obj|private)"',
    )  # fmt: skip


def varnishncsa_pid(lab: NamespacesLab, pop: str) -> int:
    return int((lab.wiring.folder(pop) / "varnishncsa.pid").read_text())


def nginx_conf(folder: Path, pop: str) -> str:
    from anycastle.wire.access.nginx import LOG_FORMAT

    return f"""user root;
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/nginx.err;
events {{ worker_connections 512; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  {LOG_FORMAT}
  default_type text/plain;
  server {{
    listen 127.0.0.1:8080;
    if (-f {folder}/burst) {{ return 503; }}
    location /probe {{ add_header X-PoP {pop}; return 200 "hello from {pop}\\n"; }}
    location /obj/ {{ add_header Cache-Control "max-age=8"; return 200 "an object of some length\\n"; }}
    location /private/ {{ return 200 "yours alone\\n"; }}
  }}
  server {{
    listen 127.0.0.1:8082;
    if (-f {folder}/wrong) {{ return 500; }}
    location / {{ return 200 "well\n"; }}
  }}
  server {{
    listen 8081;
    access_log {folder}/nginx.log anycastle;
    if (-f {folder}/burst) {{ return 503; }}
    location = /static {{ return 200 "as ever\\n"; }}
    location / {{ return 404; }}
  }}
}}
"""


def vcl(pop: str) -> str:
    return f"""vcl 4.1;
backend default {{ .host = "127.0.0.1"; .port = "8080"; .first_byte_timeout = 1.5s; .connect_timeout = 1s; }}
sub vcl_recv {{
  if (req.url == "/healthz") {{ return (synth(200, "OK")); }}
  if (req.url ~ "^/(private|probe)") {{ return (pass); }}
}}
sub vcl_backend_response {{ set beresp.grace = 0s; set beresp.keep = 0s; }}
sub vcl_deliver {{
  set resp.http.X-PoP = "{pop}";
  if (req.url ~ "^/private") {{ set resp.http.X-Cache = "pass"; }}
  elsif (obj.hits > 0) {{ set resp.http.X-Cache = "hit"; }}
  else {{ set resp.http.X-Cache = "miss"; }}
}}
"""


def haproxy_cfg(delay_ms: int) -> str:
    from anycastle.wire.access.haproxy import HTTP_LOG_FORMAT, TCP_LOG_FORMAT

    return f"""global
  log stdout format raw local0 info
  maxconn 4000
defaults
  log global
  timeout connect 2s
  timeout client 10s
  timeout server 3s
  option dontlognull
frontend far
  mode tcp
  no log
  bind *:80
  tcp-request inspect-delay {delay_ms}ms
  tcp-request content accept if WAIT_END
  default_backend near
backend near
  mode tcp
  server web 127.0.0.1:8000 send-proxy-v2
frontend web
  mode http
  bind 127.0.0.1:8000 accept-proxy
  http-request set-log-level silent if {{ path /probe }}
  http-request set-log-level silent if {{ path /healthz }}
  {HTTP_LOG_FORMAT}
  default_backend cache
backend cache
  mode http
  server varnish 127.0.0.1:6081
frontend long
  mode tcp
  bind *:9000
  {TCP_LOG_FORMAT}
  timeout client 4s
  default_backend echo
backend echo
  mode tcp
  timeout server 10s
  server echo 127.0.0.1:7001
"""


NFT = f"""table inet edge {{
  counter clients {{ }}
  counter attack {{ }}
  set foreign {{ type ipv4_addr . inet_service; flags dynamic; size 65535; }}
  chain arriving {{
    type filter hook prerouting priority 0;
    iifname "lo" accept
    tcp dport 9000 tcp flags & (syn | ack) == ack ct state {{ new, invalid }} add @foreign {{ ip saddr . tcp sport }}
    udp dport 53 ip saddr {ATTACKER} counter name attack drop
    udp dport 53 counter name clients
  }}
}}
"""

SENT = f"""table inet sent {{
  counter dns {{ }}
  chain leaving {{
    type filter hook output priority 0;
    ip saddr != {ATTACKER} udp dport 53 ip daddr {{ {EDGE}, {DNS} }} counter name dns
  }}
}}
"""


# -- what tells of it -------------------------------------------------------------------------------------------------


def networks() -> str:
    return "networks:\n" + "".join(
        f"  - {{prefix: {network}.0/24, network: AS{asn_of(name)}, region: {region_of(name)}}}\n"
        for name, network in CLIENTS.items()
    )


def telemetry_file(lab: NamespacesLab, pop: str) -> Path:
    folder = lab.wiring.folder(pop)
    path = folder / "telemetry.yaml"
    path.write_text(f"""name: {pop}
pop: {pop}
region: {POPS[pop][0]}
cell: 5s
{networks()}access_logs:
  - {{name: edge, format: haproxy, path: {folder}/haproxy-{pop}.out, counts: [client_errors, session_disruption]}}
  - {{name: cache, format: varnish, path: {folder}/varnish.log, counts: [cache_hits]}}
  - {{name: static, format: nginx, path: {folder}/nginx.log, counts: [client_errors]}}
filters:
  - {{name: filter, table: edge, every: 1s, passed: [clients], dropped: [attack], foreign: foreign}}
""")
    return path


def start_telemetry(lab: NamespacesLab, pop: str) -> None:
    path = lab.wiring.folder(pop) / "telemetry.yaml"
    state = lab.wiring.folder(pop) / "telemetry"
    lab.spawn_anycastle(f"telemetry-{pop}", pop, "telemetry", "run", str(path), "--state-dir", str(state))


def start_prober(lab: NamespacesLab, client: str) -> Path:
    folder = lab.wiring.folder(client)
    out = folder / "results.ndjson"
    targets = "\n".join(
        f"  - {{name: {module}{number}, host: {host}, module: {module}, interval: 1s, timeout: 1s}}"
        for module, host, many in (("web", EDGE, 4), ("soa", DNS, 2))
        for number in range(many)
    )
    (folder / "prober.yaml").write_text(f"""name: {client}
asn: {asn_of(client)}
country: {REGIONS[region_of(client)]}
sites: {{pattern: "(pop[0-9])", authorised: [pop1, pop2, pop3]}}
modules:
  - {{name: web, http: {{tls: false, path: /probe, body_contains: hello, site_header: x-pop}}}}
  - {{name: soa, dns: {{name: example}}}}
targets:
{targets}
""")
    lab.spawn_anycastle(
        f"prober-{client}", client, "prober", "run", str(folder / "prober.yaml"), "--listen", "none",
        "--out", str(out), "--state-dir", str(folder / "prober"), "--seed", client[1:],
    )  # fmt: skip
    return out


def start_client(lab: NamespacesLab, client: str) -> Path:
    folder = lab.wiring.folder(client)
    out = folder / "counted.json"
    settings = {
        "source": f"{CLIENTS[client]}.1", "seed": int(client[1:]), "edge": EDGE, "dns": DNS, "out": str(out),
        "probe_s": 0.25, "dns_s": 0.5, "use_s": 0.12, "static_s": 0.5, "session_s": 0.5,
    }  # fmt: skip
    (folder / "client.json").write_text(json.dumps(settings))
    lab.spawn(f"client-{client}", client, sys.executable, "-m", "tests.lab.day_client", str(folder / "client.json"))
    return out


HEEDS = " if (65535, 0) ~ bgp_community then bgp_local_pref = 0;"
"""What a router of the lab does where it is told that a route is about to go (RFC 8326 §4)."""


def start_watch(lab: NamespacesLab) -> Path:
    """Start the watch, and sessions from eleven ASes to it. Give the watch's folder."""
    lab.add_namespace("watch")
    here = lab.namespace("watch")
    here.batch("link add name lan type bridge", "link set lan up", "addr add 10.99.0.1/24 dev lan")
    folder = lab.wiring.folder("watch")
    sessions = []
    for number, name in enumerate(("t1", "t2", *CLIENTS), 11):
        join(here, f"w{name}", lab.namespace(name), "watch")
        here.batch(f"link set w{name} master lan", f"link set w{name} up")
        lab.namespace(name).batch(f"addr add 10.99.0.{number}/24 dev watch", "link set watch up")
        asn = lab.topology.node(name).asn
        sessions.append(f"    - {{neighbour: 10.99.0.{number}, asn: {asn}, local_asn: 64999, families: [ipv4]}}\n")
        config = lab.wiring.folder(name) / "bird.conf"
        text = config.read_text()
        if name == "t2":
            assert HEEDS in text
            text = text.replace(HEEDS, "")
        config.write_text(
            f"{text}protocol bgp watch {{ local 10.99.0.{number} as {asn}; neighbor 10.99.0.1 as 64999;\n"
            " error wait time 1, 2; connect retry time 1; connect delay time 1; direct;\n"
            " ipv4 { import none; export all; }; }\n"
        )
        run(program("birdc"), "-s", str(lab.wiring.control_socket(name)), "configure")
    fleet = folder / "fleet"
    shutil.copytree(lab.fleet_dir, fleet)
    with (fleet / "fleet.yaml").open("a") as file:
        settling = f"{{quiet: {QUIET_S:g}s, horizon: 8s, toggle: {SETTLE_S:g}s}}"
        file.write(f"\nwatch:\n  thresholds: {{peers: 1, asns: 1}}\n  settling: {settling}\n  sessions:\n")
        file.writelines(sessions)
    logs = [word for pop in POPS for word in ("--events", str(lab.state_dir / pop / "events.db"))]
    lab.spawn_anycastle(
        "watch", "watch", "watch", "run", "--fleet", str(fleet), "--ris-live", "none", "--bgp", "10.99.0.1:179",
        *logs, "--state-dir", str(folder / "state"), "--run-dir", str(folder / "run"), "--listen", "none",
    )  # fmt: skip
    return folder


def central_file(lab: NamespacesLab, results: dict[str, Path], watch: Path) -> Path:
    path = lab.wiring.folder("watch") / "telemetry.yaml"
    lines = [f"  - {{name: {client}, path: {out}}}" for client, out in results.items()]
    path.write_text(
        f"name: central\ncell: 5s\n{networks()}probers:\n" + "\n".join(lines) + "\nwatches:\n"
        f"  - {{name: watch, path: {watch}/state/events.db, socket: {watch}/run/watch.sock}}\ntoggles:\n"
        f"  - {{name: toggles, socket: {watch}/run/watch.sock, prefix: {TEST_PREFIX}}}\nagents:\n"
        + "".join(
            f"  - {{name: agent-{pop}, pop: {pop}, region: {region}, path: {lab.state_dir}/{pop}/events.db,"
            " service: edge, targets: [web0, web1, web2, web3]}\n"
            for pop, (region, _) in POPS.items()
        )
    )
    return path


def fetched(lab: NamespacesLab, node: str) -> Measurements:
    from anycastle.io.telemetry.state import decode

    def ask() -> bytes:
        with urllib.request.urlopen("http://127.0.0.1:4318/measurements?window=1h", timeout=20) as answer:
            return answer.read()

    return decode(lab.namespace(node).call(ask))


def answers(lab: NamespacesLab, node: str) -> bool:
    try:
        fetched(lab, node)
    except OSError:
        return False
    return True


def counter(lab: NamespacesLab, node: str, table: str, name: str) -> int:
    told = json.loads(lab.namespace(node).run(program("nft"), "-j", "list", "counter", "inet", table, name))
    return next(each["counter"]["packets"] for each in told["nftables"] if "counter" in each)


def attack(lab: NamespacesLab, packets: int, seconds: float) -> subprocess.Popen[bytes]:
    """Send so many packets from the attacker's address."""
    text = (
        "import socket,time\n"
        f"s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM);s.bind(('{ATTACKER}',0))\n"
        f"for n in range({packets}):\n  s.sendto(b'x'*64,('{DNS}',53));time.sleep({seconds / packets})\n"
    )
    return lab.namespace("c9").spawn(sys.executable, "-c", text, log=lab.wiring.folder("c9") / "attack.out")


def rogue(lab: NamespacesLab, *, on: bool) -> None:
    """Have a client's router announce a part of the service's prefix as its own, or stop."""
    config = lab.wiring.folder("c4") / "bird.conf"
    text = config.read_text().replace(f"  route {ROGUE_PREFIX} blackhole;\n", "")
    if on:
        text = text.replace(
            "protocol static own {\n  ipv4;\n",
            f"protocol static own {{\n  ipv4;\n  route {ROGUE_PREFIX} blackhole;\n",
            1,
        )
    config.write_text(text)
    run(program("birdc"), "-s", str(lab.wiring.control_socket("c4")), "configure")


def at_times(began: float, script: list[tuple[float, str, object]]) -> Iterator[str]:
    """Do what is due at its time; give its name when it is done."""
    for due_s, name, act in script:
        time.sleep(max(0.0, began + due_s - time.monotonic()))
        act()  # type: ignore[operator]
        yield name
