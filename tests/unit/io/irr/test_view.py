"""What is asked about a fleet: the same of a server and of a file."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from anycastle.base.errors import WorldError
from anycastle.io.irr.registry import Registry, WithSources, read_file
from anycastle.io.irr.server_registry import Server, ServerRegistry
from anycastle.io.irr.view import view_of
from anycastle.lab.irr_server import IRRServer
from anycastle.model.asn import ASN
from anycastle.model.fleet import Fleet
from anycastle.model.irr import RouteObject, parse_set_name
from anycastle.model.prefix import parse_prefix
from anycastle.model.service import Service
from anycastle.model.watch import WatchPlan
from anycastle.watch.irr.finding import RegistryView
from tests.unit.io.irr.registry_text import TEXT

PREFIXES = (parse_prefix("192.0.2.0/24"), parse_prefix("2001:db8:53::/48"))
FLEET = Fleet("test", ASN(64500), ("here",), (), (Service("dns", PREFIXES, (), (), ()),))
MORE = """
route:  192.0.0.0/16
origin: AS1
source: RIPE

route:  192.0.2.128/25
origin: AS64500
source: RIPE

route:  192.0.2.0/24
origin: AS64500
source: RPKI
"""


def views(tmp_path: Path, fleet: Fleet, *as_sets: str, sources: tuple[str, ...] = ()) -> RegistryView:
    """Give the view by a file, which has to be that by a server."""
    path = tmp_path / "registry.rpsl"
    path.write_text(TEXT + MORE)
    names = [parse_set_name(each) for each in as_sets]

    async def both() -> tuple[RegistryView, RegistryView]:
        held = read_file(str(path))
        server = IRRServer(held.database)
        dialled = ServerRegistry((Server("127.0.0.1", await server.start()),))
        try:
            registries: tuple[Registry, ...] = held, dialled
            first, second = [await view_of(WithSources(each, sources), fleet, names) for each in registries]
        finally:
            await dialled.close()
            await server.close()
        return first, second

    by_file, by_server = asyncio.run(both())
    assert by_file == by_server
    return by_file


def test_a_fleets_view(tmp_path: Path) -> None:
    view = views(tmp_path, FLEET, "AS64500:AS-ALL", "AS-PARTNERS", "RADB::AS-PARTNERS", "AS-GONE")
    assert list(map(str, view.routes)) == [
        "192.0.0.0/16 AS1 of RIPE",
        "192.0.2.0/24 AS64500 of RIPE",
        "192.0.2.0/24 AS64666 of RADB",
        "192.0.2.128/25 AS64500 of RIPE",
        "2001:db8:53::/48 AS64500 of RIPE",
    ]
    assert view.networks[ASN(64500)].name == "EXAMPLE"
    whole, twice, one, gone = view.sets
    assert (whole.expanded.asns, [each.source for each in whole.objects]) == ({64500, 64501, 64502, 64503}, ["RIPE"])
    assert ([each.source for each in twice.objects], twice.expanded.asns) == (["RIPE", "RADB"], {64666})
    assert ([each.source for each in one.objects], one.expanded.asns) == (["RADB"], {64503})
    assert gone.objects == ()


def test_sources_narrow_the_view(tmp_path: Path) -> None:
    view = views(tmp_path, FLEET, "AS-PARTNERS", sources=("RADB",))
    assert view.routes == (RouteObject(PREFIXES[0], ASN(64666), "RADB", ("OTHER-MNT",)),)
    assert view.networks == {}
    assert view.sets[0].expanded.asns == {64503}
    with pytest.raises(WorldError, match="NOWHERE"):
        views(tmp_path, FLEET, sources=("NOWHERE",))


def test_prefixes_that_nobody_is_to_announce_are_looked_for_too(tmp_path: Path) -> None:
    fleet = replace(FLEET, watch=WatchPlan(unannounced=(parse_prefix("203.0.113.0/24"),)))
    assert "203.0.113.0/24 AS64503 of RADB" in map(str, views(tmp_path, fleet).routes)
