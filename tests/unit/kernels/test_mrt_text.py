"""Texts within the room that is kept for them, and addresses and numbers as bgpdump writes them."""

from collections.abc import Callable
from ipaddress import IPv6Address
from typing import Any

import numpy as np
import pytest

from anycastle.kernels import mrt_text
from tests.unit.kernels.checked import Memory, kept_texts, zeros


def written(put: Callable[..., int], *values: Any) -> str:
    out = zeros("u1", 100)
    return out.values[: put(out, 0, *values)].tobytes().decode()


def kept(octets: bytes) -> tuple[Memory, Memory]:
    return Memory(np.frombuffer(octets, np.uint8)), Memory(np.array([0, 0, len(octets)], np.int64))


@pytest.mark.parametrize(
    ("what", "octets", "text"),
    [
        (mrt_text.COMMUNITIES, b"\xff\xff\xff\x02" * 600, "no-advertise " * 600),
        (mrt_text.COMMUNITIES, b"\xff\xff\xff\x01\xff\xff\xff\x03\xff\xff\xff\xff", "no-export local-AS 65535:65535 "),
        (mrt_text.PATH, b"\x02\xff" + b"\xff" * 1020, "4294967295 " * 255),
        (mrt_text.PATH, (b"\x01\x01" + b"\xff" * 4) * 200, "{4294967295} " * 200),
        (mrt_text.PATH, b"\x02\x01\0\0\0\x01\x03\x02\0\0\0\x02\0\0\0\x03\x04\x02\0\0\0\4\0\0\0\5", "1 (2 3) [4,5] "),
        (mrt_text.PATH, b"", " "),
    ],
)
def test_kept_texts_fit_their_room(what: int, octets: bytes, text: str) -> None:
    texts, starts = kept_texts(what, *kept(octets), 2)
    assert texts.values[starts[1] : starts[2]].tobytes().decode() == text[:-1]


@pytest.mark.parametrize(
    ("address", "text"),
    [
        ("::", "::"),
        ("::1", "::1"),
        ("2001:db8::", "2001:db8::"),
        ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
        ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"),
        ("2001:db8:0:1:1:1:1:1", "2001:db8::1:1:1:1:1"),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.1"),
        ("::192.0.2.1", "::192.0.2.1"),
        ("fe80:ffff:10:100:1000:0:a0b:1", "fe80:ffff:10:100:1000::a0b:1"),
    ],
)
def test_ipv6_addresses(address: str, text: str) -> None:
    bits = int(IPv6Address(address))
    assert written(mrt_text.put_ipv6, bits >> 64, bits & (2**64 - 1)) == text


@pytest.mark.parametrize("number", [0, 7, 10, 99, 100, 65535, 4294967295, 10**18])
def test_numbers(number: int) -> None:
    assert written(mrt_text.put_number, number) == str(number)
