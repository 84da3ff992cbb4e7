"""The units say nothing that systemd does not know, and start commands that there are."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.unit.tools.test_docs import wrong_in

UNITS = Path(__file__).parents[3] / "packaging" / "systemd"
PROGRAM = "/opt/anycastle/.venv/bin/anycastle"
NAMES = ["anycastle-agent@", "anycastle-speaker@", "anycastle-watch", "anycastle-controller"]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze (Debian package systemd)")
@pytest.mark.parametrize("name", NAMES)
def test_systemd_understands_every_line(name: str, tmp_path: Path) -> None:
    text = (UNITS / f"{name}.service").read_text(encoding="utf-8")
    unit = tmp_path / f"{name.replace('@', '@ams')}.service"
    # A systemd before 253 does not know notify-reload; drop-ins/before-253.conf is for it.
    unit.write_text(text.replace(PROGRAM, "/bin/true").replace("notify-reload", "notify"), encoding="utf-8")
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False
    )
    ours = [line for line in done.stderr.splitlines() if name in line]
    assert (done.returncode, ours) == (0, [])


@pytest.mark.parametrize("name", NAMES)
def test_the_command_exists(name: str) -> None:
    text = (UNITS / f"{name}.service").read_text(encoding="utf-8")
    (command,) = re.findall(rf"^ExecStart={PROGRAM} (.+)$", text, re.MULTILINE)
    assert wrong_in([word for word in command.split() if not word.startswith("$")]) is None


@pytest.mark.mission("C16")
def test_the_lease_keeper_outlives_the_agent_and_bird_reads_its_file() -> None:
    text = (UNITS / "anycastle-agent@.service").read_text(encoding="utf-8")
    for line in ("KillMode=process", "RuntimeDirectoryPreserve=yes", "RuntimeDirectoryMode=0755", "UMask=0022"):
        assert re.search(f"^{line}$", text, re.MULTILINE), line


def test_no_unit_has_more_rights_than_it_needs() -> None:
    rights = {}
    for name in NAMES:
        text = (UNITS / f"{name}.service").read_text(encoding="utf-8")
        (ambient,) = re.findall(r"^AmbientCapabilities=(.*)$", text, re.MULTILINE)
        (bounding,) = re.findall(r"^CapabilityBoundingSet=(.*)$", text, re.MULTILINE)
        assert ambient == bounding
        rights[name] = set(ambient.split())
    assert rights == {
        "anycastle-agent@": {"CAP_NET_ADMIN", "CAP_NET_RAW"},
        "anycastle-speaker@": {"CAP_NET_ADMIN", "CAP_NET_BIND_SERVICE"},
        "anycastle-watch": {"CAP_NET_ADMIN", "CAP_NET_BIND_SERVICE"},
        "anycastle-controller": set(),
    }


def test_every_unit_is_hardened_alike() -> None:
    """What each unit shuts, the controller's shuts as well: it holds the orders of all."""
    shut = re.compile(r"^((?:Protect|Private|NoNew|Lock|Restrict(?!AddressFamilies)|SystemCall)\w*=.*)$", re.MULTILINE)
    lines = {name: set(shut.findall((UNITS / f"{name}.service").read_text(encoding="utf-8"))) for name in NAMES}
    assert len(lines["anycastle-agent@"]) >= 15
    for name, has in lines.items():
        assert lines["anycastle-agent@"] <= has, name


def test_all_units_are_tested() -> None:
    assert sorted(f"{name}.service" for name in NAMES) == sorted(path.name for path in UNITS.glob("*.service"))
