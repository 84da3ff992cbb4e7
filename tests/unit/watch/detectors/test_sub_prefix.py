"""More-specifics: by strangers, by ourselves, and those that the fleet's rules mean."""

import pytest

from anycastle.model.asn import ASN
from anycastle.model.prefix import parse_prefix
from anycastle.model.watch import MoreSpecificRule
from tests.unit.watch.scene import OURS, OWN, UPSTREAMS, Scene, watched

HALF = parse_prefix("192.0.2.0/25")
ONE = parse_prefix("192.0.2.53/32")


@pytest.mark.mission("F2", "C6")
def test_a_strangers_more_specific_is_found_and_cleared() -> None:
    scene = Scene()
    scene.see([1, 2], 666, prefix=HALF)
    scene.wait(5)
    scene.lose([1, 2], prefix=HALF)
    scene.wait(60)
    (opened,), (cleared,) = scene.opened(), scene.cleared()
    assert (opened.finding_kind, opened.subject, opened.prefixes) == ("sub_prefix", "AS666", ("192.0.2.0/25",))
    assert opened.severity == "critical"
    assert cleared.finding == opened.finding


def test_our_own_is_told_too_but_less_loudly() -> None:
    scene = Scene()
    scene.see([1, 2], UPSTREAMS[0], OWN, prefix=HALF)
    (opened,) = scene.opened()
    assert (opened.subject, opened.severity) == ("AS64500", "warning")


def test_one_attacker_with_many_prefixes_is_one_finding() -> None:
    scene = Scene()
    for number in range(64):
        scene.see([1, 2], 666, prefix=parse_prefix(f"192.0.2.{number}/32"))
        scene.wait(0.001)
    scene.wait(30)
    assert len(scene.opened()) == 1
    assert len(scene.updated()[-1].prefixes) == 64
    assert len(scene.updated()) == 17, "sixteen at once, then one for the rest"


SCRUBBER = MoreSpecificRule(OURS, 25, (ASN(64999),), (ASN(64999),))


@pytest.mark.parametrize(
    ("rule", "path", "prefix", "kinds"),
    [
        (SCRUBBER, (64999,), HALF, []),
        (SCRUBBER, (64999,), ONE, ["sub_prefix"]),
        (SCRUBBER, (64998,), HALF, ["sub_prefix"]),
        (MoreSpecificRule(OURS, 32), (UPSTREAMS[0], OWN), ONE, []),
        (MoreSpecificRule(OURS, 32, through=(ASN(64999),)), (UPSTREAMS[0], OWN), ONE, ["sub_prefix"]),
        (MoreSpecificRule(OURS, 32, through=(UPSTREAMS[0],)), (UPSTREAMS[0], OWN), ONE, []),
    ],
)
def test_what_a_rule_means_is_let_be(
    rule: MoreSpecificRule, path: tuple[int, ...], prefix: object, kinds: list[str]
) -> None:
    scene = Scene(watched(more_specifics=(rule,)))
    scene.see([1, 2], *path, prefix=prefix)  # type: ignore[arg-type]
    assert [each.finding_kind for each in scene.opened()] == kinds


def test_a_covering_route_is_no_finding() -> None:
    scene = Scene()
    scene.see([1, 2], 666, prefix=parse_prefix("192.0.0.0/16"))
    assert scene.events == []
