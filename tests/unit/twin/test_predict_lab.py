"""The labs' topologies: what the twin predicts is what their comments say, and what the demo's own speakers do."""

import pytest

from tests.unit.twin.lab_fleets import possible_pops


@pytest.mark.mission("C12", "C17")
def test_three_pops() -> None:
    """As the topology's drawing tells: c1 is served by pop1, c2 by pop2, c3 by pop3; with pop1 lost, c1 by pop3."""
    assert possible_pops("three-pops") == {"c1": {"pop1"}, "c2": {"pop2"}, "c3": {"pop3"}}
    assert possible_pops("three-pops", "pop1") == {"c1": {"pop3"}, "c2": {"pop2"}, "c3": {"pop3"}}


def test_the_demos_world() -> None:
    """Berlin, Bogotá and Nairobi peer with a PoP. Chicago's only provider hears iad and gru alike. Sydney and Mumbai
    are behind the transit of sin.
    """
    assert possible_pops("world") == {
        "berlin": {"ams"}, "chicago": {"iad", "gru"}, "bogota": {"gru"}, "mumbai": {"sin"}, "nairobi": {"jnb"},
        "sydney": {"sin"},
    }  # fmt: skip
    assert possible_pops("world", "sin")["sydney"] == {"ams", "iad", "gru", "jnb"}
