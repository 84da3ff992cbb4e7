"""Which questions are drawn of a zone, and how often."""

import random
from collections import Counter

import pytest

from anycastle.probe.kinds.zone import Drawn, ZoneAsk, ZoneSeen, draw, judge

NAMES = ("arpa", "com", "org", "net")
DRAWS = 20_000

pytestmark = pytest.mark.mission("M3")


def drawn(ask: ZoneAsk, names: tuple[str, ...]) -> list[Drawn]:
    randomness = random.Random(7)
    return [draw(ask, names, randomness) for _ in range(DRAWS)]


def test_nine_of_ten_are_for_what_is_there_over_either_transport_alike() -> None:
    found = drawn(ZoneAsk(), NAMES)
    counts = Counter(each.record_type for each in found)
    assert counts["A"] / DRAWS == pytest.approx(0.1, abs=0.01)
    assert sum(each.transport == "udp" for each in found) / DRAWS == pytest.approx(0.5, abs=0.02)
    apex = Counter(each.record_type for each in found if each.name == ".")
    assert apex.keys() == {"SOA", "DNSKEY", "NS"}
    assert max(apex.values()) / min(apex.values()) < 1.1


def test_a_delegation_that_the_same_servers_serve_is_asked_for_its_ds_alone() -> None:
    found = {(each.name, each.record_type) for each in drawn(ZoneAsk(), NAMES) if each.record_type != "A"}
    assert ("arpa.", "DS") in found
    assert ("arpa.", "NS") not in found
    assert {("com.", "NS"), ("com.", "DS"), ("org.", "NS"), ("net.", "DS")} < found


def test_names_that_are_not_there_have_ten_random_letters_below_the_origin() -> None:
    names = {each.name for each in drawn(ZoneAsk(origin="example."), ()) if each.record_type == "A"}
    assert len(names) > DRAWS * 0.09
    for name in names:
        labels = name.split(".")
        assert labels[:2] == ["www", "rssac047-test"]
        assert (len(labels[2]), labels[3:]) == (10, ["example", ""])


def test_without_names_the_apex_alone_is_asked_for() -> None:
    found = drawn(ZoneAsk(origin="example."), ())
    assert {each.name for each in found if each.record_type != "A"} == {"example."}


@pytest.mark.parametrize(("rcode", "good"), [("NOERROR", True), ("NXDOMAIN", True), ("REFUSED", False)])
def test_any_other_rcode_is_no_answer(rcode: str, good: bool) -> None:
    failure = judge(ZoneSeen("com.", "NS", "udp", rcode, "", 12, ""))
    assert (failure is None) is good
    if failure is not None:
        assert failure.words == "rcode REFUSED to com. NS, expected NOERROR or NXDOMAIN"
