"""OpenBGPD."""

import json
import subprocess
from pathlib import Path

from tests.lab.daemons.daemon import ORIGINATED, OUR_V4, OUR_V6, THEIR_V4, THEIR_V6, Seen, Setting
from tests.lab.namespaces import Namespace, run


class OpenBGPD:
    """bgpd, asked by bgpctl."""

    def start(self, where: Namespace, folder: Path, setting: Setting) -> subprocess.Popen[bytes]:
        Path("/run/openbgpd").mkdir(exist_ok=True)  # where its user is confined to; its unit makes it otherwise
        self._socket = folder / "ctl"
        text = f"AS {setting.own_asn}\nrouter-id 10.99.0.2\nholdtime {setting.hold_time_s}\nholdtime min 3\n"
        text += f'socket "{self._socket}"\nfib-update no\nconnect-retry 2\n'
        text += f"network {ORIGINATED[0]}\nnetwork {ORIGINATED[1]}\n"
        for address, local, family in ((OUR_V4, THEIR_V4, "IPv4"), (OUR_V6, THEIR_V6, "IPv6")):
            text += f"neighbor {address} {{\n remote-as {setting.peer_asn}\n local-address {local}\n"
            text += f" announce {'IPv6' if family == 'IPv4' else 'IPv4'} none\n announce {family} unicast\n"
            text += f' tcp md5sig password "{setting.password}"\n' if setting.password else ""
            text += " ttl-security yes\n" if setting.gtsm else ""
            text += f" announce policy {setting.role} enforce\n" if setting.role else ""
            text += "}\n"
        text += "allow from any\nallow to any\n"
        config = folder / "bgpd.conf"
        config.write_text(text)
        config.chmod(0o600)
        return where.spawn("/usr/sbin/bgpd", "-d", "-v", "-f", str(config), log=folder / "bgpd.out")

    def routes(self) -> dict[str, Seen]:
        text = run("bgpctl", "-s", str(self._socket), "-j", "show", "rib", "detail", check=False)
        try:
            rib = json.loads(text).get("rib", [])
        except json.JSONDecodeError:
            return {}
        ours = (each for each in rib if each.get("neighbor", {}).get("remote_addr") in (OUR_V4, OUR_V6))
        return {each["prefix"]: _seen(each) for each in ours}


def _seen(route: dict) -> Seen:
    communities = {*route.get("communities", ()), *route.get("large_communities", ())}
    communities |= {each.replace("rt ", "rt:") for each in route.get("extended_communities", ())}
    marks = (int(each["as"]) for each in route.get("attributes", ()) if each.get("type") == "OTC")
    path = tuple(map(int, route["aspath"].split()))
    med = route.get("metric") or None  # it shows 0 where there is none
    return Seen(path, med, frozenset(communities), next(marks, None))
