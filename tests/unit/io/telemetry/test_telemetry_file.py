from pathlib import Path

import pytest

from anycastle.base.errors import MisuseError
from anycastle.io.config.load import load_fleet
from anycastle.io.telemetry.telemetry_file import OTLP_METRICS, read_telemetry_file, require_services
from anycastle.model.prefix import parse_prefix

EXAMPLE = Path(__file__).parents[4] / "src/anycastle/io/config/example"

WHOLE = """
name: fra
pop: fra
region: eu
cell: 10s
keep: 24h
x-note: whatever
networks:
  - {prefix: 192.0.2.0/24, network: AS64500, region: na}
  - {prefix: "2001:db8::/32", network: AS64501}
access_logs:
  - {name: edge, format: haproxy, path: /var/log/haproxy.log, counts: [client_errors]}
  - {name: cache, format: varnish, path: /var/log/varnish.log, counts: [cache_hits], pop: ams, region: na}
filters:
  - {name: filter, table: edge, passed: [clients], dropped: [attack], foreign: foreign}
probers:
  - {name: near, path: /results.ndjson, targets: [web]}
watches:
  - {name: watch, path: /events.db}
toggles:
  - {name: archived, path: /toggles.json}
  - {name: running, socket: /watch.sock, prefix: 203.0.113.0/24}
prometheus:
  - {name: prom, url: "http://127.0.0.1:9090", ratios: [{indicator: cache_hits, good: a, total: b}]}
otlp:
  spans: {client: edge_latency}
"""


def read(folder: Path, text: str):
    path = folder / "telemetry.yaml"
    path.write_text(text)
    return read_telemetry_file(path)


def test_the_file_names_what_is_read(tmp_path: Path) -> None:
    found = read(tmp_path, WHOLE)
    assert [(each.name, each.source.pop, each.source.region) for each in found.access_logs] == [
        ("edge", "fra", "eu"),
        ("cache", "ams", "na"),
    ]
    assert (found.cell_s, found.keep_s, found.regions) == (10.0, 86_400.0, {"AS64500": "na"})
    assert found.filters[0].table.family == "inet"
    assert [(each.path, each.prefix) for each in found.toggles] == [
        (Path("/toggles.json"), None),
        (Path("/watch.sock"), parse_prefix("203.0.113.0/24")),
    ]
    assert found.probers[0].targets == {"web"}
    assert found.prometheus[0].settings.every_s == 60.0
    assert (found.otlp.metrics, found.otlp.spans) == (OTLP_METRICS, {"client": "edge_latency"})


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("format: haproxy", "format: apache", "'apache'"),
        ("counts: [client_errors]", "counts: [client_error]", "did you mean"),
        ("counts: [client_errors]", "counts: []", "the list is empty"),
        ("socket: /watch.sock, ", "", "name either path or socket"),
        ("path: /toggles.json", "path: /toggles.json, socket: /watch.sock", "name either path or socket"),
        (", prefix: 203.0.113.0/24", "", "socket and prefix go together"),
        ("path: /toggles.json", "path: /toggles.json, prefix: 203.0.113.0/24", "socket and prefix go together"),
        ("name: cache", "name: edge", "two sources are named edge"),
        ("\npop: fra", "", "of which PoP is it"),
        ("access_logs", "acces_logs", "did you mean"),
        ("{client: edge_latency}", "{internal: edge_latency}", "spans are of kind server or client"),
        ("{client: edge_latency}", "{client: scrubbed}", "a span counts as client_errors or edge_latency"),
        ("otlp:", "otlp:\n  logs: scrubbed", "a record counts as client_errors"),
        ("otlp:", "otlp:\n  token: swordfish", "a secret is never written"),
        ("cell: 10s", "cell: 10", "no unit"),
        ("http://127", "ftp://127", "is no place of a Prometheus"),
        ("192.0.2.0/24", "192.0.2.1/24", "192.0.2.1/24"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, old: str, new: str, words: str) -> None:
    with pytest.raises(MisuseError, match=words) as caught:
        read(tmp_path, WHOLE.replace(old, new, 1))
    assert "telemetry.yaml:" in str(caught.value)
    with pytest.raises(MisuseError, match="is empty"):
        read(tmp_path, "")


def test_a_log_of_a_service_that_the_fleet_does_not_have_is_told(tmp_path: Path) -> None:
    text = WHOLE.replace("counts: [client_errors]}", "counts: [client_errors], service: dsn}") + "fleet: /fleet\n"
    fleet = load_fleet(EXAMPLE).fleet
    assert fleet is not None
    require_services(read(tmp_path, text.replace("service: dsn", "service: dns")), fleet)
    with pytest.raises(MisuseError, match=r"edge: the fleet has no service 'dsn'; did you mean 'dns'\?|'dsn'.*dns"):
        require_services(read(tmp_path, text), fleet)
    with pytest.raises(MisuseError, match="whose service is it"):
        read(tmp_path, text.replace("fleet: /fleet\n", ""))
