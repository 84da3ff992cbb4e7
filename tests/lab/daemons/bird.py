"""BIRD 2."""

import re
import subprocess
from pathlib import Path

from tests.lab.daemons.daemon import ORIGINATED, OUR_V4, OUR_V6, THEIR_V4, THEIR_V6, Seen, Setting
from tests.lab.namespaces import Namespace, run

_CONFIG = """
router id 10.99.0.2;
log "{log}" all;
protocol device {{ }}
protocol static own4 {{ ipv4; route {v4} blackhole; }}
protocol static own6 {{ ipv6; route {v6} blackhole; }}
template bgp ours {{
  local as {setting.own_asn};
  hold time {setting.hold_time_s};
  error wait time 1, 2;
  connect retry time 2;
  connect delay time 1;
  {guard}
}}
protocol bgp ours4 from ours {{
  local {their_v4};
  neighbor {our_v4} as {setting.peer_asn};
  ipv4 {{ import all; export all; }};
}}
protocol bgp ours6 from ours {{
  local {their_v6};
  neighbor {our_v6} as {setting.peer_asn};
  ipv6 {{ import all; export all; }};
}}
"""


class Bird:
    """BIRD, asked over its control socket."""

    def start(self, where: Namespace, folder: Path, setting: Setting) -> subprocess.Popen[bytes]:
        guard = f'password "{setting.password}";' if setting.password else ""
        guard += "ttl security on; multihop 1;" if setting.gtsm else ""
        guard += f"local role {setting.role}; require roles on;" if setting.role else ""
        config = folder / "bird.conf"
        self._socket = folder / "bird.ctl"
        config.write_text(
            _CONFIG.format(
                log=folder / "bird.log",
                setting=setting,
                guard=guard,
                v4=ORIGINATED[0],
                v6=ORIGINATED[1],
                our_v4=OUR_V4,
                our_v6=OUR_V6,
                their_v4=THEIR_V4,
                their_v6=THEIR_V6,
            )
        )
        return where.spawn("bird", "-f", "-c", str(config), "-s", str(self._socket), log=folder / "bird.out")

    def routes(self) -> dict[str, Seen]:
        seen: dict[str, Seen] = {}
        for protocol in ("ours4", "ours6"):
            text = run("birdc", "-s", str(self._socket), "show", "route", "all", "protocol", protocol, check=False)
            for block in re.split(r"\n(?=[0-9a-f]+[.:][0-9a-f.:]*/)", text)[1:]:
                seen[block.split()[0]] = _seen(block)
        return seen


def _seen(block: str) -> Seen:
    fields = dict(re.findall(r"BGP\.(\w+): (.*)", block))
    tuples = re.findall(r"\(([^)]*)\)", " ".join(fields.get(f"{kind}community", "") for kind in ("", "large_", "ext_")))
    return Seen(
        as_path=tuple(map(int, fields.get("as_path", "").split())),
        med=int(fields["med"]) if "med" in fields else None,
        only_to_customer=int(fields["otc"]) if "otc" in fields else None,
        communities=frozenset(":".join(part.strip() for part in each.split(",")) for each in tuples),
    )
