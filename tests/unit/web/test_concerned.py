"""Which services a step from one fleet to another concerns."""

from dataclasses import replace

from anycastle.model.fleet import Fleet
from anycastle.model.prefix import parse_prefix
from anycastle.web.concerned import differing
from tests.unit.health.world import fleet, service

OTHER = parse_prefix("198.51.100.0/24")


def two() -> Fleet:
    """Two services without a prefix in common."""
    return fleet(service("dns"), service("web", prefixes=(OTHER,)))


def changed(made: Fleet, name: str, **changes: object) -> Fleet:
    services = tuple(replace(each, **changes) if each.name == name else each for each in made.services)
    return replace(made, services=services)


def test_nothing_differs() -> None:
    assert differing(two(), two()) == set()


def test_only_what_changed_is_concerned() -> None:
    assert differing(two(), changed(two(), "web", manage_addresses=False)) == {"web"}


def test_a_service_that_comes_or_goes_is_concerned() -> None:
    one = replace(two(), services=two().services[:1])
    assert differing(one, two()) == differing(two(), one) == {"web"}


def test_who_shares_a_prefix_is_concerned_too() -> None:
    dns = two().services[0]
    sharing = changed(two(), "web", prefixes=dns.prefixes)
    assert differing(two(), sharing) == {"dns", "web"}


def test_where_anything_else_changed_all_are_concerned() -> None:
    assert differing(two(), replace(two(), name="another")) == {"dns", "web"}
    assert differing(None, two()) == {"dns", "web"}
