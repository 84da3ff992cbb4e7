"""What `twin` commands refuse: a file that is none, a number that cannot be, nothing to work on; never a traceback."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from anycastle.base.errors import WorldError
from anycastle.cli.main import cli

POPS = ("--asn", "64500", "--pop", "p=2", "--pop", "q=3")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "graph.txt").write_text("1|2|-1|bgp\n1|3|-1|bgp\n2|4|-1|bgp\n3|4|-1|bgp\n2|3|0|bgp\n")
    (tmp_path / "octets").write_bytes(b"\xef\x00\xff" * 40)
    (tmp_path / "heading.csv").write_text("q, p\n")
    (tmp_path / "some.csv").write_text("q, p\n1,-\n1, x\n")
    (tmp_path / "adopters").write_text("1 2 # ours\nAS3 x\n4 -1\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (("hijack", "--victim", "1", "--attacker", "1"), "nobody attacks itself"),
        (("hijack", "--rov", "octets"), "octets: octet 0 is not UTF-8"),
        (("hijack", "--rov", "adopters"), "adopters:2:5: 'x' is not an AS number"),
        (("hijack", "--rov", "adopters"), "adopters:3:3: '-1' is not an AS number"),
        (("leak", "--origin", "4", "--random", "5"), "there are only 4 ASes"),
        (("sweep", *POPS, "--table", "heading.csv"), "no configuration stands below the PoPs"),
        (("sweep", *POPS, "--table", "octets"), "octets: octet 0 is not UTF-8"),
        (("sweep", *POPS, "--table", "some.csv"), "some.csv:3: 2 cells with a number of prepends or - are wanted"),
        (("sweep", *POPS, "--random", "5", "--seed", "-1"), "-1 is not in the range x>=0"),
        (("place", *POPS, "--sites", "heading.csv"), "the heading has no column 'name'"),
        (("place", *POPS, "--sites", "octets"), "octets: octet 0 is not UTF-8"),
    ],
)
def test_what_is_refused(folder: Path, command: tuple[str, ...], words: str) -> None:
    done = CliRunner().invoke(cli, ["twin", command[0], "graph.txt", "--no-cache", *command[1:]])
    assert done.exit_code == 2
    assert words in done.stderr


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (("routes", "adopters", "--origin", "1"), "adopters:2: 'AS3 x'"),
        (("calibrate", "some.csv", "--graph", "graph.txt", "--output", "model.npz"), "some.csv:1"),
        (("score", "octets"), "octets"),
    ],
)
def test_a_file_that_says_something_else(folder: Path, command: tuple[str, ...], words: str) -> None:
    done = CliRunner().invoke(cli, ["twin", *command])
    assert done.exit_code == 2
    assert words in done.stderr


def test_a_disk_that_does_not_take_the_answer(folder: Path) -> None:
    """It is the world's fault, not the user's: `main` makes it exit 1."""
    asked = ["twin", "sweep", "graph.txt", "--no-cache", *POPS, "--random", "5", "-o", "none/x.npz"]
    with pytest.raises(WorldError, match=r"none/x\.npz cannot be written: No such file"):
        CliRunner().invoke(cli, asked, catch_exceptions=False)
