"""What is tried on a fleet: from what is exported, or from the files where a PoP was not heard."""

from pathlib import Path

import pytest

from anycastle.base.errors import MisuseError
from anycastle.io.config import load_fleet
from anycastle.model.announcement import RouteAttributes
from anycastle.model.community import parse_community
from anycastle.model.fleet import Fleet
from anycastle.rollout.intent import RouteKey
from anycastle.rollout.what_if import WhatIf, known_routes, routes_if

pytestmark = pytest.mark.mission("C18")

EXAMPLE = Path(__file__).parents[3] / "src/anycastle/io/config/example"


@pytest.fixture(scope="module")
def fleet() -> Fleet:
    found = load_fleet(EXAMPLE).fleet
    assert found is not None
    return found


def test_a_pop_that_was_heard_counts_as_it_exports_and_others_as_their_files_say(fleet: Fleet) -> None:
    dns = fleet.services[0]
    prefix = dns.prefixes[0]
    key = RouteKey("fra1", "transit-a", prefix)
    other = RouteKey("fra1", "transit-a", dns.prefixes[-1])
    routes = known_routes(fleet, dns, prefix, {"fra1": {key: RouteAttributes(prepend=7), other: RouteAttributes()}})
    assert {each: told.prepend for each, told in routes.items() if each.pop == "fra1"} == {key: 7}
    assert {each.pop for each in routes} == {"fra1", "iad1", "nrt1", "gru1"}
    for each, told in routes.items():
        assert each == key or told == dns.policies[each.pop, each.upstream].attributes


def test_a_silent_pop_is_switched_on_by_its_files_and_an_announcing_one_stays_as_it_is(fleet: Fleet) -> None:
    dns = fleet.services[0]
    prefix = dns.prefixes[0]
    key = RouteKey("iad1", "transit-a", prefix)
    now = {key: RouteAttributes(prepend=7)}
    after = routes_if(fleet, dns, prefix, now, WhatIf(on=frozenset({"fra1", "iad1"})))
    assert after[key] == RouteAttributes(prepend=7)
    assert {each.upstream for each in after if each.pop == "fra1"} == {
        upstream.name for upstream in fleet.pop("fra1").upstreams if dns.policies["fra1", upstream.name].announce
    }
    assert {each.pop for each in after} == {"fra1", "iad1"}


def test_prepends_and_communities_take_the_place_of_those_of_now(fleet: Fleet) -> None:
    dns = fleet.services[0]
    prefix = dns.prefixes[0]
    one, two = (RouteKey("fra1", name, prefix) for name in ("transit-a", "transit-b"))
    was = RouteAttributes(prepend=1, med=5, communities=frozenset({parse_community("64500:1")}))
    new = frozenset({parse_community("64500:2")})
    tried = WhatIf(prepends={"fra1": 3, "fra1/transit-b": 0}, communities={"fra1/transit-b": new})
    after = routes_if(fleet, dns, prefix, {one: was, two: was}, tried)
    assert after == {
        one: RouteAttributes(prepend=3, med=5, communities=was.communities),
        two: RouteAttributes(prepend=0, med=5, communities=new),
    }


def test_what_is_not_there_is_refused_with_all_its_names(fleet: Fleet) -> None:
    dns = fleet.services[0]
    tried = WhatIf(off=frozenset({"x1", "fra1"}), on=frozenset({"fra1"}), prepends={"fra1/nobody": 1})
    with pytest.raises(MisuseError) as refused:
        routes_if(fleet, dns, dns.prefixes[0], {}, tried)
    first, *lines = str(refused.value).splitlines()
    assert first == "what is tried cannot be:"
    assert len(lines) == 3
    assert lines[0] == "fra1 is both off and on"
    assert "fra1 has no upstream nobody" in lines[1]
    assert "the service dns has no PoP x1" in lines[2]
