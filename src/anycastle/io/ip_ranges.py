"""Ranges of IPv4 addresses and the ASN or country of each: CSV `FIRST,LAST,VALUE[,NAME]`, addresses as numbers."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from anycastle.base.errors import ParseError
from anycastle.io.catchments.text import read_text

BAD_LINES_SHOWN: Final = 20


@dataclass(frozen=True, slots=True)
class IPRanges:
    """Ranges in ascending order, and what holds each."""

    first: NDArray[np.int64]
    last: NDArray[np.int64]
    value: NDArray[np.str_]

    def find(self, addresses: NDArray[np.int64]) -> NDArray[np.str_]:
        """Give what holds each address; '' where nothing does."""
        at = np.searchsorted(self.first, addresses, "right") - 1
        inside = (at >= 0) & (addresses <= self.last[np.maximum(at, 0)])
        return np.where(inside, self.value[np.maximum(at, 0)], "")

    def asn_of(self, address: int) -> int:
        """Give the ASN that holds an address; 0 where none does."""
        return int(str(self.find(np.array([address], np.int64))[0]) or 0)


def read_ip_ranges(path: Path) -> IPRanges:
    """Read a file of ranges. Raises `ParseError` that names every bad line as `FILE:LINE:COLUMN`, up to 20."""
    first, last, value, bad = list[int](), list[int](), list[str](), list[str]()
    for number, line in enumerate(read_text(path).splitlines(), 1):
        fields = line.split(",", 3)
        if not _is_range(fields):
            bad.append(f"{path}:{number}:1: {line[:60]!r} is no range FIRST,LAST,VALUE of IPv4 addresses as numbers")
            continue
        first.append(int(fields[0]))
        last.append(int(fields[1]))
        value.append(fields[2])
    if bad:
        more = [f"and {len(bad) - BAD_LINES_SHOWN} more"] if len(bad) > BAD_LINES_SHOWN else []
        raise ParseError("\n".join([*bad[:BAD_LINES_SHOWN], *more]))
    order = np.argsort(np.array(first, np.int64), kind="stable")
    return IPRanges(np.array(first, np.int64)[order], np.array(last, np.int64)[order], np.array(value, np.str_)[order])


def _is_range(fields: list[str]) -> bool:
    if len(fields) < 3 or not all(each.isascii() and each.isdigit() and len(each) <= 10 for each in fields[:2]):
        return False
    return int(fields[0]) <= int(fields[1]) <= 0xFFFFFFFF


def country_of_asns(asns: IPRanges, countries: IPRanges) -> dict[int, str]:
    """Give the country in which each ASN has most of its addresses."""
    size = asns.last - asns.first + 1
    where = countries.find(asns.first)
    total: dict[tuple[int, str], int] = {}
    for asn, country, addresses in zip(asns.value.tolist(), where.tolist(), size.tolist(), strict=True):
        if country and asn.isdigit():
            key = (int(asn), country)
            total[key] = total.get(key, 0) + addresses
    best: dict[int, tuple[int, str]] = {}
    for (number, country), addresses in total.items():
        best[number] = max(best.get(number, (0, "")), (addresses, country))
    return {number: country for number, (_, country) in best.items()}
