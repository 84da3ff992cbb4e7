"""Which controller a command speaks with, and what is said where that cannot be."""

import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from anycastle.base.errors import WorldError
from anycastle.cli.freeze import freeze
from anycastle.cli.rollout import rollout
from tests.ports import free_port
from tests.unit.daemons.test_api import PROGRAM, controller, run


def typed(*words: str, **environment: str) -> Result:
    return CliRunner().invoke(freeze, ["--reason", "r", *words], env=environment)


def test_an_owner_is_not_named_to_an_api(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("acst_x\n")
    for words, env in ((("--server", "https://localhost:1"), {}), ((), {"ANYCASTLE_SERVER": "https://localhost:1"})):
        done = typed("--owner", "bob", "--token-file", str(tmp_path / "token"), *words, **env)
        assert (done.exit_code, "your token says who you are" in done.stderr) == (2, True)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--server", "https://localhost:1"), "needs a token"),
        (("--server", "http://ctl1.example.net"), "tokens go by https only"),
        (("--server", "https://localhost:1", "--run-dir", "run"), "name one controller"),
    ],
)
def test_what_cannot_be_is_a_usage_error(words: tuple[str, ...], said: str) -> None:
    token = {} if "needs" in said else {"ANYCASTLE_TOKEN": "acst_x"}
    done = typed(*words, **token)
    assert (done.exit_code, said in done.stderr) == (2, True), done.stderr


def test_a_token_of_two_words_is_refused_and_not_shown() -> None:
    done = typed("--server", "https://localhost:1", ANYCASTLE_TOKEN="acst_secret more")
    assert done.exit_code == 2
    assert "this is not a token" in done.stderr
    assert "secret" not in done.stderr


def test_a_socket_that_is_typed_goes_before_a_server_of_the_environment(tmp_path: Path) -> None:
    done = typed("--run-dir", str(tmp_path), ANYCASTLE_SERVER="https://localhost:1")
    assert "is the controller running? --run-dir" in str(done.exception)


def test_a_server_that_is_not_there_is_said() -> None:
    place = f"http://127.0.0.1:{free_port()}"
    done = CliRunner().invoke(rollout, ["list", "--server", place], env={"ANYCASTLE_TOKEN": "acst_x"})
    assert isinstance(done.exception, WorldError)
    assert str(done.exception).startswith(f"{place}: ")
    assert "does the controller serve its API there? --server says where" in str(done.exception)


def test_a_real_process_over_tls_says_what_is_wrong_and_what_to_do(tmp_path: Path) -> None:
    run("pki", "init", "pki", "--fleet", "example", cwd=tmp_path)
    run("pki", "issue", "pki", "--controller", "ctl1", "--host", "localhost", "--out", "ctl", cwd=tmp_path)
    port = free_port()
    with controller(tmp_path, port):
        token = run("controller", "token", "vera", "--role", "viewer", "--run-dir", "run", cwd=tmp_path)
        (tmp_path / "vera.token").write_text(token)
        (tmp_path / "no.token").write_text("acst_of-nobody\n")
        server = ("--server", f"https://localhost:{port}")
        trusted = (*server, "--ca-file", "pki/bundle.pem")
        for words, told in (
            (("freeze", "--reason", "r", *trusted, "--token-file", "vera.token"), _NOT_ALLOWED),
            (("rollout", "list", *trusted, "--token-file", "no.token"), _NOT_KNOWN),
            (("rollout", "list", *server, "--token-file", "vera.token"), "--ca-file names the certificates"),
        ):
            done = subprocess.run((*PROGRAM, *words), cwd=tmp_path, capture_output=True, text=True, timeout=60)
            assert done.returncode == 1
            assert told in done.stderr, done.stderr
        shown = run("controller", "status", *trusted, "--token-file", "vera.token", cwd=tmp_path)
        assert shown.startswith(f"https://localhost:{port} leads by term ")
        assert "desired: nothing yet" in shown


_NOT_ALLOWED = """\
anycastle: the role viewer does not allow to operate
next: Ask somebody whose role does, or an admin for another role.
"""
_NOT_KNOWN = "anycastle: no good token came with the request\nnext: Send a good token"
