"""A prefix that nobody is to announce."""

import pytest

from anycastle.model.prefix import parse_prefix
from tests.unit.watch.scene import OURS, OWN, UPSTREAMS, Scene, watched


@pytest.mark.mission("F2")
@pytest.mark.parametrize(
    ("text", "path", "severity"),
    [
        ("192.0.2.0/24", (666,), "critical"),
        ("192.0.2.128/25", (666,), "critical"),
        ("192.0.2.0/24", (UPSTREAMS[0], OWN), "warning"),
    ],
)
def test_whoever_announces_it_is_found(text: str, path: tuple[int, ...], severity: str) -> None:
    scene = Scene(watched(announced=False))
    scene.see([1, 2], *path, prefix=parse_prefix(text))
    scene.lose([1, 2], prefix=parse_prefix(text))
    scene.wait(60)
    (opened,) = scene.opened()
    assert (opened.finding_kind, opened.subject, opened.severity) == ("squatting", f"AS{path[-1]}", severity)
    assert len(scene.cleared()) == 1


def test_its_absence_is_as_it_should_be() -> None:
    scene = Scene(watched(announced=False))
    scene.seed(10, prefixes=())
    scene.wait(600)
    assert scene.events == []
    assert scene.engine.table.get(OURS) is not None
