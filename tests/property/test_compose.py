"""A PoP's fleet from units of two revisions: one unit moved is one thing changed."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from anycastle.model.announcement import RouteAttributes
from anycastle.model.asn import ASN
from anycastle.model.fleet import Fleet
from anycastle.model.pop import PoP
from anycastle.model.prefix import parse_address, parse_prefix
from anycastle.model.service import Floor, Policy, Service
from anycastle.model.upstream import Neighbour, Upstream, UpstreamKind
from anycastle.rollout.compose import compose
from anycastle.rollout.desired import DefinitionKey, Desired, Unit
from anycastle.rollout.intent import RouteKey, intent_of
from anycastle.rollout.revision import Revision
from tests.unit.health.world import STEERED, fleet, pop, service

POPS = ("ams", "fra")
PREFIXES = tuple(parse_prefix(f"198.18.{number}.0/24") for number in range(3))
NAMES = ("a", "b", "c")


def upstream(name: str) -> Upstream:
    return Upstream(name, UpstreamKind.TRANSIT, ASN(64601), (Neighbour(parse_address("203.0.113.1")),))


UPSTREAMS = tuple(map(upstream, ("transit", "peer")))

policies = st.builds(
    lambda announce, prepend, steered: Policy(announce, RouteAttributes(prepend), replace(STEERED, prepend=steered)),
    st.booleans(), st.integers(0, 2), st.integers(2, 3),
)  # fmt: skip


@st.composite
def services(draw: st.DrawFn, name: str) -> Service:
    pops = tuple(draw(st.lists(st.sampled_from(POPS), min_size=1, unique=True)))
    return service(
        name,
        pops=pops,
        prefixes=tuple(draw(st.lists(st.sampled_from(PREFIXES), min_size=1, unique=True))),
        policies={(at, each.name): draw(policies) for at in pops for each in UPSTREAMS},
        floor=Floor(draw(st.integers(0, 2))),
    )


@st.composite
def fleets(draw: st.DrawFn) -> Fleet:
    names = [name for name in NAMES if draw(st.booleans())] or ["a"]
    there = draw(st.sampled_from([POPS, POPS[:1], POPS[1:]]))
    made = fleet(*(draw(services(name)) for name in names))
    kept = (replace(each, pops=tuple(at for at in each.pops if at in there)) for each in made.services)
    return replace(made, pops=tuple(map(place, there)), services=tuple(each for each in kept if each.pops))


def place(name: str) -> PoP:
    return replace(pop(name), upstreams=UPSTREAMS)


@given(fleets(), st.sampled_from(POPS))
def test_of_one_revision_it_means_what_the_fleet_means_there(made: Fleet, name: str) -> None:
    composed = compose(Desired("one"), {"one": Revision(made)}, name)
    if name not in {each.name for each in made.pops}:
        assert composed is None
        return
    assert composed is not None
    there = {unit: content for unit, content in Revision(made).units.items() if unit.pop == name}
    assert Revision(composed).units == there


@given(fleets(), fleets(), st.sampled_from(POPS), st.randoms(use_true_random=False))
def test_each_unit_that_moves_changes_itself_alone(old: Fleet, new: Fleet, name: str, random: object) -> None:
    revisions = {"old": Revision(old), "new": Revision(new)}
    units = sorted((u for u in revisions["old"].differs_from(revisions["new"]) if u.pop == name), key=str)
    random.shuffle(units)  # type: ignore[attr-defined]
    desired = Desired("old")
    before = compose(desired, revisions, name)
    for unit in units:
        desired = desired.with_units((unit,), "new")
        after = compose(desired, revisions, name)
        assert changed(before, after) <= {unit}
        before = after
    if name not in revisions["new"].places:
        assert before is None or before.services == (), "the PoP is gone, and nothing is announced there"
    else:
        assert routes(before) == routes(compose(Desired("new"), revisions, name))
        assert before == compose(Desired("new"), revisions, name), "and there is nothing left to tell it"


def changed(before: Fleet | None, after: Fleet | None) -> set[Unit]:
    one, other = routes(before), routes(after)
    return {key for key in one.keys() | other.keys() if one.get(key) != other.get(key)}


def routes(made: Fleet | None) -> dict[Unit, RouteAttributes]:
    if made is None:
        return {}
    return {key: route.attributes for key, route in intent_of(made).routes.items()}


@given(fleets(), fleets(), fleets(), st.data())
def test_what_happens_at_other_pops_changes_nothing_here(
    one: Fleet, two: Fleet, three: Fleet, data: st.DataObject
) -> None:
    revisions = {"one": Revision(one), "two": Revision(two), "three": Revision(three)}
    units: list[Unit] = sorted({unit for each in revisions.values() for unit in each.units}, key=str)
    desired = Desired("one")
    for unit in units:
        if unit.pop == "ams":
            desired = desired.with_units((unit,), data.draw(st.sampled_from(list(revisions))))
    before = compose(desired, revisions, "ams")
    elsewhere = [unit for unit in units if unit.pop == "fra"]
    assert compose(desired.with_units(elsewhere, "three"), revisions, "ams") == before


def test_a_service_comes_with_its_definition_or_first_route_and_goes_with_the_last_of_these() -> None:
    there = service("a", pops=("ams",), prefixes=PREFIXES[:1], policies={("ams", "transit"): Policy()})
    empty = replace(fleet(), pops=(place("ams"),), services=())
    revisions = {"old": Revision(empty), "new": Revision(replace(empty, services=(there,)))}
    definition, route = DefinitionKey("ams", "a"), RouteKey("ams", "transit", PREFIXES[0])

    def told(desired: Desired) -> tuple[list[str], int]:
        made = compose(desired, revisions, "ams")
        assert made is not None
        return [each.name for each in made.services], len(routes(made))

    assert told(Desired("old")) == ([], 0)
    assert told(Desired("old", {definition: "new"})) == (["a"], 0), "it is checked before it is announced"
    assert told(Desired("old", {route: "new"})) == (["a"], 1)
    assert told(Desired("new", {definition: "old"})) == (["a"], 1)
    assert told(Desired("new", {route: "old"})) == (["a"], 0)
