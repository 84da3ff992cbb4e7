from anycastle.base.ports import Timestamp
from anycastle.model.vantage_point import VantagePoint
from anycastle.probe.kinds.tcp import TCPSeen
from anycastle.probe.result import Failure, FailureKind, Phase, ProbeResult
from anycastle.probe.tally import BOUNDS_MS, POPS_MAX, Tally


def result(duration_ms: float, failure: Failure | None = None, pop: str = "fra", seen: bool = True) -> ProbeResult:
    phases = (Phase("connect", duration_ms / 4), Phase("answer", duration_ms * 3 / 4))
    return ProbeResult(
        VantagePoint("v"), "t", "tcp", Timestamp(0.0), 0.0, None, None, phases, failure, TCPSeen() if seen else None,
        "", pop,
    )  # fmt: skip


def test_right_ones_are_timed_and_all_are_counted() -> None:
    tally = Tally()
    for duration_ms in (0.5, 250.0, 250.1, 60_000.0):
        tally.take(result(duration_ms))
    tally.take(result(9.0, Failure(FailureKind.TIMEOUT, "answer", "no"), pop="", seen=False))
    tally.take(result(9.0, Failure(FailureKind.SITE, "answer", "no"), pop="xyz"))
    assert tally.outcomes == {"ok": 4, "timeout": 1, "site": 1}
    assert tally.pops == {"fra": 4, "xyz": 1}
    assert tally.buckets[0] == 1
    assert tally.buckets[BOUNDS_MS.index(250.0)] == 1  # a bound is of its bucket, as Prometheus has it
    assert tally.buckets[-1] == 1
    assert sum(tally.buckets) == 4
    assert tally.sum_ms == 60_500.6
    assert tally.phases_ms == {"connect": 60_500.6 / 4, "answer": 60_500.6 * 3 / 4}


def test_a_server_that_calls_itself_something_else_each_time_takes_bounded_room() -> None:
    tally = Tally()
    for number in range(POPS_MAX + 50):
        tally.take(result(1.0, pop=f"pop{number}"))
    assert len(tally.pops) == POPS_MAX
    assert tally.outcomes == {"ok": POPS_MAX + 50}
