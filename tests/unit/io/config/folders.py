"""A small fleet in memory, and edits of it."""

from pathlib import Path

FLEET = """\
name: small
asn: 64500
regions: [europe, asia]
"""

POP = """\
name: {name}
city: Somewhere
location: {{latitude: 50, longitude: 8}}
region: europe
capacity: 10G
router: {{driver: bird, router_id: 198.51.100.{number}}}
upstreams:
  - name: transit-a
    kind: transit
    asn: 64496
    neighbours:
      - address: 203.0.113.1
    vocabulary: {{no-asia: "64496:3"}}
  - name: transit-b
    kind: transit
    asn: 64497
    neighbours:
      - address: 203.0.113.2
"""

SERVICE = """\
name: {name}
prefixes: [{prefix}]
addresses: [{address}]
pops: all
checks:
  - name: dns
    dns: {{address: 192.0.2.53, name: example.com}}
"""

SMALL = {
    "fleet.yaml": FLEET,
    "pops/fra1.yaml": POP.format(name="fra1", number=1),
    "pops/lon1.yaml": POP.format(name="lon1", number=2),
    "pops/nrt1.yaml": POP.format(name="nrt1", number=3),
    "services/dns.yaml": SERVICE.format(name="dns", prefix="192.0.2.0/24", address="192.0.2.53"),
    "services/web.yaml": SERVICE.format(name="web", prefix='"2001:db8:80::/48"', address='"2001:db8:80::1"'),
}
"""Three PoPs, two services, no finding."""


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def edited(file: str, old: str, new: str) -> dict[str, str]:
    """SMALL with one text replaced by another in one file; an empty `old` appends."""
    files = dict(SMALL)
    text = files[file]
    assert old in text, (file, old)
    files[file] = text.replace(old, new, 1) if old else text + new
    return files
