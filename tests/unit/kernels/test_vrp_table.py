import random
from itertools import product

import numpy as np
import pytest

from anycastle.base.errors import MisuseError
from anycastle.kernels import vrp_table
from anycastle.kernels.vrp_table import VRPTable, columns_of
from anycastle.model.asn import ASN
from anycastle.model.prefix import Family, Prefix, parse_prefix
from anycastle.model.rpki import VRP, Validity


def vrp(prefix: str, asn: int, max_length: int | None = None) -> VRP:
    parsed = parse_prefix(prefix)
    return VRP(parsed, parsed.length if max_length is None else max_length, ASN(asn))


TABLE = VRPTable.of(
    [
        vrp("192.0.2.0/24", 64500),
        vrp("198.51.0.0/16", 64500, 20),
        vrp("198.51.0.0/16", 64501),
        vrp("198.51.100.0/24", 0),
        vrp("2001:db8::/32", 64500, 48),
        vrp("2001:db8:1:2:8000::/65", 64502),
        vrp("0.0.0.0/0", 64509, 8),
    ]
)


@pytest.mark.rfc("6811", "2")
@pytest.mark.mission("C11", "I8")
@pytest.mark.parametrize(
    ("prefix", "origin", "expected"),
    [
        ("192.0.2.0/24", 64500, Validity.VALID),
        ("192.0.2.0/24", 64501, Validity.INVALID),
        ("192.0.2.0/25", 64500, Validity.INVALID),  # longer than the maximum length
        ("198.51.64.0/20", 64500, Validity.VALID),
        ("198.51.64.0/21", 64500, Validity.INVALID),
        ("198.51.0.0/16", 64501, Validity.VALID),
        ("198.51.100.0/24", 0, Validity.INVALID),  # AS0 matches nothing (RFC 6483 §4)
        ("2001:db8:1::/48", 64500, Validity.VALID),
        ("2001:db8:1::/49", 64500, Validity.INVALID),
        ("2001:db8:1:2:8000::/65", 64502, Validity.VALID),
        ("2001:db9::/32", 64500, Validity.NOT_FOUND),
        ("10.0.0.0/8", 64509, Validity.VALID),  # by 0.0.0.0/0
        ("10.0.0.0/8", 64500, Validity.INVALID),
    ],
)
def test_a_routes_origin_is_validated(prefix: str, origin: int, expected: Validity) -> None:
    assert TABLE.validity(parse_prefix(prefix), ASN(origin)) is expected


def test_an_empty_table_finds_nothing() -> None:
    assert VRPTable.of([]).validity(parse_prefix("192.0.2.0/24"), ASN(1)) is Validity.NOT_FOUND


def test_what_covers_a_prefix_and_what_lies_in_it_is_told() -> None:
    assert TABLE.covering(parse_prefix("198.51.100.0/25")) == (
        vrp("0.0.0.0/0", 64509, 8),
        vrp("198.51.0.0/16", 64500, 20),
        vrp("198.51.0.0/16", 64501),
        vrp("198.51.100.0/24", 0),
    )
    assert TABLE.within(parse_prefix("198.51.0.0/17")) == (vrp("198.51.100.0/24", 0),)
    assert TABLE.within(parse_prefix("2001:db8::/32")) == (
        vrp("2001:db8::/32", 64500, 48),
        vrp("2001:db8:1:2:8000::/65", 64502),
    )


def test_rows_told_twice_count_once_and_the_later_expiry_holds() -> None:
    one = vrp("192.0.2.0/24", 64500)
    ipv4 = columns_of(Family.IPV4, [one], 100).joined(columns_of(Family.IPV4, [one], 300))
    table = VRPTable(ipv4.joined(columns_of(Family.IPV4, [one], 200)), columns_of(Family.IPV6, []))
    assert len(table) == 1
    assert table.expiry(one) == 300
    assert table.expiry(vrp("192.0.2.0/24", 64501)) is None
    assert TABLE.expiry(one) is None


def test_an_update_adds_and_takes_away() -> None:
    later = TABLE.update(
        [vrp("203.0.113.0/24", 64503), vrp("2001:db8:5::/48", 64503)],
        [vrp("192.0.2.0/24", 64500), vrp("198.51.0.0/16", 64500), vrp("2001:db8::/32", 64500, 48)],
    )
    assert later.validity(parse_prefix("203.0.113.0/24"), ASN(64503)) is Validity.VALID
    assert later.validity(parse_prefix("192.0.2.0/24"), ASN(64500)) is Validity.INVALID  # 0.0.0.0/0 still covers it
    assert vrp("198.51.0.0/16", 64500, 20) in later.covering(parse_prefix("198.51.0.0/16"))  # /16-16 was not there
    assert later.validity(parse_prefix("2001:db8:5::/48"), ASN(64503)) is Validity.VALID
    assert later.validity(parse_prefix("2001:db8:6::/48"), ASN(64500)) is Validity.NOT_FOUND
    assert len(later) == len(TABLE) + 2 - 2
    assert TABLE.validity(parse_prefix("192.0.2.0/24"), ASN(64500)) is Validity.VALID  # a table never changes


def test_rows_of_another_family_are_refused() -> None:
    with pytest.raises(MisuseError, match="ipv6"):
        columns_of(Family.IPV6, [vrp("192.0.2.0/24", 1)])


def plainly(vrps: list[VRP], prefix: Prefix, origin: int) -> int:
    """RFC 6811 §2, word by word."""
    covering = [each for each in vrps if each.prefix.contains(prefix)]
    if any(each.asn == origin != 0 and prefix.length <= each.max_length for each in covering):
        return 2
    return 1 if covering else 0


@pytest.mark.rfc("6811", "2")
@pytest.mark.parametrize(("family", "seed"), list(product(Family, range(6))))
def test_a_table_says_what_the_rfc_says_word_by_word(family: Family, seed: int) -> None:
    rng = random.Random(seed)

    def draw() -> Prefix:
        length = rng.choice((0, 1, 2, 3, 4, 5, 6, 64, 65) if family is Family.IPV6 else (0, 1, 2, 3, 4, 5, 6, 31, 32))
        top = rng.randrange(64)  # few networks, so that many contain each other
        network = top << (family.bits - 6) >> (family.bits - length) << (family.bits - length)
        return Prefix(family, network, length)

    prefixes = [draw() for _ in range(60)]
    vrps = [VRP(each, rng.randint(each.length, family.bits), ASN(rng.randrange(4))) for each in prefixes]
    table = VRPTable.of(vrps)
    routes = [(draw(), rng.randrange(4)) for _ in range(400)]
    rows = columns_of(family, [VRP(prefix, prefix.length, ASN(origin)) for prefix, origin in routes])
    codes = table.validate(family, rows.network, rows.length, rows.asn)
    assert list(codes) == [plainly(vrps, prefix, origin) for prefix, origin in routes]
    assert codes.dtype == np.uint8
    assert set(table.within(prefixes[0])) == {each for each in vrps if prefixes[0].contains(each.prefix)}
    gone = rng.sample(vrps, 30)
    fewer = table.update([], gone)
    assert list(fewer.validate(family, rows.network, rows.length, rows.asn)) == [
        plainly([each for each in vrps if each not in gone], prefix, origin) for prefix, origin in routes
    ]


@pytest.mark.mission("I8")
@pytest.mark.parametrize("seed", range(20))
def test_an_update_row_by_row_gives_what_sorting_all_gives(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(seed)

    def some(count: int) -> list[VRP]:
        return [
            VRP(parse_prefix(text), chance.choice((24, 32)) if "." in text else 64, ASN(chance.randrange(4)))
            for text in chance.choices(("10.0.0.0/8", "10.1.0.0/16", "192.0.2.0/24", "2001:db8::/32", "::/0"), k=count)
        ]

    merged = sorted_anew = VRPTable.of(some(chance.randrange(30)))
    for _ in range(5):
        announced, withdrawn = some(chance.randrange(6)), some(chance.randrange(6))
        merged = merged.update(announced, withdrawn)
        monkeypatch.setattr(vrp_table, "MERGED_MAX", -1)
        sorted_anew = sorted_anew.update(announced, withdrawn)
        monkeypatch.undo()
        for family in Family:
            one, other = merged.rows(family), sorted_anew.rows(family)
            assert all(
                (a == b).all() and a.dtype == b.dtype for a, b in zip(one._columns(), other._columns(), strict=True)
            )
