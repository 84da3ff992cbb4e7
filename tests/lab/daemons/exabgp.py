"""ExaBGP, which has no RIB of what it receives: the test keeps one from the JSON that it hands to a program."""

import json
import subprocess
import sys
from pathlib import Path

from tests.lab.daemons.daemon import ORIGINATED, OUR_V4, OUR_V6, THEIR_V4, THEIR_V6, Seen, Setting
from tests.lab.namespaces import Namespace

PROGRAM = Path(sys.executable).with_name("exabgp")
_HAND_ON = """
import sys
with open(sys.argv[1], "a", buffering=1) as out:
    for line in sys.stdin:
        out.write(line)
"""


class ExaBGP:
    """exabgp, with a program that writes down what it hears."""

    def start(self, where: Namespace, folder: Path, setting: Setting) -> subprocess.Popen[bytes]:
        self._heard = folder / "heard.json"
        self._heard.touch()
        (folder / "hand_on.py").write_text(_HAND_ON)
        command = f"{sys.executable} {folder / 'hand_on.py'} {self._heard}"
        text = f"process keep {{\n run {command};\n encoder json;\n}}\n"
        for family, address, local, prefix in (
            ("ipv4", OUR_V4, THEIR_V4, ORIGINATED[0]),
            ("ipv6", OUR_V6, THEIR_V6, ORIGINATED[1]),
        ):
            text += f"neighbor {address} {{\n router-id 10.99.0.2;\n local-address {local};\n"
            text += f" local-as {setting.own_asn};\n peer-as {setting.peer_asn};\n hold-time {setting.hold_time_s};\n"
            text += f" md5-password '{setting.password}';\n" if setting.password else ""
            text += " outgoing-ttl 255;\n incoming-ttl 255;\n" if setting.gtsm else ""
            text += f" family {{ {family} unicast; }}\n"
            text += f" static {{ route {prefix} next-hop {local}; }}\n"
            text += " api { processes [ keep ]; receive { parsed; update; } neighbor-changes; }\n}\n"
        config = folder / "exabgp.conf"
        config.write_text(text)
        environment = {"exabgp_daemon_user": "root", "exabgp_log_all": "true", "PATH": "/usr/bin:/bin:/usr/sbin:/sbin"}
        environment |= {"exabgp_api_cli": "false", "exabgp_tcp_delay": "0"}
        return where.spawn(str(PROGRAM), "server", str(config), log=folder / "exabgp.out", env=environment)

    def routes(self) -> dict[str, Seen]:
        seen: dict[str, Seen] = {}
        for line in self._heard.read_text().splitlines():
            message = json.loads(line)
            neighbour = message.get("neighbor", {})
            if message.get("type") == "state" and neighbour.get("state") == "down":
                version = "." if "." in neighbour["address"]["peer"] else ":"
                seen = {prefix: route for prefix, route in seen.items() if version not in prefix}
            update = neighbour.get("message", {}).get("update", {})
            for routes in update.get("withdraw", {}).values():
                for each in routes:
                    seen.pop(each["nlri"], None)
            for hops in update.get("announce", {}).values():
                for routes in hops.values():
                    if isinstance(routes, list):
                        seen.update({each["nlri"]: _seen(update["attribute"]) for each in routes if "nlri" in each})
        return seen


def _seen(attribute: dict) -> Seen:
    path = attribute.get("as-path", {})
    asns = [asn for part in path.values() for asn in part["value"]] if isinstance(path, dict) else path
    communities = {":".join(map(str, each)) for each in attribute.get("community", ())}
    communities |= {":".join(map(str, each)) for each in attribute.get("large-community", ())}
    communities |= {each["string"].replace("target:", "rt:") for each in attribute.get("extended-community", ())}
    return Seen(tuple(asns), attribute.get("med"), frozenset(communities))
