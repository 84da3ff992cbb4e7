"""bzip2 block by block equals bzip2 as a whole, whatever is packed, cut or damaged."""

import bz2
import random
import threading
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anycastle.io.feeds import bzip2_blocks
from anycastle.io.feeds.bzip2_blocks import DamagedBlockError, find_marks, unpack_blocks


def reads(octets: bytes, size: int) -> Callable[[], bytes]:
    pieces: Iterator[bytes] = iter([octets[at : at + size] for at in range(0, len(octets), size)])
    return lambda: next(pieces, b"")


def noise(size: int, seed: int) -> bytes:
    return random.Random(seed).randbytes(size)


@given(st.lists(st.binary(max_size=300), max_size=4), st.integers(1, 9), st.integers(1, 400))
def test_small_streams_one_after_the_other(parts: list[bytes], level: int, size: int) -> None:
    packed = b"".join(bz2.compress(part, level) for part in parts) or bz2.compress(b"")
    assert b"".join(unpack_blocks(reads(packed, size))) == b"".join(parts)


@pytest.mark.parametrize("size", [1000, 65_536, 10_000_000])
@pytest.mark.parametrize("level", [1, 9])
def test_many_blocks_in_order(level: int, size: int) -> None:
    octets = noise(700_000, level) + bytes(3_000_000) + b"anycast" * 200_000
    blocks = list(unpack_blocks(reads(bz2.compress(octets, level), size)))
    assert len(blocks) > 1
    assert b"".join(blocks) == octets


@pytest.mark.parametrize("share", [0.0001, 0.2, 0.5, 0.99])
def test_a_cut_stream_gives_its_whole_blocks(share: float) -> None:
    octets = noise(500_000, 1)
    packed = bz2.compress(octets, 1)
    given_blocks: list[bytes] = []
    with pytest.raises(DamagedBlockError) as caught:
        given_blocks.extend(unpack_blocks(reads(packed[: int(len(packed) * share)], 10_000)))
    assert caught.value.early
    assert octets.startswith(b"".join(given_blocks))
    assert len(given_blocks) == sum(block for _, block in find_marks(packed[: int(len(packed) * share)], -1)[:-1])


def test_a_damaged_block_ends_it() -> None:
    octets = noise(500_000, 2)
    packed = bytearray(bz2.compress(octets, 1))
    packed[len(packed) // 2] ^= 0xFF
    given_blocks: list[bytes] = []
    with pytest.raises(DamagedBlockError) as caught:
        given_blocks.extend(unpack_blocks(reads(bytes(packed), 10_000)))
    assert not caught.value.early
    assert 0 < len(b"".join(given_blocks)) < len(octets)
    assert octets.startswith(b"".join(given_blocks))


def test_what_only_looks_like_a_mark(monkeypatch: pytest.MonkeyPatch) -> None:
    octets = noise(150_000, 3)
    packed = bz2.compress(octets, 1)
    marks = find_marks(packed, -1)
    false = (marks[0][0] + 4001, True)
    monkeypatch.setattr(bzip2_blocks, "find_marks", lambda _data, _start: sorted([*marks, false]))
    assert b"".join(unpack_blocks(reads(packed, len(packed)))) == octets


@given(st.binary(max_size=300), st.integers(1, 50))
def test_any_octets_are_blocks_or_damage(octets: bytes, size: int) -> None:
    with pytest.raises(DamagedBlockError):
        list(unpack_blocks(reads(octets, size)))


@given(st.integers(0, 7), st.booleans(), st.binary(min_size=1, max_size=20))
def test_marks_at_every_bit(shift: int, is_block: bool, around: bytes) -> None:
    mark = bzip2_blocks.BLOCK_MARK if is_block else bzip2_blocks.END_MARK
    bits = (mark << 40 - shift).to_bytes(11)
    assert (8 * len(around) + shift, is_block) in find_marks(around + bits, 0)


def test_whoever_has_enough_stops_the_threads() -> None:
    blocks = unpack_blocks(reads(bz2.compress(noise(2_000_000, 4), 1), 10_000))
    before = threading.active_count()
    next(blocks)
    assert threading.active_count() > before
    blocks.close()  # type: ignore[attr-defined]
    assert threading.active_count() == before
