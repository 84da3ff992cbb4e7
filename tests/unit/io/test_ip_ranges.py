"""Ranges of addresses: who holds one, and where an ASN has most of its own."""

import numpy as np
import pytest

from anycastle.base.errors import ParseError
from anycastle.io.ip_ranges import country_of_asns, read_ip_ranges


def test_an_address_is_found_in_its_range_only(tmp_path):
    path = tmp_path / "asn.csv"
    path.write_text('30,39,64501,"Two, Inc."\n10,19,64500,One\n')
    ranges = read_ip_ranges(path)
    assert ranges.find(np.array([9, 10, 19, 20, 30, 40])).tolist() == ["", "64500", "64500", "", "64501", ""]
    assert ranges.asn_of(35) == 64501
    assert ranges.asn_of(5) == 0


def test_an_asn_is_where_most_of_its_addresses_are(tmp_path):
    (tmp_path / "asn.csv").write_text("0,9,1,a\n10,19,1,a\n100,199,1,a\n500,509,2,b\n")
    (tmp_path / "country.csv").write_text("0,19,DE\n100,199,FR\n")
    found = country_of_asns(read_ip_ranges(tmp_path / "asn.csv"), read_ip_ranges(tmp_path / "country.csv"))
    assert found == {1: "FR"}


@pytest.mark.parametrize("line", ["x,1,2", "5,4,DE", "1,2"])
def test_a_bad_line_is_named(tmp_path, line):
    path = tmp_path / "bad.csv"
    path.write_text(f"0,1,DE\n{line}\n")
    with pytest.raises(ParseError, match=r"bad.csv:2:1: "):
        read_ip_ranges(path)
