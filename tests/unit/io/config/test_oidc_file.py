from pathlib import Path

import pytest

from anycastle.base.errors import MisuseError, WorldError
from anycastle.io.config.oidc_file import load_login_settings
from anycastle.io.oidc_roles import RoleRule
from anycastle.model.person import Grant, Role

WHOLE = """\
issuer: https://id.example.net
client_id: anycastle
client_secret_file: SECRET
name_claim: email
session: 4h
roles:
  - {claim: groups, value: noc, role: operator}
  - {claim: groups, value: dns, role: viewer, services: [dns]}
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "secret").write_text("swordfish\n")
    path = tmp_path / "oidc.yaml"
    path.write_text(WHOLE.replace("SECRET", str(tmp_path / "secret")))
    return path


def test_a_file_is_read_whole(path: Path) -> None:
    settings = load_login_settings(path)
    assert settings.provider.issuer == "https://id.example.net"
    assert settings.provider.client_secret == "swordfish"
    assert "swordfish" not in repr(settings)
    assert (settings.name_claim, settings.session_s) == ("email", 4 * 3600.0)
    assert settings.rules == (
        RoleRule("groups", "noc", Grant(Role.OPERATOR)),
        RoleRule("groups", "dns", Grant(Role.VIEWER, frozenset({"dns"}))),
    )


def test_what_may_be_missing(path: Path) -> None:
    path.write_text("issuer: https://x.net\nclient_id: a\nroles: [{claim: a, value: b, role: admin}]\n")
    settings = load_login_settings(path)
    assert settings.provider.client_secret is None
    assert (settings.name_claim, settings.session_s) == ("sub", 8 * 3600.0)


def test_all_that_is_wrong_is_said_at_once(path: Path) -> None:
    text = path.read_text().replace("https://id", "http://id").replace("client_id", "client_idd")
    text = text.replace("role: operator", "role: operater").replace("services: [dns]", "services: []")
    path.write_text(text.replace("session: 4h", "session: 5s"))
    with pytest.raises(MisuseError) as caught:
        load_login_settings(path)
    said = [line.removeprefix(f"{path}:") for line in str(caught.value).splitlines()]
    assert [line.partition(":")[0] for line in said] == ["1", "1", "2", "5", "7", "8"], said
    assert "did you mean 'client_id'?" in str(caught.value)
    assert "operater" in str(caught.value)


def test_nobody_logs_in_as_a_prober(path: Path) -> None:
    path.write_text(path.read_text().replace("role: operator", "role: prober"))
    with pytest.raises(MisuseError, match="'prober' is not one of viewer, operator, approver, admin"):
        load_login_settings(path)


@pytest.mark.parametrize("text", ["", "roles: []\nissuer: https://x\nclient_id: a\n", "- a\n", "a: [", "\xff"])
def test_what_is_no_such_file_is_refused_with_its_place(path: Path, text: str) -> None:
    path.write_text(text, encoding="latin-1")
    with pytest.raises(MisuseError, match=r"oidc\.yaml:\d+:\d+: "):
        load_login_settings(path)


def test_a_secret_in_the_file_itself_is_refused_and_not_repeated(path: Path) -> None:
    path.write_text(path.read_text().replace("client_secret_file: ", "client_secret_file: swordfish"))
    with pytest.raises(MisuseError) as caught:
        load_login_settings(path)
    assert "swordfish" not in str(caught.value)


def test_a_file_that_is_not_there_is_the_worlds_fault(path: Path) -> None:
    (path.parent / "secret").unlink()
    with pytest.raises(WorldError, match="secret cannot be read"):
        load_login_settings(path)
    path.unlink()
    with pytest.raises(WorldError, match=r"oidc\.yaml cannot be read"):
        load_login_settings(path)
