"""GoBGP."""

import json
import subprocess
from ipaddress import ip_network
from pathlib import Path

from tests.lab.daemons.daemon import ORIGINATED, OUR_V4, OUR_V6, THEIR_V4, THEIR_V6, Seen, Setting
from tests.lab.namespaces import Namespace

_PORT = "50099"


class GoBGP:
    """gobgpd, asked by gobgp over gRPC."""

    def start(self, where: Namespace, folder: Path, setting: Setting) -> subprocess.Popen[bytes]:
        self._where = where
        self._originated = False
        config = folder / "gobgpd.toml"
        text = f'[global.config]\nas = {setting.own_asn}\nrouter-id = "10.99.0.2"\n'
        for family, address, local in (("ipv4", OUR_V4, THEIR_V4), ("ipv6", OUR_V6, THEIR_V6)):
            text += f'[[neighbors]]\n[neighbors.config]\nneighbor-address = "{address}"\npeer-as = {setting.peer_asn}\n'
            text += f'auth-password = "{setting.password}"\n' if setting.password else ""
            text += f'[neighbors.transport.config]\nlocal-address = "{local}"\n'
            text += "[neighbors.ttl-security.config]\nenabled = true\nttl-min = 255\n" if setting.gtsm else ""
            text += f"[neighbors.timers.config]\nhold-time = {setting.hold_time_s}\nconnect-retry = 2\n"
            text += f'[[neighbors.afi-safis]]\n[neighbors.afi-safis.config]\nafi-safi-name = "{family}-unicast"\n'
        config.write_text(text)
        api = ("--api-hosts", f"127.0.0.1:{_PORT}")
        return where.spawn("gobgpd", "-f", str(config), *api, "--pprof-disable", log=folder / "gobgpd.out")

    def routes(self) -> dict[str, Seen]:
        seen: dict[str, Seen] = {}
        for family, address in (("ipv4", OUR_V4), ("ipv6", OUR_V6)):
            shown = self._ask("neighbor", address, "adj-in", "-a", family, "-j")
            for prefix, paths in shown.items() if isinstance(shown, dict) else ():
                if isinstance(paths, list):  # in place of routes it may say {"error": "..."}
                    seen[str(ip_network(prefix))] = _seen(paths[0]["attrs"])
        if not self._originated:
            self._ask("global", "rib", "add", ORIGINATED[0], "-a", "ipv4")
            self._ask("global", "rib", "add", ORIGINATED[1], "-a", "ipv6", "nexthop", THEIR_V6)
            self._originated = bool(self._ask("global", "rib", "-a", "ipv6", "-j"))
        return seen

    def _ask(self, *question: str) -> object:
        text = self._where.run("gobgp", "-p", _PORT, *question, check=False)
        try:
            return json.loads(text)
        except json.JSONDecodeError:
            return {}


def _seen(attributes: list[dict]) -> Seen:
    by_type = {each["type"]: each for each in attributes}
    path = [asn for part in by_type.get(2, {}).get("as_paths", ()) for asn in part["asns"]]
    standard = {f"{each >> 16}:{each & 0xFFFF}" for each in by_type.get(8, {}).get("communities", ())}
    extended = {f"rt:{each['value']}" for each in by_type.get(16, {}).get("value", ())}
    large = {
        f"{each['ASN']}:{each['LocalData1']}:{each['LocalData2']}" for each in by_type.get(32, {}).get("value", ())
    }
    return Seen(tuple(path), by_type.get(4, {}).get("metric"), frozenset(standard | extended | large))
