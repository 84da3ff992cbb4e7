"""A controller that leads on a store of its own, without agents, and its API on loopback: all of it real but the link.

It runs in a thread; tests ask over TCP as any client does.
"""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import httpx2

from anycastle.daemons.api import ApiServer
from anycastle.daemons.api_place import ApiPlace
from anycastle.daemons.controller import ControllerDaemon
from anycastle.daemons.notifying import Notifying
from anycastle.daemons.signal_source import SignalSource
from anycastle.io.budgets import Budgets
from anycastle.io.config.oidc_file import LoginSettings
from anycastle.io.foretelling import Foreteller, TwinFiles
from anycastle.io.link.host import Elsewhere
from anycastle.io.store import SqlStore, open_store
from anycastle.io.store.people import SqlPeople, new_token
from anycastle.io.stored_folders import StoredFolders, files_in
from anycastle.model.person import Grant, Role
from anycastle.web.limits import Rate
from anycastle.web.settings import WebSettings
from anycastle.wire.link import message as said

EXAMPLE = Path(__file__).parents[3] / "src/anycastle/io/config/example"
FAST = WebSettings(by_address=Rate(1e6, 1e6), by_person=Rate(1e6, 1e6), heartbeat_s=0.2)
BEGIN_S = 30.0

_WEB = """\
name: web
prefixes: [203.0.113.0/24]
addresses: [203.0.113.80]
pops: [gru1, nrt1, iad1, fra1]
quorum: all
checks:
  - name: tcp
    tcp: {address: 203.0.113.80, port: 80}
    interval: 1s
    timeout: 500ms
announcement: {announce: true, prepend: PREPEND}
floor: {pops: 2}
"""

T = TypeVar("T")


def folder(*, dns_med: int = 50, web_prepend: int = 0) -> dict[str, str]:
    """Two services; each argument changes one of them alone."""
    files = {path: octets.decode() for path, octets in files_in(EXAMPLE).items()}
    files["services/dns.yaml"] = files["services/dns.yaml"].replace("med: 50", f"med: {dns_med}")
    files["services/web.yaml"] = _WEB.replace("PREPEND", str(web_prepend))
    return files


class NoAgents:
    """The link where nobody dials in."""

    def dismiss_all(self, elsewhere: Elsewhere) -> None:
        """Nobody is there."""

    def assign(self, pop: str, digest: str, octets: bytes) -> bool:
        return False

    def command(self, pop: str, command: said.Grant | said.Revoke) -> bool:
        return False

    def order(self, pop: str, order: said.Order) -> None:
        """Nobody hears it."""


@dataclass
class World:
    """What a test talks to."""

    url: str
    store: SqlStore
    daemon: ControllerDaemon
    told: list[str]
    call: Callable[[Coroutine[Any, Any, Any]], Any]
    http: httpx2.Client
    admin: str = ""
    foreteller: Foreteller | None = None

    def token(self, role: Role, services: frozenset[str] | None = None, principal: str | None = None) -> str:
        """Make a token as the machine itself does."""
        name = f"t{uuid4().hex}"
        note, secret = new_token(name, Grant(role, services), principal or name, "test", 3600.0)
        self.call(SqlPeople(self.store).add_token(note, secret, term=self.daemon.term()))
        return secret

    def ask(
        self,
        method: str,
        path: str,
        token: str | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        key: str | None = None,
    ) -> httpx2.Response:
        """Ask as the admin, or by another token; with a new key where none is given."""
        sent = {"Authorization": f"Bearer {self.admin if token is None else token}"} if token != "" else {}
        if method in {"POST", "PUT"}:
            sent["Idempotency-Key"] = key or uuid4().hex
        return self.http.request(
            method, path, headers={**sent, **(headers or {})}, **({} if body is None else {"json": body})
        )

    def upload(self, files: Mapping[str, str]) -> str:
        answer = self.ask("POST", "/api/v1/fleet/revisions", body={"files": files})
        assert answer.status_code == 201, answer.text
        revision: str = answer.json()["revision"]
        return revision

    def adopted(self) -> str:
        """Have a first revision desired."""
        revision = self.upload(folder())
        answer = self.ask("POST", "/api/v1/fleet/adoption", body={"revision": revision, "reason": "first"})
        assert answer.status_code == 200, answer.text
        return revision

    def rollout(self, files: Mapping[str, str], token: str | None = None) -> int:
        asked = {"revision": self.upload(files), "reason": "test"}
        answer = self.ask("POST", "/api/v1/rollouts", token, asked)
        assert answer.status_code == 201, answer.text
        number: int = answer.json()["number"]
        return number


@contextmanager
def world(
    address: str,
    settings: WebSettings = FAST,
    *,
    leads: bool = True,
    login: LoginSettings | None = None,
    notifying: Notifying | None = None,
    sources: Sequence[SignalSource] = (),
    twin: TwinFiles | None = None,
    budgets: Budgets | None = None,
) -> Iterator[World]:
    """Run a controller and its API. With `notifying` it opens incidents, of what agents and `sources` say."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    def call(coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, loop).result(60)

    told: list[str] = []
    foreteller = None if twin is None else Foreteller(twin, told.append)
    begun = _begin(address, settings, told, leads, login, notifying, sources, foreteller, budgets)
    store, daemon, api, task = call(begun)
    url = f"http://127.0.0.1:{api.port}"
    try:
        with httpx2.Client(base_url=url, timeout=60) as http:
            made = World(url, store, daemon, told, call, http, foreteller=foreteller)
            if leads:
                made.admin = made.token(Role.ADMIN, principal="the admin")
            yield made
    finally:
        call(_end(store, api, task))
        call(_cancel_rest())
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


async def _begin(
    address: str,
    settings: WebSettings,
    told: list[str],
    leads: bool,
    login: LoginSettings | None,
    notifying: Notifying | None,
    sources: Sequence[SignalSource],
    foreteller: Foreteller | None,
    budgets: Budgets | None,
) -> tuple[SqlStore, ControllerDaemon, ApiServer, asyncio.Task[None] | None]:
    store = await open_store(address)
    daemon = ControllerDaemon(
        store, StoredFolders(store), "ctl.example.net:9479", told.append, notifying=notifying, sources=sources
    )
    daemon.listener = NoAgents()
    place = ApiPlace("127.0.0.1", 0)
    api = ApiServer(place, store, daemon, settings, login, foreteller=foreteller, budgets=budgets)
    await api.start()
    if not leads:
        return store, daemon, api, None
    task = asyncio.create_task(daemon.run())
    async with asyncio.timeout(BEGIN_S):
        while daemon.term() is None:
            await asyncio.sleep(0.01)
    return store, daemon, api, task


async def _end(store: SqlStore, api: ApiServer, task: asyncio.Task[None] | None) -> None:
    await api.close()
    if task is not None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    await store.close()


async def _cancel_rest() -> None:
    """End what is left as `asyncio.run` does: a pool closes connections that were cut short by tasks of its own.

    None is ours: what a server began, it ended.
    """
    rest = asyncio.all_tasks() - {asyncio.current_task()}
    ours = [task for task in rest if "/anycastle/" in task.get_coro().cr_code.co_filename]  # type: ignore[union-attr]
    assert not ours, ours
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)
