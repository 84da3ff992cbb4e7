"""A ROA that nobody renews."""

import pytest

from anycastle.base.ports import Timestamp
from anycastle.model.asn import ASN
from anycastle.model.prefix import Prefix
from anycastle.watch.detectors.roa_expiry import NAME
from anycastle.watch.validation import NoValidation, Validity
from tests.unit.watch.scene import START, Scene

HOUR_S = 3600.0


class Export(NoValidation):
    def __init__(self, hours: float | None) -> None:
        self.end = self.at(hours)

    @staticmethod
    def at(hours: float | None) -> Timestamp | None:
        return None if hours is None else Timestamp(START + hours * HOUR_S)

    def validity(self, prefix: Prefix, origin: ASN) -> Validity:
        return Validity.VALID

    def expiry(self, prefix: Prefix, origin: ASN) -> Timestamp | None:
        return self.end


def watch(export: Export) -> Scene:
    scene = Scene(validation=export)
    scene.seed()
    scene.engine.revalidate()
    scene.wait(10)
    return scene


@pytest.mark.mission("I8", "C11")
def test_a_roa_that_is_not_renewed_is_told_grows_urgent_and_is_over_when_it_is_renewed() -> None:
    export = Export(3.5)
    scene = watch(export)
    assert not scene.opened(NAME)
    scene.wait(HOUR_S)
    (opened,) = scene.opened(NAME)
    assert (opened.subject, opened.severity, opened.validity) == ("AS64500", "warning", "valid")
    assert "expires in 180 min, and was not renewed" in opened.reasons[0]
    export.end = export.at(6)
    scene.engine.revalidate()
    scene.wait(10)
    assert not scene.cleared(NAME), "renewed, but not by much"
    export.end = export.at(30)
    scene.engine.revalidate()
    scene.wait(10)
    assert len(scene.cleared(NAME)) == 1


def test_the_last_hour_is_critical() -> None:
    assert [each.severity for each in watch(Export(0.5)).opened(NAME)] == ["critical"]


@pytest.mark.parametrize("hours", [None, 9, 24])
def test_a_usual_end_and_an_unknown_one_are_no_finding(hours: float | None) -> None:
    assert not watch(Export(hours)).opened(NAME)
