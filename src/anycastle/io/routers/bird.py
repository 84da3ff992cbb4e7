"""The driver for BIRD 2: a file of our own that bird.conf includes, and the control socket.

`apply` writes the file in one step and has BIRD take its whole configuration, which it checks first. `exported` asks
BIRD, for each session that is up, what its export filters make of our routes and which of them it has handed to the
session. Three things a human may have done are respected: an edit of our file stops us, a session disabled by hand
stays disabled (a `configure` would enable it), and an error in bird.conf is reported with BIRD's own words and place.

A restart of BIRD. While the agent lives, the file holds what is wanted, also when BIRD was away as it changed, so BIRD
comes up with the right routes before any session does. The file's time is the agent's sign of life, renewed by each
reading of the exports: what starts BIRD removes a file that is older than the lease (docs/how-to/bird.md). The
file lives in the run directory, a tmpfs, so a machine that boots announces nothing until its agent says so.
"""

import asyncio
import difflib
import os
import time
from pathlib import Path
from typing import Final

from anycastle.base.errors import WorldError
from anycastle.io.durable import write_durably
from anycastle.io.routers import bird_config, bird_replies
from anycastle.io.routers.bird_replies import Protocol, Route
from anycastle.io.routers.bird_socket import (
    CONFIGURATION_ERROR,
    IN_PROGRESS,
    NO_MATCH,
    NO_TABLES,
    PARSE_ERROR,
    RECONFIGURED,
    BirdSocket,
    Reply,
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
        self._written_as: tuple[int, int, int] | None = None
        """By which the file is known for what was written: its inode, size and time of change, in nanoseconds."""
        self._seen: dict[Prefix, None] = {}
        """Prefixes that we have announced at some time, in the order in which they are looked up."""
        self._protocols: dict[Address, str] = {}
        self._table_routes = 0
        self._kept_down: set[str] = set()
        """Protocols that were down before a `configure`, and are to be disabled again after it."""

    def claimed(self) -> Path:
        """Give the directory of our file, made where it is not there: two agents that write to it undo each other."""
        try:
            self.include.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise WorldError(f"{self.include.parent} cannot be made: {error.strerror}") from error
        return self.include.parent

    # -- the contract -------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Reach BIRD, and check that bird.conf holds the snippet."""
        self.claimed()
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
        heard: list[Reply] = []
        try:
            # One turn of BIRD's for both. `configure` checks by itself, and changes nothing where it finds an error.
            _, configured = await self._bird.expect_together("show protocols", "configure", heard=heard)
            await self._require_configured(configured, before)
        finally:
            if heard:
                self._kept_down |= _disabled(heard[0])
        await self._keep_disabled()
        if _missing(heard[0]):  # else it included our file before: should it not any more, the next apply says so
            await self._expect_included()

    async def exported(self) -> Announcements:
        """Read what the sessions that are up export; a wanted route counts once all of its upstream's have it."""
        self._renew()
        protocols = await self._sessions_of_upstreams()
        found: set[Announcement] = set()
        for upstream in self._pop.upstreams:
            found |= await self._exported_to(upstream, protocols)
        return frozenset(found)

    async def configured(self) -> Announcements:
        """Read the routes that BIRD has of our static protocols, from whichever file it read them."""
        found: set[Announcement] = set()
        known = self._known_extended()
        for route in await self._ours("all"):
            for upstream, symbol in self._names.items():
                prepend = route.fields.get(f"{symbol}_prepend")
                if prepend is not None:
                    words = bird_replies.words_of(symbol)
                    attributes = bird_replies.attributes_of(route.fields, words, int(prepend), known)
                    found.add(Announcement(route.prefix, upstream, attributes))
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
            if self._written_as is not None and self._identity() == self._written_as:
                return self._written  # a withdrawal does not wait for the reading of what is known
            return self.include.read_text()
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise WorldError(f"{self.include} cannot be read: {error}") from error

    def _remember(self, text: str | None) -> None:
        """Note what the file announces. Raises `WorldError` when somebody else has changed it."""
        if text is None or text == self._written:
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
        self._written_as = None
        write_durably(self.include, text.encode(), 0o644)  # BIRD reads it as a user of its own
        self._written = text
        self._stamp()

    def _stamp(self) -> None:
        """Give the file a time that is known to be ours.

        The kernel would give it that of its last tick, as it would to an edit some milliseconds later.
        """
        time_ns = time.time_ns()
        try:
            os.utime(self.include, ns=(time_ns, time_ns))
            self._written_as = self._identity()
        except OSError:
            self._written_as = None  # somebody took it away: the next reading says what is there

    def _identity(self) -> tuple[int, int, int]:
        found = self.include.stat()
        return found.st_ino, found.st_size, found.st_mtime_ns

    def _renew(self) -> None:
        """Give the sign of life that whoever starts BIRD looks for."""
        try:
            if self._written_as is not None and self._identity() == self._written_as:
                self._stamp()
            else:
                self._written_as = None
                os.utime(self.include)
        except FileNotFoundError:
            return
        except OSError as error:
            raise WorldError(f"{self.include} cannot be renewed: {error.strerror}") from error

    # -- configuring --------------------------------------------------------------------------------------------------

    def _restore(self, before: str | None) -> None:
        if before is None:
            self.include.unlink(missing_ok=True)
        else:
            self._write_file(before)

    async def _require_configured(self, reply: Reply, before: str | None) -> None:
        if reply.code == RECONFIGURED:
            return
        if reply.code == CONFIGURATION_ERROR:
            if str(self.include) in reply.text:
                self._restore(before)
            # One elsewhere is the operator's to mend. Our file stays: their `configure` then also does what is wanted.
            raise WorldError(f"BIRD refuses its configuration, nothing was changed: {reply.text}")
        if reply.code not in IN_PROGRESS:
            raise WorldError(f"BIRD does not take its configuration: {reply.text}")
        for _ in range(_SETTLE_POLLS_MAX):
            status = await self._bird.expect("show status")
            if "Reconfiguration" not in status.text:
                return
            await asyncio.sleep(_SETTLE_POLL_S)
        raise WorldError("BIRD is still busy with an earlier reconfiguration")

    async def _keep_disabled(self) -> None:
        for name in sorted(self._kept_down):
            await self._bird.ask(f'disable "{name}"')
            self._kept_down.discard(name)

    async def _expect_included(self) -> None:
        if _missing(await self._bird.expect("show protocols")):
            raise WorldError(f"bird.conf does not include {bird_config.include_pattern(self.include)}")

    # -- reading back -------------------------------------------------------------------------------------------------

    async def _sessions_of_upstreams(self) -> dict[Address, Protocol]:
        """Give neighbour -> its BGP protocol; once their names are known, only those are asked for."""
        wanted = {neighbour.address for upstream in self._pop.upstreams for neighbour in upstream.neighbours}
        found: dict[Address, Protocol] = {}
        for name in sorted({self._protocols[address] for address in wanted if address in self._protocols}):
            found |= _by_neighbour(await self._bird.ask(f'show protocols all "{name}"'))
        if not wanted <= found.keys():
            found = _by_neighbour(await self._bird.expect("show protocols all"))
        self._table_routes = sum(protocol.imported for protocol in found.values())
        self._protocols = {address: protocol.name for address, protocol in found.items() if address in wanted}
        return {address: protocol for address, protocol in found.items() if address in wanted}

    async def _exported_to(self, upstream: Upstream, protocols: dict[Address, Protocol]) -> set[Announcement]:
        sessions = [protocols[n.address] for n in upstream.neighbours if n.address in protocols]
        per_session = [
            (session, await self._exported_by(session, upstream.name)) for session in sessions if session.established
        ]
        found: set[Announcement] = set()
        for _, routes in per_session:
            found |= routes
        # One that is wanted must have reached every session; one that is not counts as soon as any has it.
        return {
            route
            for route in found
            if route not in self._wanted
            or all(route in routes for session, routes in per_session if route.prefix.family in session.families)
        }

    async def _exported_by(self, session: Protocol, upstream: str) -> set[Announcement]:
        known = self._known_extended()
        channel = bird_replies.quoted(session.name)
        sent = {route.prefix for route in await self._ours(f"exported {channel}")}
        shown = [route for route in await self._ours(f"export {channel} all") if route.prefix in sent]
        shown += await self._foreign(session, sent)
        return {
            Announcement(
                route.prefix,
                upstream,
                bird_replies.attributes_of(
                    route.fields, bird_replies.BGP, bird_replies.path_length(route.fields), known
                ),
            )
            for route in shown
        }

    async def _foreign(self, session: Protocol, ours: set[Prefix]) -> list[Route]:
        """Give routes of other protocols for prefixes that we announced once, a few prefixes at a time."""
        absent = [prefix for prefix in self._seen if prefix not in ours and prefix.family in session.families]
        found: list[Route] = []
        for prefix in absent[:_FOREIGN_LOOKUPS_MAX]:
            found += await self._show(f"show route {prefix} export {bird_replies.quoted(session.name)} all")
            self._seen[prefix] = self._seen.pop(prefix)  # to the end of the line
        return [route for route in found if route.source not in bird_config.STATIC.values()]

    async def _ours(self, which: str) -> list[Route]:
        """Give the routes of our static protocols, as `show route WHICH` has them."""
        sources = " || ".join(f'proto = "{name}"' for name in bird_config.STATIC.values())
        if self._table_routes <= _WALK_ROUTES_MAX:
            return await self._show(f"show route {which} where {sources}")
        found: list[Route] = []
        for prefix in tuple(self._seen):
            found += await self._show(f"show route {prefix} {which} where {sources}")
        return found

    async def _show(self, command: str) -> list[Route]:
        reply = await self._bird.ask(command)
        if reply.code in NO_MATCH or reply.text == NO_TABLES:
            return []
        if reply.code >= PARSE_ERROR:
            raise WorldError(f"BIRD does not take {command!r}: {reply.text}")
        return bird_replies.parse_routes(reply)

    def _known_extended(self) -> dict[str, ExtendedCommunity]:
        communities = (community for route in self._wanted for community in route.attributes.communities)
        return {bird_config.format_extended(c): c for c in communities if isinstance(c, ExtendedCommunity)}


def _disabled(reply: Reply) -> set[str]:
    """Give the protocols that are down by hand or by a limit: a `configure` enables them."""
    ours = set(bird_config.STATIC.values())
    protocols = bird_replies.parse_protocols(reply)
    return {protocol.name for protocol in protocols if protocol.state == "down" and protocol.name not in ours}


def _missing(reply: Reply) -> set[str]:
    """Give the static protocols of our file that BIRD does not have."""
    return set(bird_config.STATIC.values()) - {protocol.name for protocol in bird_replies.parse_protocols(reply)}


def _by_neighbour(reply: Reply) -> dict[Address, Protocol]:
    protocols = bird_replies.parse_protocols(reply)
    return {protocol.neighbour: protocol for protocol in protocols if protocol.neighbour is not None}


def _status(upstream: Upstream, neighbour: Address, protocol: Protocol | None) -> SessionStatus:
    if protocol is None:
        detail = "no BGP protocol in BIRD has this neighbour"
        return SessionStatus(upstream.name, neighbour, SessionState.DOWN, frozenset(), detail)
    if protocol.established:
        state = SessionState.ESTABLISHED
    else:
        state = SessionState.DOWN if protocol.state == "down" else SessionState.CONNECTING
    detail = protocol.last_error or (protocol.info if state is not SessionState.ESTABLISHED else "")
    return SessionStatus(upstream.name, neighbour, state, protocol.families, detail, protocol.graceful_restart)
