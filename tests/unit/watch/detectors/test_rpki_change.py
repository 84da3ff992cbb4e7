"""Our own announcement and its ROA."""

import pytest

from anycastle.model.asn import ASN
from anycastle.model.prefix import Prefix
from anycastle.watch.detectors.rpki_change import NAME
from anycastle.watch.validation import NoValidation, Validity
from tests.unit.watch.scene import Scene


class Table(NoValidation):
    def __init__(self, validity: Validity) -> None:
        self.now = validity

    def validity(self, prefix: Prefix, origin: ASN) -> Validity:
        return self.now


def changed(*validities: Validity) -> Scene:
    table = Table(validities[0])
    scene = Scene(validation=table)
    scene.seed(10)
    scene.wait(10)
    for validity in validities[1:]:
        table.now = validity
        scene.engine.revalidate()
        scene.wait(10)
    return scene


@pytest.mark.mission("I8", "C11")
def test_invalid_is_told_also_at_the_start_and_over_when_valid() -> None:
    scene = changed(Validity.INVALID, Validity.VALID)
    (opened,) = scene.opened(NAME)
    assert (opened.subject, opened.severity, opened.at_start) == ("AS64500", "critical", True)
    assert len(scene.cleared(NAME)) == 1


@pytest.mark.mission("I8")
def test_a_roa_that_is_gone_is_told() -> None:
    scene = changed(Validity.VALID, Validity.NOT_FOUND)
    (opened,) = scene.opened(NAME)
    assert (opened.severity, opened.validity) == ("warning", "not_found")


@pytest.mark.parametrize(
    "course",
    [
        (Validity.NOT_FOUND, Validity.NOT_FOUND),
        (Validity.VALID, Validity.UNKNOWN, Validity.VALID),
        (Validity.UNKNOWN, Validity.NOT_FOUND, Validity.UNKNOWN),
        (Validity.NOT_FOUND, Validity.VALID),
    ],
)
def test_what_was_never_there_and_what_is_not_known_is_no_change(course: tuple[Validity, ...]) -> None:
    assert changed(*course).events == []


def test_invalid_stays_so_while_nothing_is_known() -> None:
    scene = changed(Validity.INVALID, Validity.UNKNOWN)
    assert (len(scene.opened(NAME)), len(scene.cleared(NAME))) == (1, 0)
