from pathlib import Path

import pytest
from click.testing import CliRunner

from anycastle.base.errors import AnycastleError
from anycastle.cli.pki import pki
from anycastle.io.link.credentials import read_credentials
from anycastle.io.link.files import CredentialFiles
from anycastle.model.identity import Role


def run(*words: str) -> str:
    done = CliRunner().invoke(pki, words)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.output


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    run("init", str(tmp_path / "pki"), "--fleet", "example")
    return tmp_path / "pki"


def test_what_is_issued_is_what_agents_and_controllers_show(folder: Path) -> None:
    out = folder.parent
    run("issue", str(folder), "--pop", "ams", "--out", str(out))
    run("issue", str(folder), "--controller", "ctl1", "--host", "ctl1.example.net", "--out", str(out))
    for name, role in (("ams", Role.POP), ("ctl1", Role.CONTROLLER)):
        files = CredentialFiles(folder / "bundle.pem", out / f"{name}.pem", out / f"{name}.key", folder / "crl.pem")
        assert str(read_credentials(files, role).identity) == f"anycastle://example/{role.value}/{name}"
        assert files.key.stat().st_mode & 0o777 == 0o600
    assert "pop/ams" in run("list", str(folder))


def test_what_is_revoked_is_on_the_list_and_stays_so(folder: Path) -> None:
    run("issue", str(folder), "--pop", "ams", "--out", str(folder.parent))
    assert "revoked" in run("revoke", str(folder), "pop/ams", "--reason", "lost")
    assert "revoked" in run("list", str(folder))
    with pytest.raises(AnycastleError, match="no good certificate"):
        run("revoke", str(folder), "pop/ams")
    with pytest.raises(AnycastleError, match="issue another with a new key"):
        run("renew", str(folder), str(folder.parent / "ams.pem"))


def test_nothing_is_written_over(folder: Path) -> None:
    run("issue", str(folder), "--pop", "ams", "--out", str(folder.parent))
    for words in (
        ("issue", str(folder), "--pop", "ams", "--out", str(folder.parent)),
        ("init", str(folder), "--fleet", "x"),
    ):
        with pytest.raises(AnycastleError):
            run(*words)


def test_an_authority_is_rotated_and_the_former_retired_once_nothing_of_it_is_good(folder: Path) -> None:
    run("issue", str(folder), "--pop", "ams", "--out", str(folder.parent))
    run("rotate", str(folder))
    assert (folder / "bundle.pem").read_text().count("BEGIN CERTIFICATE") == 2
    run("renew", str(folder), str(folder.parent / "ams.pem"), "--days", "1")
    assert run("crl", str(folder)).endswith("\n")


@pytest.mark.parametrize(
    "words", [(), ("--pop", "a", "--controller", "b"), ("--controller", "c"), ("--pop", "a", "--host", "h")]
)
def test_misuse_is_told(folder: Path, words: tuple[str, ...]) -> None:
    done = CliRunner().invoke(pki, ["issue", str(folder), *words])
    assert done.exit_code == 2
