"""What an order costs, and how it is written."""

import pytest

from anycastle.base.errors import MisuseError
from anycastle.base.ports import Timestamp
from anycastle.probe.atlas_order import AtlasOrder, Question, Repeat, body, credits_a_day, estimate


def order(kind: str = "ping", probes: int = 1, repeat: Repeat | None = Repeat(60, 60), **more) -> AtlasOrder:
    return AtlasOrder(kind, "192.0.2.53", 4, probes, repeat=repeat, **more)


@pytest.mark.mission("I3")
@pytest.mark.parametrize(
    ("asked", "unit"),
    [
        (order("ping"), 3),  # the defaults of RIPE Atlas's own table
        (order("ping", packets=5, size=1499), 5),
        (order("ping", packets=5, size=1500), 10),
        (order("traceroute"), 30),
        (order("traceroute", packets=1, size=2000), 20),
        (order("dns"), 10),
        (order("dns", question=Question(transport="tcp")), 20),
        (order("sslcert"), 10),
    ],
)
def test_a_result_costs_what_the_documents_say(asked: AtlasOrder, unit: int) -> None:
    assert estimate(asked).unit == estimate(asked).credits == unit


def test_once_costs_twice_and_time_costs_by_its_results() -> None:
    once = estimate(order("dns", 50, repeat=None))
    assert (once.unit, once.results, once.credits) == (20, 50, 1000)
    # One probe each minute costs what ten each ten minutes do.
    assert estimate(order("ping", 1, Repeat(60, 86_400))) == estimate(order("ping", 10, Repeat(600, 86_400)))
    assert credits_a_day(order("ping", 10, Repeat(600, 3_600))) == 10 * 144 * 3
    assert credits_a_day(order(repeat=None)) is None
    assert estimate(order("ping", 1, Repeat(600, 601))).results == 2


def test_an_order_as_it_is_sent() -> None:
    once = body(AtlasOrder("dns", "192.0.2.53", 4, 200, tags=("a",)), Timestamp(1000.0))
    assert once == {
        "definitions": [
            {
                "type": "dns", "af": 4, "target": "192.0.2.53", "description": "dns of 192.0.2.53", "tags": ["a"],
                "query_class": "CHAOS", "query_type": "TXT", "query_argument": "id.server", "protocol": "UDP",
                "use_probe_resolver": False, "set_nsid_bit": True, "set_rd_bit": False,
            }
        ],
        "probes": [{"requested": 200, "type": "area", "value": "WW"}],
        "is_oneoff": True,
    }  # fmt: skip
    asked = AtlasOrder("traceroute", "2001:db8::1", 6, 3, "probes", "1,2,3", Repeat(300, 3600), size=100)
    assert body(asked, Timestamp(1000.9)) == {
        "definitions": [
            {
                "type": "traceroute", "af": 6, "target": "2001:db8::1", "description": "traceroute of 2001:db8::1",
                "protocol": "ICMP", "packets": 3, "size": 100, "interval": 300,
            }
        ],
        "probes": [{"requested": 3, "type": "probes", "value": "1,2,3"}],
        "is_oneoff": False,
        "stop_time": 4600,
    }  # fmt: skip
    assert body(order("sslcert", port=853), Timestamp(0.0))["definitions"][0]["port"] == 853
    assert body(order("dns", question=Question("example.com", "A")), Timestamp(0.0))["definitions"][0][
        "query_class"
    ] == "IN"  # fmt: skip


@pytest.mark.parametrize(
    "more",
    [
        {"kind": "http"}, {"kind": "ping", "probes": 0}, {"kind": "ping", "packets": 17},
        {"kind": "ping", "selection": "x"},
        {"kind": "ping", "repeat": Repeat(59, 600)}, {"kind": "ping", "repeat": Repeat(600, 599)},
    ],
)  # fmt: skip
def test_what_cannot_be_ordered(more: dict) -> None:
    with pytest.raises(MisuseError):
        order(**more)
