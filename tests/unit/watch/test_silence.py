"""Silence of feeds and peers, in seconds, told once, and its end."""

import pytest

from anycastle.base.ports import Timestamp
from anycastle.watch.silence import SilenceWatch
from tests.unit.watch.scene import peer


def at(seconds: float) -> Timestamp:
    return Timestamp(seconds)


@pytest.mark.mission("I2")
def test_a_feed_that_falls_silent_is_told_once_and_when_it_speaks_again() -> None:
    watch = SilenceWatch(feed_limit_s=60)
    watch.expect("ris", at(0))
    assert watch.check(at(59)) == []
    (silent,) = watch.check(at(60))
    assert (silent.feed, silent.peer, silent.seconds, silent.silent) == ("ris", None, 60, True)
    assert watch.check(at(300)) == []
    (speaks,) = watch.heard("ris", None, at(301))
    assert (speaks.seconds, speaks.silent) == (301, False)
    assert watch.check(at(302)) == []


@pytest.mark.mission("I2")
def test_peers_are_counted_and_told_of_only_where_that_is_asked_for() -> None:
    quiet, loud = SilenceWatch(60), SilenceWatch(60, peer_limit_s=30)
    for watch in (quiet, loud):
        watch.heard("ris", None, at(0))
        watch.heard("ris", peer(1), at(0))
        watch.heard("ris", None, at(40))
    assert quiet.check(at(40)) == []
    (silent,) = loud.check(at(40))
    assert silent.peer == peer(1)
    assert quiet.silences(at(45)) == [("ris", None, 5), ("ris", peer(1), 45)]
