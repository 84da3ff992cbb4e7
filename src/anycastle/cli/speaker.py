"""`anycastle speaker`: the embedded BGP speaker's process."""

from pathlib import Path

import click

from anycastle.cli.agent import FLEET, POP, load_for, run_dir_option


@click.group()
def speaker() -> None:
    """Run the embedded BGP speaker of a PoP without a router of its own."""


@speaker.command()
@FLEET
@POP
@run_dir_option
def run(fleet_dir: Path, pop: str, run_dir: Path | None) -> None:
    """Speak BGP for a PoP until SIGTERM; the agent says over a socket what to announce.

    It starts with nothing to announce. It needs the right to bind port 179 (CAP_NET_BIND_SERVICE), and for a
    password or TTL security CAP_NET_ADMIN.
    """
    import asyncio

    from anycastle.cli.agent import directories
    from anycastle.daemons.speaker_process import run_speaker

    async def speak() -> None:
        fleet = await load_for(fleet_dir, pop)
        await run_speaker(fleet.asn, fleet.pop(pop), directories(pop, None, run_dir)[1])

    asyncio.run(speak())
