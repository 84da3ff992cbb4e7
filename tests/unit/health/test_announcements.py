from anycastle.health.announcements import announcements_of
from anycastle.model.announcement import Announcement, RouteAttributes
from anycastle.model.community import NO_EXPORT
from anycastle.model.fleet import SharedPrefix
from anycastle.model.service import Policy, SlowStart
from anycastle.model.stance import Stance
from tests.unit.health.world import PREFIX, STEERED, fleet, service

NO_SLOW: frozenset[str] = frozenset()


def test_an_upstream_without_a_policy_or_with_a_refusal_is_told_nothing() -> None:
    silent = service("silent", policies={("ams", "transit"): Policy(announce=False)})
    unknown = service("unknown", policies={})
    for made in (silent, unknown):
        whole = fleet(made)
        stances = {made.name: Stance.ANNOUNCE}
        assert announcements_of(whole, whole.pop("ams"), (made,), stances, NO_SLOW) == frozenset()


def test_a_slow_start_comes_on_top_of_what_the_policy_says() -> None:
    usual = RouteAttributes(prepend=1, med=50, communities=frozenset({NO_EXPORT}))
    made = service(
        policies={("ams", "transit"): Policy(attributes=usual)},
        slow_start=SlowStart(30, RouteAttributes(prepend=2, communities=STEERED.communities)),
    )
    whole = fleet(made)
    (route,) = announcements_of(whole, whole.pop("ams"), (made,), {"dns": Stance.STEER}, frozenset({"dns"}))
    expected = RouteAttributes(prepend=3, med=50, communities=STEERED.communities | {NO_EXPORT})
    assert route == Announcement(PREFIX, "transit", expected)


def test_of_services_that_share_a_prefix_one_that_serves_as_usual_decides() -> None:
    first, second = service("first"), service("second")
    whole = fleet(first, second)
    stances = {"first": Stance.STEER, "second": Stance.ANNOUNCE}
    made = announcements_of(whole, whole.pop("ams"), (first, second), stances, NO_SLOW)
    assert made == {Announcement(PREFIX, "transit")}
    stances = {"first": Stance.STEER, "second": Stance.WITHDRAW}
    (route,) = announcements_of(whole, whole.pop("ams"), (first, second), stances, NO_SLOW)
    assert route.attributes == STEERED
    anyone = fleet(first, second, shared_prefixes={PREFIX: SharedPrefix.ANY})
    assert announcements_of(anyone, anyone.pop("ams"), (first, second), stances, NO_SLOW) == frozenset()
