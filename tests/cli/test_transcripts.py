"""Transcripts: what is typed and what is answered, compared to the last character.

A transcript is a text file. A line that begins with `$ ` is typed; the lines up to the next one are what the command
prints. Standard error lines begin with `! `, and an exit code other than 0 is a last line `? code`. `$ cat > FILE`
takes the lines that follow, up to `EOF`, into a file. Each transcript runs in an empty folder of its own.

`TRANSCRIPTS=write` rewrites the answers; read the difference before you commit it.
"""

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

TRANSCRIPTS = Path(__file__).parent / "transcripts"
COMMAND = (sys.executable, "-c", "from anycastle.cli.main import main; main()")


def play(transcript: str, folder: Path) -> str:
    """Give the transcript with the answers that the commands really give."""
    played: list[str] = []
    lines = iter(transcript.splitlines())
    for line in lines:
        if line.startswith("#"):
            played.append(line)
        elif line.startswith("$ cat > "):
            played.append(line)
            played += put(folder / line.removeprefix("$ cat > "), lines)
        elif line.startswith("$ "):
            played += [line, *run(line.removeprefix("$ "), folder), ""]
    return "\n".join(played)


def put(path: Path, lines: Iterator[str]) -> list[str]:
    text: list[str] = []
    for line in lines:
        text.append(line)
        if line == "EOF":
            break
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in text[:-1]), encoding="utf-8")
    return [*text, ""]


def run(typed: str, folder: Path) -> list[str]:
    name, *arguments = shlex.split(typed)
    assert name in ("anycastle", "sed", "ls"), typed
    command = (*COMMAND, *arguments) if name == "anycastle" else (name, *arguments)
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "COLUMNS": "100", "PYTHONUTF8": "1"}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, encoding="utf-8", timeout=300, check=False
    )
    answer = done.stdout.splitlines() + [f"! {line}".rstrip() for line in done.stderr.splitlines()]
    return [*answer, *([f"? {done.returncode}"] if done.returncode else [])]


@pytest.mark.parametrize("path", sorted(TRANSCRIPTS.glob("*.txt")), ids=lambda path: path.stem)
def test_the_transcript_holds(path: Path, tmp_path: Path) -> None:
    transcript = path.read_text(encoding="utf-8")

    played = play(transcript, tmp_path)

    if os.environ.get("TRANSCRIPTS") == "write":
        path.write_text(played.rstrip("\n") + "\n", encoding="utf-8")
    else:
        assert played.rstrip("\n") == transcript.rstrip("\n")


def test_there_are_transcripts() -> None:
    assert len(list(TRANSCRIPTS.glob("*.txt"))) >= 3
