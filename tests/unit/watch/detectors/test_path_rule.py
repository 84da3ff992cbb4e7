"""The operator's own rules over paths."""

import pytest

from anycastle.model.watch import PathRule
from anycastle.watch.detectors.path_rule import broken
from tests.unit.watch.scene import OWN, UPSTREAMS, Scene, watched


@pytest.mark.parametrize(
    ("rule", "path", "breaks"),
    [
        (PathRule(r"\b666\b"), "1 666 2", True),
        (PathRule(r"\b666\b"), "1 6660 2", False),
        (PathRule(r"\b666\b", unless=r"\b5\b"), "5 666 2", False),
        (PathRule("2$", longest=3), "1 3 2", False),
        (PathRule("2$", longest=2), "1 3 2", True),
        (PathRule("2$", shortest=4), "1 3 2", True),
        (PathRule("2$", shortest=3), "1 3 2", False),
        (PathRule("2$", shortest=3, longest=4), "1 3 4 5 2", True),
    ],
)
def test_rule(rule: PathRule, path: str, breaks: bool) -> None:
    assert (broken(rule, path, len(path.split())) is not None) is breaks


def test_a_broken_rule_is_found_and_cleared() -> None:
    scene = Scene(watched(path_rules=(PathRule("^1", unless="3356"), PathRule("666", reason="never through them"))))
    scene.see([1, 2], 3356, 666, UPSTREAMS[0], OWN)
    scene.see([1, 2], 3356, UPSTREAMS[0], OWN)
    scene.wait(60)
    (opened,) = scene.opened()
    assert (opened.finding_kind, opened.subject) == ("path_rule", "rule 2")
    assert opened.reasons[0].endswith("matches '666': never through them")
    assert len(scene.cleared()) == 1
