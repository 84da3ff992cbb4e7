"""The desired state: a revision, and what is at another one."""

from anycastle.model.prefix import parse_prefix
from anycastle.rollout.desired import DefinitionKey, Desired
from anycastle.rollout.intent import RouteKey

ROUTE = RouteKey("ams", "transit1", parse_prefix("192.0.2.0/24"))
CHECKS = DefinitionKey("ams", "dns")


def test_units_that_are_not_named_are_of_the_revision():
    assert Desired("old").of(ROUTE) == "old"


def test_a_step_sets_its_units_alone():
    stepped = Desired("old").with_units([ROUTE], "new")
    assert (stepped.of(ROUTE), stepped.of(CHECKS)) == ("new", "old")
    assert stepped.revisions == {"old", "new"}


def test_a_rollback_leaves_no_trace():
    assert Desired("old").with_units([ROUTE, CHECKS], "new").with_units([CHECKS, ROUTE], "old") == Desired("old")


def test_two_rollouts_side_by_side_keep_their_units():
    both = Desired("old").with_units([ROUTE], "one").with_units([CHECKS], "two")
    assert both.exceptions == {ROUTE: "one", CHECKS: "two"}
    assert both.with_units([ROUTE], "old").exceptions == {CHECKS: "two"}
