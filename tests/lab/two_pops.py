"""Two PoPs behind one anycast address, each with a real name server, and a vantage point whose route leads to one."""

import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from anycastle.lab.netns import Namespace, end, join

ANYCAST = "192.0.2.53"
ANYCAST_6 = "2001:db8:53::53"


@dataclass
class Network:
    """The vantage point's namespace, with an interface to each PoP's."""

    here: Namespace
    pops: dict[str, Namespace]
    folder: Path
    servers: "dict[str, subprocess.Popen[bytes]]" = field(default_factory=dict)

    def lead_to(self, pop: str) -> None:
        """Have the Internet lead to one PoP, as a route that changes does."""
        number = 1 + list(self.pops).index(pop)
        self.here.batch(
            f"route replace {ANYCAST}/32 via 10.98.{number}.2",
            f"route replace {ANYCAST_6}/128 via 2001:db8:98:{number}::2",
        )

    def get(self, path: str) -> tuple[int, str]:
        """GET a page of the prober."""

        def ask() -> tuple[int, str]:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:9479{path}", timeout=10) as answer:
                    return answer.status, answer.read().decode()
            except urllib.error.HTTPError as error:
                return error.code, error.read().decode()
            except OSError:
                return 0, ""

        return self.here.call(ask)


@contextmanager
def two_pops(prefix: str, folder: Path) -> Iterator[Network]:
    """The network, leading to fra. Names of namespaces begin with `prefix`."""
    here = Namespace(f"{prefix}-here")
    pops = {"fra": Namespace(f"{prefix}-fra"), "ams": Namespace(f"{prefix}-ams")}
    found = Network(here, pops, folder)
    with ExitStack() as stack:
        for each in (here, *pops.values()):
            each.remove()
            each.make()
            stack.callback(each.remove)
        for number, (name, pop) in enumerate(pops.items(), 1):
            join(here, name, pop, "eth")
            here.batch(
                f"addr add 10.98.{number}.1/24 dev {name}",
                f"addr add 2001:db8:98:{number}::1/64 dev {name} nodad",
                f"link set {name} up",
            )
            pop.batch(
                f"addr add 10.98.{number}.2/24 dev eth", f"addr add 2001:db8:98:{number}::2/64 dev eth nodad",
                f"addr add {ANYCAST}/32 dev lo", f"addr add {ANYCAST_6}/128 dev lo nodad", "link set eth up",
                # A client keeps its address when its route moves: both PoPs find back to all of them.
                f"route add default via 10.98.{number}.1", f"route add default via 2001:db8:98:{number}::1",
            )  # fmt: skip
            found.servers[name] = nsd(pop, name, folder)
            stack.callback(end, found.servers[name])
        found.lead_to("fra")
        yield found


def nsd(pop: Namespace, name: str, folder: Path) -> "subprocess.Popen[bytes]":
    """Start a name server that calls itself by the PoP's name."""
    place = folder / name
    place.mkdir(exist_ok=True)
    (place / "example.zone").write_text("$ORIGIN example.\n$TTL 60\n@ SOA ns hostmaster 7 3600 600 86400 60\n@ NS ns\n")
    (place / "nsd.conf").write_text(
        f"""server:
  ip-address: {ANYCAST}
  ip-address: {ANYCAST_6}
  zonesdir: "{place}"
  database: ""
  username: ""
  pidfile: "{place}/nsd.pid"
  xfrdfile: "{place}/xfrd.state"
  zonelistfile: "{place}/zone.list"
  xfrdir: "{place}"
  cookie-secret-file: ""
  identity: "{name}"
  nsid: "ascii_{name}"
  rrl-ratelimit: 0
remote-control:
  control-enable: no
zone:
  name: "example"
  zonefile: "example.zone"
"""
    )
    program = shutil.which("nsd", path="/usr/sbin:/usr/bin")
    assert program is not None
    return pop.spawn(program, "-d", "-c", str(place / "nsd.conf"), log=folder / f"{name}.log")
