"""The driver for BIRD 2: a file of our own that bird.conf includes, and the control socket.

`apply` writes the file in one step, has BIRD check its whole configuration and then take it. `exported` asks BIRD, for each
session that is up, what its export filters make of our routes and which of them it has handed to the session. Three
things a human may have done are respected: an edit of our file stops us, a session that was disabled by hand
stays disabled (a `configure` would enable it), and an error in bird.conf is reported with BIRD's own words and place.

A restart of BIRD. While the agent lives, the file holds what is wanted, also when BIRD was away as it changed, so BIRD
comes up with the right routes before any session does. The file's time is the agent's sign of life, renewed by each
reading of the exports: what starts BIRD removes a file that is older than the lease (docs/how-to/bird.md). The
file lives in the run directory, a tmpfs, so a machine that boots announces nothing until its agent says so.
"""

import asyncio
import difflib
import os
from pathlib import Path
from typing import Final

from anycastle.base.errors import WorldError
from anycastle.io.durable import write_durably
from anycastle.io.routers import bird_config, bird_replies
from anycastle.io.routers.bird_replies import Protocol, Route
from anycastle.io.routers.bird_socket import (
    CONFIGURATION_ERROR,
    CONFIGURATION_OK,
    IN_PROGRESS,
    NO_MATCH,
    RECONFIGURED,
    BirdSocket,
)
from anycastle.io.routers.contract import SessionState, SessionStatus
from anycastle.model.announcement import NOTHING, Announcement, Announcements
from anycastle.model.asn import ASN
from anycastle.model.community import ExtendedCommunity
from anycastle.model.pop import PoP
from anycastle.model.prefix import Address, Prefix
from anycastle.model.upstream import Upstream

DEFAULT_SOCKET: Final = "/run/bird/bird.ctl"
FILE_NAME: Final = "announcements.conf"
FILE_PATTERN: Final = "announcements*.conf"
_FOREIGN_LOOKUPS_MAX: Final = 16
_SETTLE_POLL_S: Final = 0.02
_SETTLE_POLLS_MAX: Final = 250
_DIFF_LINES_MAX: Final = 6
_WALK_ROUTES_MAX: Final = 50_000
"""Routes in BIRD's tables up to which it is asked for ours by a walk (about 1 µs each), beyond it prefix by prefix."""


class BirdDriver:
    """Drives a BIRD on this machine. Options of the router: `control_socket`, `include_dir`."""

    def __init__(self, asn: ASN, pop: PoP, run_dir: Path) -> None:
        options = pop.router.options
        self._asn = asn
        self._pop = pop
        self._names = bird_config.symbols(pop)
        self.include = Path(options.get("include_dir", run_dir / "bird")) / FILE_NAME
        self._bird = BirdSocket(Path(options.get("control_socket", DEFAULT_SOCKET)))
        self._wanted: Announcements = NOTHING
        self._written: str | None = None
        self._seen: dict[Prefix, None] = {}
        """Prefixes that we have announced at some time, in the order in which they are looked up."""
        self._protocols: dict[Address, str] = {}

    # -- the contract -------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Reach BIRD, and check that bird.conf holds the snippet."""
        try:
            self.include.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise WorldError(f"{self.include.parent} cannot be made: {error.strerror}") from error
        self._remember(self._read_file())
        for upstream, symbol in self._names.items():
            function = bird_config.export_function(symbol)
            reply = await self._bird.expect(f"show symbols {function}")
            if "function" not in reply.text.split():
                raise WorldError(
                    f"bird.conf has no function {function} for upstream {upstream}: paste the snippet for PoP"
                    f" {self._pop.name} into it (docs/how-to/bird.md)"
                )

    async def apply(self, wanted: Announcements) -> None:
        """Have BIRD announce exactly `wanted`."""
        self._wanted = wanted
        self._seen |= dict.fromkeys(route.prefix for route in wanted)
        text = bird_config.render(wanted, self._names)
        before = self._read_file()
        self._remember(before)
        if text != before:
            self._write_file(text)
        disabled = await self._disabled()
        await self._check(before)
        await self._configure()
        await self._keep_disabled(disabled)
        await self._expect_included()

    async def exported(self) -> Announcements:
        """Read what BIRD exports over the sessions that are up. A route counts when every session of its upstream has it."""
        self._renew()
        found: set[Announcement] = set()
        for upstream in self._pop.upstreams:
            found |= await self._exported_to(upstream)
        return frozenset(found)

    async def sessions(self) -> tuple[SessionStatus, ...]:
        """Give the state of the BGP protocols whose neighbours are those of our upstreams."""
        protocols = await self._sessions_of_upstreams()
        return tuple(
            _status(upstream, neighbour.address, protocols.get(neighbour.address))
            for upstream in self._pop.upstreams
            for neighbour in upstream.neighbours
        )

    async def shut(self, text: str) -> None:
        """Do nothing: the sessions are BIRD's, and other routes may use them."""

    async def close(self) -> None:
        """Let go of the control socket."""
        self._bird.close()

    # -- the file -----------------------------------------------------------------------------------------------------

    def _read_file(self) -> str | None:
        try:
            return self.include.read_text()
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise WorldError(f"{self.include} cannot be read: {error}") from error

    def _remember(self, text: str | None) -> None:
        """Note what the file announces. Raises `WorldError` when somebody else has changed it."""
        if text is None:
            return
        try:
            self._seen |= dict.fromkeys(bird_config.prefixes_of(text))
        except bird_config.EditedError as error:
            raise WorldError(
                f"{self.include} was edited by hand and is left as it is; remove it to hand it back{self._hint(text)}"
            ) from error

    def _hint(self, text: str) -> str:
        if self._written is None:
            return ""
        difference = difflib.unified_diff(self._written.splitlines(), text.splitlines(), lineterm="", n=0)
        lines = [line for line in difference if line[:1] in "+-" and not line.startswith(("+++", "---"))]
        more = f" and {len(lines) - _DIFF_LINES_MAX} more lines" if len(lines) > _DIFF_LINES_MAX else ""
        return ": " + " | ".join(lines[:_DIFF_LINES_MAX]) + more

    def _write_file(self, text: str) -> None:
        write_durably(self.include, text.encode(), 0o644)  # BIRD reads it as a user of its own
        self._written = text

    def _renew(self) -> None:
        """Give the sign of life that whoever starts BIRD looks for."""
        try:
            os.utime(self.include)
        except FileNotFoundError:
            return
        except OSError as error:
            raise WorldError(f"{self.include} cannot be renewed: {error.strerror}") from error

    # -- configuring --------------------------------------------------------------------------------------------------

    async def _check(self, before: str | None) -> None:
        reply = await self._bird.expect("configure check")
        if reply.code == CONFIGURATION_OK:
            return
        if reply.code == CONFIGURATION_ERROR and str(self.include) in reply.text:
            self._restore(before)
        # An error elsewhere is the operator's to mend. Our file stays: their `configure` then also does what is wanted.
        raise WorldError(f"BIRD refuses its configuration, nothing was changed: {reply.text}")

    def _restore(self, before: str | None) -> None:
        if before is None:
            self.include.unlink(missing_ok=True)
        else:
            self._write_file(before)

    async def _configure(self) -> None:
        reply = await self._bird.expect("configure")
        if reply.code == RECONFIGURED:
            return
        if reply.code not in IN_PROGRESS:
            raise WorldError(f"BIRD does not take its configuration: {reply.text}")
        for _ in range(_SETTLE_POLLS_MAX):
            status = await self._bird.expect("show status")
            if "Reconfiguration" not in status.text:
                return
            await asyncio.sleep(_SETTLE_POLL_S)
        raise WorldError("BIRD is still busy with an earlier reconfiguration")

    async def _disabled(self) -> set[str]:
        """Give the protocols that are down by hand or by a limit: a `configure` would enable them."""
        protocols = bird_replies.parse_protocols(await self._bird.expect("show protocols"))
        ours = set(bird_config.STATIC.values())
        return {protocol.name for protocol in protocols if protocol.state == "down" and protocol.name not in ours}

    async def _keep_disabled(self, names: set[str]) -> None:
        for name in sorted(names):
            await self._bird.ask(f'disable "{name}"')

    async def _expect_included(self) -> None:
        protocols = bird_replies.parse_protocols(await self._bird.expect("show protocols"))
        present = {protocol.name for protocol in protocols}
        missing = [name for name in bird_config.STATIC.values() if name not in present]
        if missing:
            raise WorldError(f"bird.conf does not include {self.include.with_name(FILE_PATTERN)}")

    # -- reading back -------------------------------------------------------------------------------------------------

    async def _sessions_of_upstreams(self) -> dict[Address, Protocol]:
        """Give neighbour -> its BGP protocol, asking only for ours once their names are known."""
        wanted = {neighbour.address for upstream in self._pop.upstreams for neighbour in upstream.neighbours}
        found: dict[Address, Protocol] = {}
        for name in sorted({self._protocols[address] for address in wanted if address in self._protocols}):
            found |= _by_neighbour(await self._bird.ask(f'show protocols all "{name}"'))
        if not wanted <= found.keys():
            found = _by_neighbour(await self._bird.expect("show protocols all"))
        self._protocols = {address: protocol.name for address, protocol in found.items() if address in wanted}
        return {address: protocol for address, protocol in found.items() if address in wanted}
