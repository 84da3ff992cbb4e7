"""The bulk way to facts equals the way over single records, on real archives; and its filter equals the table."""

import os
from collections import Counter
from pathlib import Path

import pytest

from anycastle.io.feeds.mrt import read_mrt
from anycastle.io.feeds.mrt_facts import MRTFacts
from anycastle.model.asn import ASN
from anycastle.model.prefix import Prefix
from anycastle.watch.fact import Fact, RouteGone, RouteSeen
from anycastle.watch.intent import WatchedPrefix
from anycastle.watch.mrt import MRTReader
from anycastle.watch.table import WatchedTable
from anycastle.wire.bgp.message import Update
from anycastle.wire.mrt.bgp4mp import BGPMessage
from anycastle.wire.mrt.codec import Record
from anycastle.wire.mrt.table_dump_v2 import RIB

REPOSITORY = Path(__file__).parents[4]
ARCHIVES = Path(os.environ.get("ANYCASTLE_DATA", REPOSITORY.parent / "shared" / "data")) / "mrt"


def prefixes_of(records: list[Record]) -> list[Prefix]:
    """Give prefixes of an archive, the busiest ones and some others, of both families."""
    seen: Counter[Prefix] = Counter()
    for record in records:
        match record.value:
            case BGPMessage(message=Update() as update):
                seen.update(nlri.prefix for nlri in (*update.announced_nlri, *update.withdrawn_nlri))
            case RIB(prefix=Prefix() as prefix):
                seen[prefix] += 1
            case _:
                pass
    busiest = [prefix for prefix, _ in seen.most_common(40)]
    return busiest + [prefix for number, prefix in enumerate(sorted(seen)) if number % (len(seen) // 40 + 1) == 0]


@pytest.mark.mission("I2", "C6")
@pytest.mark.parametrize(
    "name",
    [
        "updates.20070211.0141.gz", "rib6.20151101.0600_firstMB.bz2", "quagga_bgp", "bird-mrtdump_bgp",
        "openbgpd_rib_table-v2",
    ],
)  # fmt: skip
def test_real_archives(name: str) -> None:
    path = ARCHIVES / name
    if not path.exists():
        pytest.skip(f"no {path}; set ANYCASTLE_DATA to the folder of real inputs")
    records = list(read_mrt(str(path)))
    table = WatchedTable([WatchedPrefix(each, frozenset({ASN(64500)})) for each in prefixes_of(records) if each.length])
    reader = MRTReader(table, "rrc00")
    single: list[Fact] = [fact for record in records for fact in reader.read(record)] + reader.finish()
    bulk = MRTFacts(str(path), "rrc00", table)
    facts = list(bulk.facts())
    assert sum(isinstance(fact, RouteSeen | RouteGone) for fact in facts) > 10 or len(path.read_bytes()) < 10_000
    assert _sorted_sizes(facts) == _sorted_sizes(single)
    assert len(bulk.problems) == len(reader.damaged)


def _sorted_sizes(facts: list[Fact]) -> list[Fact]:
    """Give the facts in their order, the sizes of tables (which have none) sorted."""
    routes = [fact for fact in facts if isinstance(fact, RouteSeen | RouteGone)]
    return [*routes, *sorted((fact for fact in facts if not isinstance(fact, RouteSeen | RouteGone)), key=repr)]
