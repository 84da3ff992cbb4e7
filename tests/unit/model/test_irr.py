import pytest

from anycastle.base.errors import MisuseError, ParseError
from anycastle.model.asn import ASN
from anycastle.model.irr import SetName, format_member, parse_member, parse_set_name
from anycastle.model.prefix import parse_prefix
from anycastle.model.prefix_range import PrefixRange, exactly


@pytest.mark.rfc("2622", "5")
@pytest.mark.parametrize(
    ("text", "name", "source", "hierarchical"),
    [
        ("AS-EXAMPLE", "AS-EXAMPLE", "", False),
        ("as64500:as-customers", "AS64500:AS-CUSTOMERS", "", True),
        ("AS-A:AS64500:AS-B_1", "AS-A:AS64500:AS-B_1", "", False),
        ("radb::As-Example", "AS-EXAMPLE", "RADB", False),
        ("RIPE::AS64500:AS-X", "AS64500:AS-X", "RIPE", True),
    ],
)
def test_names_of_sets(text: str, name: str, source: str, hierarchical: bool) -> None:
    parsed = parse_set_name(text)
    assert parsed == SetName(name, source)
    assert parsed.hierarchical is hierarchical
    assert parse_set_name(str(parsed)) == parsed


@pytest.mark.parametrize(
    "text",
    ["", "AS-", "AS64500", "EXAMPLE", "AS-X:", ":AS-X", "AS-X:Y", "::AS-X", "A B::AS-X", "AS-ANY", "AS-A\n!q", "AS-Ä",
     "AS99999999999:AS-X", "AS-" + "X" * 200],
)  # fmt: skip
def test_what_is_no_name_of_a_set(text: str) -> None:
    with pytest.raises(ParseError):
        parse_set_name(text)


def test_members_are_networks_or_sets() -> None:
    assert parse_member("as64500") == ASN(64500)
    assert parse_member("AS1.1") == ASN(65537)
    assert parse_member("AS-X") == SetName("AS-X")
    assert [format_member(each) for each in (ASN(1), SetName("AS-X", "RIPE"))] == ["AS1", "RIPE::AS-X"]


def test_a_range_of_prefixes_matches_by_length_and_place() -> None:
    each = PrefixRange(parse_prefix("192.0.2.0/24"), 25, 26)
    assert each.matches(parse_prefix("192.0.2.64/26"))
    assert not each.matches(parse_prefix("192.0.2.0/24"))
    assert not each.matches(parse_prefix("192.0.3.0/25"))
    assert (str(each), str(exactly(each.prefix))) == ("192.0.2.0/24{25,26}", "192.0.2.0/24")
    for shortest, longest in ((23, 24), (26, 25), (24, 33)):
        with pytest.raises(MisuseError):
            PrefixRange(each.prefix, shortest, longest)
