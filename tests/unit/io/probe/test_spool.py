import os
import resource
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from anycastle.base.errors import WorldError
from anycastle.io.probe.spool import Spool


def lines(*numbers: int) -> list[bytes]:
    return [b'{"id":%d}\n' % number for number in numbers]


@pytest.fixture
def opened(no_descriptor_leaks: None) -> Iterator[Callable[..., Spool]]:
    """Spools that are closed in the end."""
    with ExitStack() as stack:

        def open_one(*arguments) -> Spool:
            spool = Spool(*arguments)
            stack.callback(spool.close)
            return spool

        yield open_one


def drained(spool: Spool, octets_max: int = 100) -> list[bytes]:
    found: list[bytes] = []
    while (batch := spool.batch(octets_max)) is not None:
        found += batch.octets.splitlines(keepends=True)
        spool.take(batch)
    return found


def test_lines_are_handed_over_in_order_once_each(opened, tmp_path: Path) -> None:
    spool = opened(tmp_path, 10_000, 50)
    for number in range(40):
        spool.put(lines(number))
    assert spool.waiting == 40
    assert drained(spool) == lines(*range(40))
    assert (spool.waiting, spool.lost) == (0, 0)
    assert len(list(tmp_path.glob("*.ndjson"))) == 1  # what is taken is gone from the disk


def test_a_batch_that_is_not_taken_is_given_again_also_after_a_restart(opened, tmp_path: Path) -> None:
    spool = opened(tmp_path, 10_000, 50)
    spool.put(lines(*range(10)))
    spool.take(spool.batch(25))
    again = spool.batch(25)
    spool.close()
    spool = opened(tmp_path, 10_000, 50)
    assert spool.batch(25) == again
    assert drained(spool) == lines(*range(2, 10))


def test_beyond_its_bound_the_oldest_go_and_are_counted_for_good(opened, tmp_path: Path) -> None:
    spool = opened(tmp_path, 200, 50)
    for number in range(100):
        spool.put(lines(number))
    assert spool.octets <= 200 + 50
    assert spool.lost + spool.waiting == 100
    assert drained(spool) == lines(*range(spool.lost, 100))
    lost = spool.lost
    spool.close()
    assert opened(tmp_path, 200, 50).lost == lost > 0


def test_a_batch_whose_lines_were_let_go_meanwhile_changes_nothing(opened, tmp_path: Path) -> None:
    spool = opened(tmp_path, 200, 50)
    spool.put(lines(0))
    batch = spool.batch(10)
    for number in range(1, 100):
        spool.put(lines(number))
    before = spool.taken
    spool.take(batch)
    assert spool.taken == before


@pytest.mark.parametrize("cut", range(1, 10))
def test_a_line_that_a_crash_has_cut_is_left_out(opened, tmp_path: Path, cut: int) -> None:
    spool = opened(tmp_path)
    spool.put(lines(1, 2, 3))
    spool.close()
    path = next(tmp_path.glob("*.ndjson"))
    os.truncate(path, path.stat().st_size - cut)
    spool = opened(tmp_path)
    spool.put(lines(4))
    assert drained(spool) == lines(1, 2, 4)


def test_a_folder_that_is_none_of_ours_is_refused(opened, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("x")
    with pytest.raises(WorldError, match="none of ours"):
        opened(tmp_path)
    with pytest.raises(WorldError):
        opened(tmp_path / "taken" / "below")


def test_what_the_disk_does_not_take_whole_is_cut_again_and_told(opened, tmp_path: Path) -> None:
    spool = opened(tmp_path)
    spool.put(lines(1))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (spool.octets + 5, hard))  # room for half a line
        with pytest.raises(WorldError, match="File too large"):
            spool.put(lines(2))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    spool.put(lines(3))
    assert drained(spool) == lines(1, 3)
    assert drained(opened(tmp_path)) == []


class Spools(RuleBasedStateMachine):
    """Puts, takes, restarts in any order: each line is handed over in order, or counted as lost."""

    def __init__(self) -> None:
        super().__init__()
        import tempfile

        self.folder = tempfile.TemporaryDirectory()
        self.spool = Spool(Path(self.folder.name), 120, 40)
        self.put_so_far = 0
        self.taken_so_far: list[bytes] = []

    @rule(number=st.integers(1, 8))
    def put(self, number: int) -> None:
        self.spool.put(lines(*range(self.put_so_far, self.put_so_far + number)))
        self.put_so_far += number

    @rule(octets_max=st.integers(1, 100))
    def take(self, octets_max: int) -> None:
        batch = self.spool.batch(octets_max)
        if batch is not None:
            assert batch.octets.splitlines(keepends=True) == lines(*range(batch.first, batch.after))
            self.taken_so_far += batch.octets.splitlines(keepends=True)
            self.spool.take(batch)

    @rule()
    def restart(self) -> None:
        self.spool.close()
        self.spool = Spool(Path(self.folder.name), 120, 40)

    @invariant()
    def every_line_is_somewhere(self) -> None:
        assert len(self.taken_so_far) + self.spool.lost + self.spool.waiting == self.put_so_far
        assert len(set(self.taken_so_far)) == len(self.taken_so_far)

    def teardown(self) -> None:
        self.spool.close()
        self.folder.cleanup()


TestSpools = Spools.TestCase
