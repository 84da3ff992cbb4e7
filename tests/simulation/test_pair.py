"""However two speakers collide, their session comes up soon, and stays."""

import pytest

from tests.simulation.pair import Pair

SEEDS = range(300)
SOON_S = 12.0
"""A collision that cost both connections, two idle holds of 1 s and 2 s, and one ConnectRetryTimer of 5 s."""


@pytest.mark.rfc("4271", "6.8", "8.2.2")
@pytest.mark.parametrize("rejects", [False, True], ids=["closes", "rejects"])
@pytest.mark.parametrize("restarts", [False, True], ids=["plain", "graceful-restart"])
@pytest.mark.parametrize("latencies_s", [(2e-5, 1e-4, 1e-3), (1e-3,), (5e-4, 1e-2, 8e-2)], ids=str)
def test_two_that_dial_at_once_come_up(latencies_s: tuple[float, ...], restarts: bool, rejects: bool) -> None:
    late = []
    for seed in SEEDS:
        pair = Pair(seed, latencies_s=latencies_s, restarts=restarts, rejects=rejects)
        pair.run(60.0)
        if not pair.up or max(pair.established_at.values()) > SOON_S:
            late.append((seed, pair.established_at))
    assert not late
