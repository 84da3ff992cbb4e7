"""What a route concerns, among more prefixes than one would ask one by one."""

import pytest

from anycastle.base.errors import ParseError
from anycastle.model.asn import ASN
from anycastle.model.prefix import parse_prefix
from anycastle.watch import table as table_module
from anycastle.watch.intent import WatchedPrefix
from anycastle.watch.table import Concern, WatchedTable


def table(*texts: str) -> WatchedTable:
    return WatchedTable([WatchedPrefix(parse_prefix(text), frozenset({ASN(64500)})) for text in texts])


@pytest.mark.parametrize(
    ("text", "watched", "concern"),
    [
        ("192.0.2.0/24", "192.0.2.0/24", Concern.EXACT),
        ("192.0.2.64/26", "192.0.2.0/24", Concern.MORE_SPECIFIC),
        ("192.0.2.200/32", "192.0.2.128/25", Concern.MORE_SPECIFIC),
        ("192.0.0.0/16", "192.0.2.0/24", Concern.COVERING),
        ("192.0.3.0/24", None, None),
        ("191.255.255.0/24", None, None),
        ("0.0.0.0/0", None, None),
        ("::/0", None, None),
        ("2001:db8:53:1::/64", "2001:db8:53::/48", Concern.MORE_SPECIFIC),
        ("2001:db8:53:0:0:0:0:0/48", "2001:db8:53::/48", Concern.EXACT),
        ("2001:db8::/32", "2001:db8:53::/48", Concern.COVERING),
    ],
)
def test_concern(text: str, watched: str | None, concern: Concern | None) -> None:
    asked = table("192.0.2.0/24", "192.0.2.128/25", "2001:db8:53::/48")
    for found in (asked.concern(parse_prefix(text)), asked.concern_of_text(text), asked.concern_of_text(text)):
        assert (found and str(found.watched.prefix), found and found.concern) == (watched, concern)


def test_what_is_no_prefix_is_refused_and_not_remembered() -> None:
    asked = table("192.0.2.0/24")
    for _ in range(2):
        with pytest.raises(ParseError):
            asked.concern_of_text("192.0.2.1/24")


def test_memory_of_texts_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_module, "TEXTS_KEPT_MAX", 10)
    asked = table("192.0.2.0/24")
    for number in range(100):
        asked.concern_of_text(f"10.0.{number}.0/24")
        assert len(asked.nobodys) <= 10
