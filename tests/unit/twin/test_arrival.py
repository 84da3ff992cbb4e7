"""How long a change takes, on the graph of twelve: who counts, by whom they hear, and what kind of change it is."""

from dataclasses import replace

import numpy as np
import pytest

from anycastle.base.errors import MisuseError
from anycastle.twin.arrival import action_of, arrival
from anycastle.twin.convergence import Observed, Overlay, Times
from anycastle.twin.deployment import Configuration, Treatment
from anycastle.twin.intent import Intent, intent_of, without_pops
from anycastle.twin.predict import Asked, predict_shift
from tests.unit.twin.fleets import three, users_on
from tests.unit.twin.twelve import twelve

AT_ONCE = Times.of_samples([0.0])
TEN_SECONDS = (Observed("withdraw", Times.of_samples([10.0]), AT_ONCE),)


def intents(*gone: str) -> tuple[Intent, Intent]:
    now = intent_of(three(), twelve())
    return now, without_pops(now, gone)


def arrived(now: Intent, then: Intent) -> Overlay:
    graph = twelve()
    shift = predict_shift(graph, now, then, np.random.default_rng(1), Asked(users_on(graph), members=64))
    return arrival(graph, now, then, shift, TEN_SECONDS, np.random.default_rng(1))


@pytest.mark.mission("C12")
def test_west_withdraws() -> None:
    """As in test_predict: 7 (3 users of 12) and 8 (1) go to east. Both hear it from 3, so they are one branch."""
    found = arrived(*intents("west"))

    assert (found.action, found.branches, round(12 * found.moved, 9)) == ("withdraw", 1, 4)
    assert [each.seconds for each in found.arrivals] == [(10.0,) * 3] * 3


def test_who_is_left_without_a_route_never_arrives() -> None:
    found = arrived(*intents("west", "east", "nine"))
    assert (found.moved, found.arrivals) == (0, ())


def test_what_kind_of_change_it_is() -> None:
    now, less = intents("west")
    prepended = replace(now, configuration=Configuration({**now.configuration.announced, "west/as7": Treatment(3)}))
    assert [action_of(*each) for each in ((now, less), (less, now), (now, prepended))] == [
        "withdraw", "announce", "announce",
    ]  # fmt: skip


def test_a_change_that_was_never_measured() -> None:
    with pytest.raises(MisuseError, match="no convergence of 'announce' was measured; there is: withdraw"):
        arrived(*reversed(intents("west")))
