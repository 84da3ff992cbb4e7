"""The client against a server over a real socket: what it asks, what it does when refused, and what it never says."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from anycastle.base.errors import MisuseError, WorldError
from anycastle.io.atlas_api.client import TRIES, AtlasAPI, read_key
from tests.unit.io.atlas_api.server import KEY, NUMBER, Atlas, Trouble, problem, result, served

BODY = {"definitions": [{"type": "ping"}]}


@pytest.fixture
def atlas() -> Iterator[Atlas]:
    with served(Atlas()) as found:
        yield found


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "atlas.key"
    path.write_text(f"{KEY}\n")
    return path


def api(atlas: Atlas, key_file: Path | None = None, told: list[str] | None = None) -> AtlasAPI:
    return AtlasAPI(atlas.address, key_file, (told if told is not None else []).append, pause_s=0.01)


@pytest.mark.mission("I3")
def test_an_order_carries_the_key_in_its_field_alone(atlas: Atlas, key_file: Path) -> None:
    with api(atlas, key_file) as client:
        assert client.balance() == 100_000
        assert client.create(BODY) == [NUMBER]
    assert atlas.orders == [BODY]
    assert atlas.keys == [f"Key {KEY}"] * 2
    assert not any(KEY in path for path in atlas.asked)


def test_a_busy_server_is_asked_again_as_late_as_it_wants(atlas: Atlas, key_file: Path) -> None:
    told: list[str] = []
    busy = Trouble(429, problem(429, "Too Many Requests", "slow down"), {"Retry-After": "0"})
    atlas.troubles = {"/credits/": [busy, Trouble(503, b"<html>"), busy], "/measurements/": [busy]}
    with api(atlas, key_file, told) as client:
        assert client.balance() == 100_000
        assert client.create(BODY) == [NUMBER]
    assert len(told) == 4
    assert "status 429: Too Many Requests; slow down; again in 0.0 s" in told[0]
    assert "status 503; again in" in told[1]
    assert atlas.orders == [BODY]


def test_retry_after_is_kept_to(atlas: Atlas, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("anycastle.io.atlas_api.client.time.sleep", slept.append)
    atlas.troubles = {
        "/measurements/": [Trouble(429, {}, {"Retry-After": "7"}), Trouble(429, {}, {"Retry-After": "9999"})]
    }
    with AtlasAPI(atlas.address) as client:
        assert client.measurement(NUMBER)["id"] == NUMBER
    assert slept == [7.0, 120.0]


def test_a_server_that_stays_at_fault_is_given_up(atlas: Atlas) -> None:
    atlas.troubles = {"/measurements/": [Trouble(502, b"")] * 20}
    with api(atlas) as client, pytest.raises(WorldError, match="status 502") as raised:
        client.measurement(NUMBER)
    assert raised.value.retryable
    assert len(atlas.asked) == TRIES


@pytest.mark.parametrize("status", [500, 502, 504])
def test_an_order_whose_fate_is_not_known_is_not_sent_again(atlas: Atlas, key_file: Path, status: int) -> None:
    atlas.troubles = {"/measurements/": [Trouble(status, b"")]}
    with api(atlas, key_file) as client, pytest.raises(WorldError, match="may have been taken all the same"):
        client.create(BODY)
    assert atlas.asked == ["POST /measurements/"]


def test_a_refusal_reads_as_the_api_says_it(atlas: Atlas, key_file: Path) -> None:
    said = problem(400, "Bad Request", "There was a problem", **{"/definitions/0/target": "This field is required"})
    atlas.troubles = {"/measurements/": [Trouble(400, said)]}
    with api(atlas, key_file) as client, pytest.raises(WorldError) as raised:
        client.create(BODY)
    words = "status 400: Bad Request; There was a problem; /definitions/0/target: This field is required"
    assert words in str(raised.value)
    assert not raised.value.retryable


def test_a_key_that_is_not_known_is_refused_and_not_shown(atlas: Atlas, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("ffffffff-aaaa")
    with api(atlas, other) as client, pytest.raises(WorldError, match="The provided API key does not exist") as raised:
        client.create(BODY)
    assert "ffffffff" not in str(raised.value)
    atlas.troubles = {"/credits/": [Trouble(403, problem(403, "Forbidden", "no"))]}
    with api(atlas, other) as client:
        assert client.balance() is None


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b'{"measurements": "x"}', b'{"measurements": ["1"]}', b"[" * 100_000]
)
def test_an_answer_that_names_no_measurement(atlas: Atlas, key_file: Path, body: bytes) -> None:
    atlas.troubles = {"/measurements/": [Trouble(201, body)]}
    with api(atlas, key_file) as client, pytest.raises(WorldError, match="names no measurement"):
        client.create(BODY)


def test_an_answer_is_read_within_bounds(atlas: Atlas) -> None:
    atlas.troubles = {"/measurements/": [Trouble(200, b" " * (5 * 1024 * 1024))]}
    with api(atlas) as client, pytest.raises(WorldError, match="more than 4194304 octets"):
        client.measurement(NUMBER)


def test_results_of_a_window_come_once_though_the_answer_breaks(atlas: Atlas) -> None:
    told: list[str] = []
    atlas.results = [result(probe, 100 + probe) for probe in range(50)] + [result(99, 500)]
    atlas.cut_after = [2_000, 7_000]
    with api(atlas, told=told) as client:
        lines = list(client.results(NUMBER, 100, 149))
    assert [json.loads(line)["prb_id"] for line in lines] == list(range(50))
    assert len(atlas.asked) == 3
    assert len(told) == 2
    with api(atlas) as client:
        assert [json.loads(line)["prb_id"] for line in client.results(NUMBER, 0, 1000, (3, 99))] == [3, 99]


def test_a_line_without_an_end_is_bounded(atlas: Atlas) -> None:
    atlas.troubles = {"/measurements/": [Trouble(200, b"x" * (2 * 1024 * 1024))]}
    with api(atlas) as client, pytest.raises(WorldError, match="a result of more than"):
        list(client.results(NUMBER, 0, 1))


def test_nobody_there_is_told(atlas: Atlas) -> None:
    with AtlasAPI("http://127.0.0.1:9/api/v2", pause_s=0.001) as client, pytest.raises(WorldError, match="refused"):
        client.measurement(NUMBER)


@pytest.mark.parametrize("address", ["http://atlas.example/api/v2", "http://192.0.2.1", "ftp://127.0.0.1", "x"])
def test_a_key_does_not_go_where_others_can_read_it(address: str, key_file: Path) -> None:
    with pytest.raises(MisuseError, match="a key goes over https"):
        AtlasAPI(address, key_file)


@pytest.mark.parametrize("text", ["", "  \n", "two\nlines", "with space", "ü", "x" * 300])
def test_what_is_no_key_is_refused_without_being_shown(tmp_path: Path, text: str) -> None:
    path = tmp_path / "key"
    path.write_text(text)
    with pytest.raises(MisuseError) as raised:
        read_key(path)
    assert str(raised.value).startswith(f"{path}: holds no API key")
    assert not text.strip() or text.strip() not in str(raised.value)
    with pytest.raises(MisuseError, match="No such file"):
        read_key(tmp_path / "nothing")


def test_an_order_needs_a_key(atlas: Atlas) -> None:
    with api(atlas) as client, pytest.raises(MisuseError, match="--key-file"):
        client.create(BODY)
    assert atlas.asked == []
