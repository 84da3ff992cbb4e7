"""The reader of relationship files equals a plain one, and takes any octets."""

import re

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from anycastle.kernels.relations import parse_links

LINE = re.compile(rb"(\d{1,10})\|(\d{1,10})\|(-1|0)(\|.*)?", re.DOTALL)
NUMBERS = st.sampled_from([b"0", b"1", b"65000", b"4294967295", b"4294967296", b"00000000001", b"", b"x", b"1x", b"-1"])
FIELDS = st.lists(NUMBERS | st.sampled_from([b"-1", b"-0", b"--1", b"2", b"bgp", b"#"]), max_size=5).map(b"|".join)
TEXTS = st.lists(FIELDS | st.sampled_from([b"# 1|2|0", b"1|2|0\r", b"\r", b"3|4|-1|bgp"]), max_size=8).map(b"\n".join)


def plain_links(octets: bytes) -> tuple[list[tuple[int, int, int, int]], list[int]]:
    links, bad = [], []
    for number, line in enumerate(octets.split(b"\n"), 1):
        line = line.removesuffix(b"\r")
        if not line or line.startswith(b"#"):
            continue
        found = LINE.fullmatch(line)
        left, right = (int(found[1]), int(found[2])) if found else (0, 0)
        if not found or left == right or max(left, right) > 0xFFFFFFFF:
            bad.append(number)
        else:
            links.append((left, right, int(found[3]), number))
    return links, bad


@given(TEXTS | st.binary(max_size=60))
def test_links_and_bad_lines_equal_plain_python(octets: bytes) -> None:
    links, bad = plain_links(octets)
    text = np.frombuffer(octets, np.uint8)
    left, right, relation, line, bad_lines, bad_count = parse_links(text, octets.count(b"\n") + 1)

    assert list(zip(left.tolist(), right.tolist(), relation.tolist(), line.tolist(), strict=True)) == links
    assert (bad_lines.tolist(), bad_count) == (bad, len(bad))
