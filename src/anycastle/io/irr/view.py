"""What registries say about a fleet, asked for at once."""

from collections.abc import Iterable, Sequence
from typing import Final

from anycastle.base.errors import ParseError
from anycastle.io.irr.expand import expand, items
from anycastle.io.irr.registry import Registry
from anycastle.model.fleet import Fleet
from anycastle.model.irr import ASSet, AutNum, RouteObject, SetName
from anycastle.model.prefix import Prefix
from anycastle.watch.irr.finding import RegistryView, SetView, own_space
from anycastle.wire.irr.objects import RegistryObject, read_objects
from anycastle.wire.irr.query import ListSources, ObjectByKey, Question, Routes, Search
from anycastle.wire.irr.reply import Data, Reply

ROA_SOURCE: Final = "RPKI"
"""The source under which IRRd shows ROAs as route objects: nobody registered those, and many do not ask for them."""


async def view_of(registry: Registry, fleet: Fleet, as_sets: Sequence[SetName]) -> RegistryView:
    """Give the view of a fleet: its prefixes, its ASN, these as-sets. Raises `WorldError`."""
    unreadable: list[str] = []
    routes = await routes_about(registry, own_space(fleet), unreadable)
    routes = tuple(each for each in routes if each.source != ROA_SOURCE)
    key = Question(ObjectByKey("aut-num", f"AS{fleet.asn}"))
    networks = [each for each in read(await registry.ask([key]), unreadable) if isinstance(each, AutNum)]
    sets = [await set_view(registry, name, unreadable) for name in as_sets]
    return RegistryView(routes, tuple(sets), {each.asn: each for each in networks}, tuple(unreadable))


async def routes_about(
    registry: Registry, prefixes: Iterable[Prefix], unreadable: list[str]
) -> tuple[RouteObject, ...]:
    """Give the route objects of prefixes, of what lies in them, and of what covers them, each once and in order."""
    questions = [
        Question(Routes(each, search)) for each in prefixes for search in (Search.LESS_SPECIFIC, Search.MORE_SPECIFIC)
    ]
    found = read(await registry.ask(questions), unreadable)
    return tuple(sorted({each for each in found if isinstance(each, RouteObject)}))


async def set_view(registry: Registry, name: SetName, unreadable: list[str]) -> SetView:
    """Give an as-set as it expands, and its object in each source."""
    (listed,) = await registry.ask([Question(ListSources())])
    known = [each for each in listed.text.strip().split(",") if each] if isinstance(listed, Data) else []
    chosen: list[tuple[str, ...]] = [(each,) for each in ([name.source] if name.source else known)]
    questions = [Question(ObjectByKey("as-set", name.name), sources) for sources in chosen or [()]]
    objects = [each for each in read(await registry.ask(questions), unreadable) if isinstance(each, ASSet)]
    return SetView(name, await expand(registry, [name]), tuple(dict.fromkeys(objects)))


def read(replies: Iterable[Reply], unreadable: list[str]) -> list[RegistryObject]:
    """Give the objects that replies hold; what cannot be read is added to `unreadable`. Raises `WorldError`."""
    objects: list[RegistryObject] = []
    for reply in replies:
        items(reply, "a search")
        for each in read_objects(reply.text.split("\n") if isinstance(reply, Data) else (), "an answer"):
            if isinstance(each, ParseError):
                unreadable.append(str(each))
            else:
                objects.append(each)
    return objects
