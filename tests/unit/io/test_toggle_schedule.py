"""Schedules of toggles, and the toggles that our agents' own changes are."""

from pathlib import Path

import pytest

from anycastle.base.errors import MisuseError, ParseError, WorldError
from anycastle.base.ports import Timestamp
from anycastle.io.toggle_schedule import read_schedule
from anycastle.model.asn import ASN
from anycastle.watch.fact import OwnAction, OwnChange
from anycastle.watch.intent import Told
from anycastle.watch.toggle import ToggleKind, toggles_of_changes
from tests.unit.watch.scene import OURS, OURS_6, UPSTREAMS, watched

SCHEDULE = """\
prefix: 192.0.2.0/24
settle: 10m
toggles:
  - upstream: 64496
    repeat: {first: "2026-03-01T00:00:00Z", until: "2026-03-01T08:00:00Z", every: 4h, hold: 2h}
  - {upstream: 64497, instruction: "64497:3", set: ["2026-03-02T00:00:00Z"], unset: ["2026-03-02T02:00:00Z"]}
"""
MIDNIGHT = 1_772_323_200.0
HOUR_S = 3600.0


def write(folder: Path, text: str) -> Path:
    path = folder / "toggles.yaml"
    path.write_text(text)
    return path


@pytest.mark.mission("M10")
def test_a_beacon_and_an_instruction(tmp_path: Path) -> None:
    schedule = read_schedule(write(tmp_path, SCHEDULE), 900.0)
    assert (schedule.prefix, schedule.settle_s) == (OURS, 600.0)
    beacon = [(each.at - MIDNIGHT, each.kind) for each in schedule.toggles if each.upstream == 64496]
    assert sorted(beacon, key=lambda each: each[0]) == [
        (0.0, ToggleKind.ANNOUNCE),
        (2 * HOUR_S, ToggleKind.WITHDRAW),
        (4 * HOUR_S, ToggleKind.ANNOUNCE),
        (6 * HOUR_S, ToggleKind.WITHDRAW),
    ]
    unsaid = read_schedule(write(tmp_path, SCHEDULE.replace("settle: 10m\n", "")), 900.0)
    assert unsaid.settle_s == 900.0, "the fleet's"
    told = [(each.kind, each.instruction) for each in schedule.toggles if each.upstream == 64497]
    assert told == [(ToggleKind.INSTRUCT, "64497:3")] * 2


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            SCHEDULE.replace("settle", "settel"),
            "yaml:2:1: settel: unknown key 'settel'; did you mean 'settle'?",
        ),
        (SCHEDULE.replace("hold: 2h", "hold: 4h"), "it is set again before it is unset"),
        (SCHEDULE.replace('until: "2026-03-01T08', 'until: "2026-02-01T08'), "it ends before it begins"),
        ("prefix: 192.0.2.0/24\ntoggles: [{upstream: 64496}]\n", "no time is given: name set, unset or repeat"),
        ("prefix: 192.0.2.0/24\ntoggles: []\n", "toggles"),
    ],
)
def test_what_cannot_be_is_said_with_its_place(tmp_path: Path, text: str, found: str) -> None:
    with pytest.raises(MisuseError) as error:
        read_schedule(write(tmp_path, text), 900.0)
    assert found in str(error.value)
    assert "toggles.yaml:" in str(error.value)


def test_a_file_that_is_not_there_or_without_end_is_no_schedule(tmp_path: Path) -> None:
    with pytest.raises(WorldError, match="No such file"):
        read_schedule(tmp_path / "none.yaml", 900.0)
    with pytest.raises(ParseError, match="larger than"):
        read_schedule(Path("/dev/zero"), 900.0)


def test_our_agents_own_changes_are_toggles() -> None:
    told = (Told("fra1", "transit-a", UPSTREAMS[0]), Told("fra1", "transit-b", UPSTREAMS[1]))
    changes = [
        OwnChange(Timestamp(1.0), OURS, OwnAction.ANNOUNCE, "fra1", "transit-a"),
        OwnChange(Timestamp(2.0), OURS, OwnAction.CHANGE, "fra1", "transit-b"),
        OwnChange(Timestamp(3.0), OURS_6, OwnAction.WITHDRAW, "fra1", "transit-a"),
        OwnChange(Timestamp(4.0), OURS, OwnAction.WITHDRAW, "fra1", "unknown"),
        OwnChange(Timestamp(5.0), OURS, OwnAction.WITHDRAW, "fra1", "transit-a"),
    ]
    found = [
        (each.at, each.upstream, each.kind, each.instruction)
        for each in toggles_of_changes(changes, watched(told=told))
    ]
    assert found == [
        (1.0, ASN(64496), ToggleKind.ANNOUNCE, ""),
        (2.0, ASN(64497), ToggleKind.INSTRUCT, "attributes at fra1"),
        (5.0, ASN(64496), ToggleKind.WITHDRAW, ""),
    ]
