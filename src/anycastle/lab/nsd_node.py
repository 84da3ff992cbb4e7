"""The service of a PoP in namespaces: nsd, which tells which PoP it is (NSID, RFC 5001; CHAOS identity, RFC 4892)."""

from pathlib import Path
from typing import Final

from anycastle.lab.topology import Topology
from anycastle.lab.wiring import SERVICE_PORT

_ZONE: Final = """$ORIGIN example.
@ 300 IN SOA ns hostmaster 1 7200 900 1209600 300
@ 300 IN NS ns
ns 300 IN A {address}
"""


def nsd_config(topology: Topology, pop: str, folder: Path) -> str:
    """Give nsd.conf, and write the zone beside it.

    nsd listens at the anycast addresses before the agent has put them on the loopback (`ip-freebind`).
    """
    services = [service for service in topology.services if pop in service.pops]
    (folder / "example.zone").write_text(_ZONE.format(address=services[0].address))
    addresses = ["127.0.0.1", *(str(service.address) for service in services)]
    return "\n".join(
        [
            "server:",
            *(f"  ip-address: {address}@{SERVICE_PORT}" for address in addresses),
            "  ip-freebind: yes",
            "  server-count: 1",
            '  username: ""',
            '  database: ""',
            f'  zonesdir: "{folder}"',
            f'  pidfile: "{folder}/nsd.pid"',
            f'  xfrdfile: "{folder}/xfrd.state"',
            f'  zonelistfile: "{folder}/zone.list"',
            f'  cookie-secret-file: "{folder}/cookies"',
            f'  identity: "{pop}"',
            f'  nsid: "ascii_{pop}"',
            "  rrl-ratelimit: 0",
            "remote-control:",
            "  control-enable: no",
            "zone:",
            '  name: "example."',
            '  zonefile: "example.zone"',
            "",
        ]
    )
