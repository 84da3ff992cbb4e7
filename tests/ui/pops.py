"""All PoPs of a fleet as processes of one family: `python -m tests.ui.pops FOLDER LINK PORT NAME...`.

Each PoP has a speaker and an agent, as `anycastle speaker run` and `anycastle agent run` start them; they are forked
from here, so that Python and its modules are loaded once. `FOLDER/NAME` is where each is: what its checks look at is
in there. A child's number is in `FOLDER/NAME/agent.pid`.
"""

import os
import signal
import sys
from pathlib import Path

from anycastle.cli.main import main
from anycastle.daemons import agent_link, agent_process, speaker_process
from anycastle.io.routers import embedded

LOADED = (agent_link, agent_process, speaker_process, embedded)


def begin(folder: Path, program: str, *words: str) -> int:
    """Start a command of ours in a folder; give its number."""
    number = os.fork()
    if number:
        (folder / f"{program}.pid").write_text(str(number))
        return number
    os.chdir(folder)
    with (folder / f"{program}.log").open("ab", 0) as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    sys.argv = ["anycastle", program, "run", *words]
    main()
    os._exit(0)


def agent(root: Path, link: str, name: str) -> int:
    """Start a PoP's agent."""
    data = root / "anycastle-data"
    return begin(
        root / name, "agent", "--fleet", str(root / "fleet"), "--pop", name, "--run-dir", "run",
        "--state-dir", "state", "--listen", "none", "--no-watchdog", "--controller", link,
        "--authorities", str(data / "pki/bundle.pem"), "--certificate", str(data / f"agents/{name}.pem"),
    )  # fmt: skip


def serve(root: Path, link: str, names: list[str]) -> None:
    children = []
    for name in names:
        fleet = root / (f"far-{name}" if (root / f"far-{name}").exists() else "fleet")
        children.append(begin(root / name, "speaker", "--fleet", str(fleet), "--pop", name, "--run-dir", "run"))
        if fleet.name == "fleet":
            children.append(agent(root, link, name))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        while True:
            signal.pause()
    finally:
        for child in children:
            os.kill(child, signal.SIGTERM)


if __name__ == "__main__":
    serve(Path(sys.argv[1]), sys.argv[2], sys.argv[3:])
