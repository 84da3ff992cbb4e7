"""`anycastle controller run --api` as a process of its own, over TLS, with its first token made on the machine."""

import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2

from tests.oidc_provider import SECRET, provider
from tests.ports import free_port

DEADLINE_S = 60.0
PROGRAM = (sys.executable, "-m", "anycastle.cli.main")


def run(*arguments: str, cwd: Path) -> str:
    done = subprocess.run((*PROGRAM, *arguments), cwd=cwd, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


@contextmanager
def controller(place: Path, api: int, *more: str) -> Iterator[Path]:
    """Run a controller; give the file of what it says."""
    command = (
        "controller", "run", "--store", f"sqlite:///{place}/store.db", "--listen", f"127.0.0.1:{free_port()}",
        "--address", "localhost:1", "--authorities", "pki/bundle.pem", "--certificate", "ctl/ctl1.pem",
        "--api", f"127.0.0.1:{api}", "--api-certificate", "ctl/ctl1.pem", "--run-dir", str(place / "run"), *more,
    )  # fmt: skip
    words = place / "words"
    with words.open("w") as out:
        process = subprocess.Popen((*PROGRAM, *command), cwd=place, stdout=out, stderr=out)
    try:
        end = time.monotonic() + DEADLINE_S
        while not _serves(words) and process.poll() is None and time.monotonic() < end:
            time.sleep(0.05)
        assert _serves(words), words.read_text()
        yield words
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0, words.read_text()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def _serves(words: Path) -> bool:
    said = words.read_text()
    return "leads by term" in said and "serves its API" in said


def test_the_api_of_a_real_process(tmp_path: Path) -> None:
    run("pki", "init", "pki", "--fleet", "example", cwd=tmp_path)
    run("pki", "issue", "pki", "--controller", "ctl1", "--host", "localhost", "--out", "ctl", cwd=tmp_path)
    port, run_dir = free_port(), str(tmp_path / "run")
    with controller(tmp_path, port) as words:
        made = run("controller", "token", "alice", "--role", "admin", "--run-dir", run_dir, cwd=tmp_path)
        secret = made.strip()
        context = ssl.create_default_context(cafile=str(tmp_path / "pki/bundle.pem"))
        headers = {"Authorization": f"Bearer {secret}"}
        with httpx2.Client(base_url=f"https://localhost:{port}", verify=context, headers=headers) as http:
            shown = http.get("/api/v1/whoami")
            assert (shown.json()["name"], shown.json()["role"]) == ("token:alice", "admin")
            assert shown.headers["strict-transport-security"]
            audit = http.get("/api/v1/audit").json()["items"]
            assert [each["action"] for each in audit] == ["make a token"]
        again = (*PROGRAM, "controller", "token", "alice", "--role", "viewer", "--run-dir", run_dir)
        refused = subprocess.run(again, capture_output=True, text=True, timeout=60)
        assert refused.returncode == 1
        assert "never used again" in refused.stderr
    assert secret not in words.read_text()


_OIDC = """\
issuer: ISSUER
client_id: anycastle
client_secret_file: PLACE/secret
roles: [{claim: groups, value: noc, role: operator}]
"""


def test_somebody_logs_in_at_a_real_process_over_tls(tmp_path: Path) -> None:
    run("pki", "init", "pki", "--fleet", "example", cwd=tmp_path)
    run("pki", "issue", "pki", "--controller", "ctl1", "--host", "localhost", "--out", "ctl", cwd=tmp_path)
    (tmp_path / "secret").write_text(f"{SECRET}\n")
    port = free_port()
    with provider() as known:
        (tmp_path / "oidc.yaml").write_text(_OIDC.replace("ISSUER", known.issuer).replace("PLACE", str(tmp_path)))
        command = ("login", f"https://localhost:{port}", "--no-browser", "--ca-file", "pki/bundle.pem")
        with (
            controller(tmp_path, port, "--oidc", str(tmp_path / "oidc.yaml")) as words,
            subprocess.Popen(
                (*PROGRAM, *command), cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            ) as login,
        ):
            assert login.stderr is not None
            said = login.stderr.readline()
            assert said.startswith("log in at "), said
            httpx2.get(said.removeprefix("log in at ").strip(), follow_redirects=True, trust_env=False)
            secret, _ = login.communicate(timeout=60)
            assert login.returncode == 0
            context = ssl.create_default_context(cafile=str(tmp_path / "pki/bundle.pem"))
            headers = {"Authorization": f"Bearer {secret.strip()}"}
            with httpx2.Client(base_url=f"https://localhost:{port}", verify=context, headers=headers) as http:
                assert http.get("/api/v1/whoami").json()["name"] == "ann"
    assert secret.strip() not in words.read_text()


def test_a_provider_file_that_cannot_be_is_said_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "oidc.yaml").write_text("issuer: http://example.net\nclient_id: a\nroles: []\n")
    command = (
        "controller",
        "run",
        "--address",
        "a:1",
        "--authorities",
        "x",
        "--certificate",
        "y",
        "--oidc",
        "oidc.yaml",
    )
    for more, words in ((("--api", "127.0.0.1:1"), "oidc.yaml:1:9: issuer: "), ((), "give --api too")):
        done = subprocess.run(
            (*PROGRAM, *command, *more), cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 2
        assert words in done.stderr
