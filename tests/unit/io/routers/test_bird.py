from collections.abc import Callable
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from anycastle.io.routers.bird import BirdDriver
from anycastle.io.routers.bird_config import render
from anycastle.model.announcement import NOTHING
from anycastle.model.asn import ASN
from anycastle.model.pop import Location, PoP, Router

POP = PoP("fra", "Frankfurt", Location(50.1, 8.7), "europe", Router("bird", IPv4Address("10.0.0.1")), ())
EDITS = 50
"""Enough for some to fall within the tick in which the file was written: Linux before 6.13 gives both that time."""


@pytest.mark.parametrize("before", [lambda driver: None, BirdDriver._renew])
def test_an_edit_in_place_right_after_our_writing_is_seen_although_the_size_stays(
    before: Callable[[BirdDriver], None], tmp_path: Path
) -> None:
    driver = BirdDriver(ASN(64500), POP, tmp_path)
    driver.claimed()
    ours = render(NOTHING, {})
    edited = ours.swapcase()
    for _ in range(EDITS):
        driver._write_file(ours)
        before(driver)
        assert driver._read_file() == ours
        driver.include.write_text(edited)
        assert driver._read_file() == edited
        driver._renew()
        assert driver._read_file() == edited


def test_a_file_that_is_gone_is_read_as_gone(tmp_path: Path) -> None:
    driver = BirdDriver(ASN(64500), POP, tmp_path)
    driver.claimed()
    driver._write_file(render(NOTHING, {}))
    driver.include.unlink()
    driver._renew()
    assert driver._read_file() is None
