"""An order by the API is carried out once, also where its answer is lost; what is refused is said in words."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from anycastle.base.errors import MisuseError, WorldError
from anycastle.io.controller_client.api import ApiController
from anycastle.io.controller_client.http import Api, require_private
from anycastle.io.controller_client.port import Asked, Drain, RolloutOrder
from anycastle.model.person import Role
from tests.unit.web.world import World, folder, world


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    place: Path = tmp_path_factory.mktemp("api")
    with world(f"sqlite:///{place}/store.db") as made:
        made.adopted()
        yield made


@pytest.fixture
def fleet(tmp_path: Path) -> Path:
    for name, text in folder(dns_med=60).items():
        path = tmp_path / "fleet" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "fleet"


@contextmanager
def losing(port: int, lost: bytes) -> Iterator[int]:
    """Pass requests on to a port, each over a connection of its own; lose the first answer to one that has `lost`."""
    left = [1]
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    client, _ = server.accept()
                except OSError:
                    return
                with client, socket.create_connection(("127.0.0.1", port)) as behind:
                    request = whole(client)
                    behind.sendall(request.replace(b"onnection: keep-alive", b"onnection: close"))
                    answer = b"".join(iter(lambda behind=behind: behind.recv(65536), b""))
                    if lost in request and left:
                        left.pop()
                    else:
                        client.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield int(server.getsockname()[1])
        server.shutdown(socket.SHUT_RDWR)
    thread.join(10)
    assert not left, "nothing was lost"


def whole(client: socket.socket) -> bytes:
    request = b""
    while b"\r\n\r\n" not in request:
        request += client.recv(65536)
    head, _, body = request.partition(b"\r\n\r\n")
    lengths = [int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")]
    while lengths and len(body) < lengths[0]:
        body += client.recv(65536)
    return head + b"\r\n\r\n" + body


@contextmanager
def controller(url: str, token: str) -> Iterator[tuple[ApiController, list[str]]]:
    told: list[str] = []
    with closing(Api(url, token, None, told.append)) as api:
        yield ApiController(api, told.append), told


@pytest.mark.parametrize("lost", [b"POST /api/v1/rollouts ", b"POST /api/v1/fleet/revisions "])
def test_an_order_whose_answer_was_lost_is_carried_out_once(api: World, fleet: Path, lost: bytes) -> None:
    before = len(api.ask("GET", "/api/v1/rollouts").json()["items"])
    with (
        losing(int(api.url.rpartition(":")[2]), lost) as port,
        controller(f"http://127.0.0.1:{port}", api.admin) as (asked, told),
    ):
        started = asked.roll_out(fleet, Asked("once", 60.0, 600.0))
    kept = api.ask("GET", "/api/v1/rollouts").json()["items"]
    assert (len(kept) - before, kept[0]["number"]) == (1, started.number)
    assert told == ["the connection was lost: sent again in 0.5 s, to be carried out once"]


def test_what_an_order_was_decided_on_is_told(api: World) -> None:
    with controller(api.url, api.admin) as (asked, told):
        asked.freeze("match")
        frozen = asked.status()["frozen"]
        assert frozen["reason"] == "match"
        assert isinstance(frozen["since"], float)
        asked.thaw("over")
        assert asked.status()["frozen"] is None
    assert [line.partition(" (ETag")[0] for line in told] == ["decided on: frozen by the admin: match"]


def test_a_refusal_has_the_detail_and_what_to_do_next(api: World) -> None:
    viewer, nobody = api.token(Role.VIEWER), "acst_of-nobody"
    for token, ask, wanted in (
        (viewer, lambda by: by.freeze("r"), ["the role viewer does not allow to operate", "next: Ask somebody whose"]),
        (nobody, lambda by: by.status(), ["no good token came with the request", "next: Send a good token"]),
        (api.admin, lambda by: by.order(RolloutOrder.PAUSE, 999), ["there is no rollout 999", "next: "]),
        (api.admin, lambda by: by.drain(Drain(["x y"], ["dns"], "r")), ["", "/pops/0: "]),
    ):
        with controller(api.url, token) as (by, _), pytest.raises(WorldError) as caught:
            ask(by)
        lines = str(caught.value).splitlines()
        assert not caught.value.retryable
        assert all(line.startswith(words) for line, words in zip(lines, wanted, strict=False)), lines
        assert "acst_" not in str(caught.value).replace("acst_...", "")


@pytest.mark.parametrize(
    "url", ["http://ctl1.example.net:8443", "ctl1.example.net:8443", "ftp://127.0.0.1", "https://"]
)
def test_a_token_goes_by_https_or_to_this_machine_alone(url: str) -> None:
    with pytest.raises(MisuseError):
        require_private(url)


@pytest.mark.parametrize(
    "url", ["https://ctl1.example.net", "http://127.0.0.1:1", "http://[::1]:1", "http://localhost"]
)
def test_a_url_to_which_a_token_may_go(url: str) -> None:
    require_private(url)
