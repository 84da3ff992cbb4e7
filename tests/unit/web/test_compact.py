"""Reads that say the same are not sent again, and large ones are packed."""

import gzip
import json

import httpx2
import pytest

from anycastle.web.compact import PACKED_FROM
from tests.unit.web.world import World

pytestmark = pytest.mark.mission("C10")


def raw(api: World, path: str, **headers: str) -> tuple[httpx2.Response, bytes]:
    """Give an answer, and the octets that were on the wire."""
    sent = {"Authorization": f"Bearer {api.admin}", "Accept-Encoding": "identity", **headers}
    with api.http.stream("GET", path, headers=sent) as answer:
        return answer, b"".join(answer.iter_raw())


def test_what_a_client_has_is_not_sent_again(api: World) -> None:
    first, body = raw(api, "/api/v1/services")
    assert first.headers["etag"].startswith('W/"')
    again, nothing = raw(api, "/api/v1/services", **{"If-None-Match": f'"other", {first.headers["etag"]}'})
    assert (again.status_code, nothing) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert "content-type" not in again.headers
    assert again.headers["cache-control"] == "no-store"
    other, same = raw(api, "/api/v1/services", **{"If-None-Match": '"other"'})
    assert (other.status_code, same) == (200, body)
    tagged, _ = raw(api, "/api/v1/services?limit=1")
    assert tagged.headers["etag"] != first.headers["etag"]


def test_a_large_answer_is_packed_for_who_takes_it(api: World) -> None:
    plain, body = raw(api, "/openapi.json")
    assert len(body) > PACKED_FROM
    assert "content-encoding" not in plain.headers
    packed, octets = raw(api, "/openapi.json", **{"Accept-Encoding": "br, gzip;q=0.8"})
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) == len(octets) < len(body) / 4
    assert gzip.decompress(octets) == body
    assert "Accept-Encoding" in packed.headers["vary"]
    assert packed.headers["etag"] == plain.headers["etag"]
    refused, same = raw(api, "/openapi.json", **{"Accept-Encoding": "gzip;q=0"})
    assert (same, "content-encoding" in refused.headers) == (body, False)


def test_a_small_answer_is_as_it_was_and_a_refusal_has_no_tag(api: World) -> None:
    small, body = raw(api, "/api/v1/whoami", **{"Accept-Encoding": "gzip"})
    assert "content-encoding" not in small.headers
    assert json.loads(body)["role"] == "admin"
    refused, _ = raw(api, "/api/v1/services/nobody", **{"If-None-Match": "*"})
    assert (refused.status_code, "etag" in refused.headers) == (404, False)


def test_the_tag_of_a_state_that_is_decided_on_stays_what_it_was_and_spares_no_answer(api: World) -> None:
    seen, body = raw(api, "/api/v1/freeze")
    assert not seen.headers["etag"].startswith("W/")
    # It names the state that an order is decided on, and not all that the answer says, as what a rollout waits for.
    again, same = raw(api, "/api/v1/freeze", **{"If-None-Match": seen.headers["etag"]})
    assert (again.status_code, same, again.headers["etag"]) == (200, body, seen.headers["etag"])


def test_who_may_not_see_it_is_told_nothing_by_a_tag(api: World) -> None:
    seen, _ = raw(api, "/api/v1/services")
    answer = api.ask("GET", "/api/v1/services", "", headers={"If-None-Match": seen.headers["etag"]})
    assert answer.status_code == 401


def test_a_stream_begins_before_it_ends(api: World) -> None:
    headers = {"Authorization": f"Bearer {api.admin}", "Accept-Encoding": "gzip"}
    with api.http.stream("GET", "/api/v1/events/stream", headers=headers) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert "content-encoding" not in answer.headers
        assert next(answer.iter_raw())
