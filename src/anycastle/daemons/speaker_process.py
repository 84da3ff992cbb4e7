"""`anycastle speaker run`: the embedded BGP speaker as a process of its own, told what to announce over its socket."""

import asyncio
import signal
import sys
from pathlib import Path

from anycastle.io import systemd_notify
from anycastle.io.routers.embedded import SPEAKER_SOCKET
from anycastle.io.speaker.control import ControlServer
from anycastle.io.speaker.event import SessionDown, SessionUp, SpeakerEvent
from anycastle.io.speaker.for_pop import speaker_config
from anycastle.io.speaker.speaker import Speaker
from anycastle.model.asn import ASN
from anycastle.model.pop import PoP

FIRST_ROUTES_S = 10.0
"""How long sessions with graceful restart wait for the agent; far below the restart time that neighbours are given."""


async def run_speaker(asn: ASN, pop: PoP, run_dir: Path) -> None:
    """Speak until SIGTERM, SIGINT or a client's `stop`. Raises `WorldError` where it cannot begin.

    It starts with nothing to announce, so that after a restart no stale route comes back: the agent sets what is due.
    With graceful restart the neighbours keep the routes from before until End-of-RIB; so the sessions begin once the
    agent has said what to announce, or has been silent for `FIRST_ROUTES_S`.
    """
    run_dir.mkdir(parents=True, exist_ok=True, mode=0o755)
    control = ControlServer(run_dir / SPEAKER_SOCKET)

    def note(event: SpeakerEvent) -> None:
        control.note(event)
        _print(event)

    speaker = Speaker(speaker_config(asn, pop), note)
    await control.start(speaker)
    try:
        loop = asyncio.get_running_loop()
        for stop_signal in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(stop_signal, control.stopped.set)
        loop.add_signal_handler(signal.SIGHUP, lambda: None)  # nothing to reload, and sessions outlive a terminal
        if any(neighbour.session.graceful_restart for neighbour in speaker.config.neighbours):
            systemd_notify.notify("READY=1", "STATUS=waiting for the agent")  # which may wait for us to be ready
            await _first_routes(control)
        await speaker.start()
        systemd_notify.notify("READY=1", f"STATUS=speaking for {pop.name}")
        await control.stopped.wait()
        systemd_notify.notify("STOPPING=1")
        await speaker.stop("the speaker was stopped")
    finally:
        await control.close()


async def _first_routes(control: ControlServer) -> None:
    waiting = [asyncio.ensure_future(event.wait()) for event in (control.told, control.stopped)]
    await asyncio.wait(waiting, timeout=FIRST_ROUTES_S, return_when=asyncio.FIRST_COMPLETED)
    for each in waiting:
        each.cancel()
    if not control.told.is_set():
        print("no agent has said what to announce; beginning without", file=sys.stderr, flush=True)  # noqa: T201


def _print(event: SpeakerEvent) -> None:
    """Say on standard error which sessions come and go, for the journal."""
    match event:
        case SessionUp():
            print(f"{event.upstream} {event.neighbour}: established", file=sys.stderr, flush=True)  # noqa: T201
        case SessionDown():
            print(f"{event.upstream} {event.neighbour}: {event.reason}", file=sys.stderr, flush=True)  # noqa: T201
        case _:
            pass
