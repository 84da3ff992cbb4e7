"""The demo as a user runs it: real sessions, checks and queries, so it takes as long as it takes."""

import json
import subprocess
import sys

import pytest

from tests.unit.twin.lab_fleets import possible_pops

CLIENTS = {"berlin", "chicago", "bogota", "mumbai", "nairobi", "sydney"}


@pytest.mark.mission("C1", "C2", "C17", "P1", "P4", "U1", "M2", "F7")
def test_the_demo_measures_a_failover_and_leaves_others_alone() -> None:
    command = [sys.executable, "-m", "anycastle.cli.main", "demo", "-o", "json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    before, after = told["catchment_before"], told["catchment_after"]
    failed = told["failed_pop"]
    assert set(before) == CLIENTS
    affected = {client for client, pop in before.items() if pop == failed}
    assert affected
    assert failed not in after.values()
    assert None not in after.values()
    assert {client: pop for client, pop in after.items() if client not in affected} == {
        client: pop for client, pop in before.items() if client not in affected
    }
    assert told["catchment_recovered"] == before
    assert told["queries_lost_elsewhere"] == 0
    assert 0 < told["queries_lost"] < told["queries_sent"]
    for when, gone in ((before, ()), (after, (failed,))):  # the twin predicts what these speakers have done
        possible = possible_pops("world", *gone)
        assert all(pop in possible[client] for client, pop in when.items()), (when, possible)
    assert 0 < told["time_to_detect_s"] <= told["time_to_withdraw_s"] <= told["time_to_failover_s"]


def test_when_whoever_reads_along_goes_the_demo_ends_in_good_order() -> None:
    command = [sys.executable, "-m", "anycastle.cli.main", "demo"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as demo:
        assert demo.stdout is not None
        assert demo.stderr is not None
        assert "sessions" in demo.stdout.readline()
        demo.stdout.close()
        assert demo.stderr.read() == ""
        assert demo.wait(30) == 141  # as a shell shows SIGPIPE
