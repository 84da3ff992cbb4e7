"""`controller` of `fleet.yaml`."""

from pathlib import Path

import pytest

from anycastle.io.config import load_fleet
from anycastle.io.config.write import write_fleet
from anycastle.model.controller_access import ControllerAccess
from tests.unit.io.config.folders import SMALL, write

pytestmark = pytest.mark.mission("C4", "F7")


def loaded(tmp_path: Path, text: str) -> ControllerAccess | None:
    files = {**SMALL, "fleet.yaml": SMALL["fleet.yaml"] + text}
    result = load_fleet(write(tmp_path / "first", files))
    assert result.fleet is not None, [str(finding) for finding in result.findings]
    write_fleet(result.fleet, tmp_path / "again")
    assert load_fleet(tmp_path / "again").fleet == result.fleet
    return result.fleet.controller


def test_without_it_there_is_none(tmp_path: Path) -> None:
    assert loaded(tmp_path, "") is None


def test_its_files_have_places_of_each_pop(tmp_path: Path) -> None:
    access = loaded(tmp_path, "controller: {addresses: [ctl.example.net, '[2001:db8::1]:9500']}\n")
    assert access == ControllerAccess(("ctl.example.net", "[2001:db8::1]:9500"))
    paths = ("/etc/anycastle/bundle.pem", "/etc/anycastle/ams1.pem", "/etc/anycastle/ams1.key")
    assert access.paths("ams1") == paths


def test_they_can_lie_elsewhere(tmp_path: Path) -> None:
    text = "controller: {addresses: [192.0.2.1:1], ca: /a/ca.pem, certificate: '/b/{pop}/c', key: /d}\n"
    access = loaded(tmp_path, text)
    assert access == ControllerAccess(("192.0.2.1:1",), "/a/ca.pem", "/b/{pop}/c", "/d")
    assert access.paths("fra1") == ("/a/ca.pem", "/b/fra1/c", "/d")


@pytest.mark.parametrize(
    ("text", "code", "path", "said"),
    [
        ("addresses: []", "CFG015", "addresses", "an empty list never means all"),
        ("addresses: [ctl, CTL]", "CFG025", "addresses[1]", "listed twice"),
        ("addresses: [ctl, ctl:9479]", "CFG025", "addresses[1]", "listed twice"),
        ("addresses: [https://ctl.example.net/]", "CFG013", "addresses[0]", "write HOST or HOST:PORT: ctl.example.net"),
        ("addresses: [ctl:0]", "CFG013", "addresses[0]", "not HOST or HOST:PORT"),
        ("addresses: [c t l]", "CFG013", "addresses[0]", "not HOST or HOST:PORT"),
        ("addresses: ['2001:db8::1']", "CFG013", "addresses[0]", "IPv6 addresses stand in brackets"),
        ("addresses: [ctl]\n  key: k.pem", "CFG016", "key", "the absolute path of a file"),
        ("addresses: [ctl]\n  ca: /a/{name}.pem", "CFG013", "ca", "{name} stands for nothing in a path"),
        ("addresses: [ctl]\n  key: /etc/anycastle/{pop}.pem", "CFG013", "key", "two of them are the same"),
        ("addresses: [ctl]\n  certificat: /a", "CFG010", "certificat", "did you mean 'certificate'"),
        ("ca: /a", "CFG011", "addresses", "is missing"),
    ],
)
def test_what_cannot_be_is_found(tmp_path: Path, text: str, code: str, path: str, said: str) -> None:
    files = {**SMALL, "fleet.yaml": SMALL["fleet.yaml"] + f"controller:\n  {text}\n"}
    found = load_fleet(write(tmp_path, files)).findings
    assert [(each.code, each.path) for each in found] == [(code, f"controller.{path}")]
    assert said in found[0].message
