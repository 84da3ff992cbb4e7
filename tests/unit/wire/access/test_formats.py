"""Lines as nginx 1.22, HAProxy 2.6 and Varnish 7.1 wrote them, each read whole and cut at every character."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anycastle.wire.access import haproxy, nginx, varnish
from anycastle.wire.access.record import Handling, LineError, RequestRecord, SessionRecord
from anycastle.wire.access.table import FORMATS

NGINX = (
    '{"at":"1795806450.123","client":"10.101.0.1","status":"200","octets":"240","seconds":"0.012",'
    '"first_byte":"0.010","cache":"HIT","request":"GET /a\\u0022b HTTP/1.1"}'
)
HAPROXY_HTTP = (
    "10.101.0.1:40312 [27/Nov/2026:19:07:30.123] web cache/varnish 0/0/1/3/16 503 225 - - ---- 1/1/0/0/0 0/0"
    ' "GET /obj/1 HTTP/1.1" at=1795806450.123 cache=0'
)
HAPROXY_TCP = (
    "10.101.0.1:20001 [27/Nov/2026:19:07:30.123] long echo/echo 1/0/5302 190 cD 3/2/1/1/0 0/0 at=1795806450.123"
)
VARNISH = (
    '{"at":"1795806450","client":"2001:db8::1","status":"200","octets":"310","micros":"1234",'
    '"first_byte":"0.000731","cache":"hit","request":"GET http://day.example/obj/1 HTTP/1.1"}'
)
COMBINED = '192.0.2.7 - bob [27/Nov/2026:19:07:30 +0100] "GET /\\" HTTP/1.1" 404 153 "-" "curl/7.88.1"'
LINES = {"nginx": [NGINX, COMBINED], "haproxy": [HAPROXY_HTTP, HAPROXY_TCP], "varnish": [VARNISH, COMBINED]}


@pytest.mark.mission("M5", "M7")
def test_nginx_tells_status_times_and_cache() -> None:
    assert nginx.parse(NGINX) == RequestRecord(
        1795806450.123, "10.101.0.1", 200, 240, 0.012, 0.010, Handling.HIT, client_left=False
    )


@pytest.mark.mission("M5", "M7")
def test_varnish_tells_status_times_and_cache() -> None:
    assert varnish.parse(VARNISH) == RequestRecord(
        1795806450.0, "2001:db8::1", 200, 310, pytest.approx(0.001234), 0.000731, Handling.HIT
    )


def test_a_request_of_varnish_that_took_long() -> None:
    assert varnish.parse(VARNISH.replace('"1234"', '"86399000000"')).duration_s == 86_399.0
    with pytest.raises(LineError, match="micros"):
        varnish.parse(VARNISH.replace('"1234"', '"8640000000000"'))


@pytest.mark.mission("M5")
def test_haproxy_tells_requests() -> None:
    found = haproxy.parse(HAPROXY_HTTP)
    assert isinstance(found, RequestRecord)
    assert (found.at, found.status, found.octets) == (pytest.approx(1795806450.139), 503, 225)
    assert (found.duration_s, found.first_byte_s, found.handling) == (0.016, pytest.approx(0.004), None)


@pytest.mark.mission("M6")
def test_haproxy_tells_sessions_that_fell_silent() -> None:
    assert haproxy.parse(HAPROXY_TCP) == SessionRecord(
        1795806450.123, "10.101.0.1", 20001, 5.302, 190, orderly=False, silent=True
    )


def test_a_line_without_the_recommended_fields_is_of_the_time_that_it_says_in_utc() -> None:
    found = haproxy.parse("Nov 27 19:07:30 lb1 haproxy[811]: " + HAPROXY_HTTP.partition(" at=")[0])
    assert isinstance(found, RequestRecord)
    assert found.at == pytest.approx(1795806450.139)


def test_the_combined_format_tells_neither_times_nor_the_cache() -> None:
    for parse in (nginx.parse, varnish.parse):
        assert parse(COMBINED) == RequestRecord(1795802850.0, "192.0.2.7", 404, 153)


@pytest.mark.parametrize(
    ("word", "handling"),
    [("STALE", Handling.STALE), ("UPDATING", Handling.STALE), ("EXPIRED", Handling.MISS), ("BYPASS", Handling.PASS),
     ("REVALIDATED", Handling.HIT), ("", None), ("-", None)],
)  # fmt: skip
def test_words_of_nginx_for_its_cache(word: str, handling: Handling | None) -> None:
    assert nginx.parse(NGINX.replace("HIT", word)).handling is handling


@pytest.mark.parametrize(
    ("word", "handling"),
    [("streaming-hit", Handling.COLLAPSED), ("miss", Handling.MISS), ("pass", Handling.PASS),
     ("pipe", Handling.PASS), ("synth", None)],
)  # fmt: skip
def test_words_of_varnish_for_its_cache(word: str, handling: Handling | None) -> None:
    assert varnish.parse(VARNISH.replace('"hit"', f'"{word}"')).handling is handling


def test_clients_that_left() -> None:
    left = haproxy.parse(HAPROXY_HTTP.replace("503 225 - - ----", "-1 0 - - CD--"))
    assert isinstance(left, RequestRecord)
    assert (left.status, left.client_left) == (0, True)
    assert nginx.parse(NGINX.replace('"200"', '"499"')).client_left
    assert nginx.parse(NGINX.replace('"200"', '"444"')).status == 0


def test_of_several_upstreams_the_last_one_answered() -> None:
    assert nginx.parse(NGINX.replace('"0.010"', '"0.001, 0.002 : 0.007"')).first_byte_s == 0.007
    assert nginx.parse(NGINX.replace('"0.010"', '"-"')).first_byte_s is None


@pytest.mark.parametrize(
    ("server", "line", "words"),
    [
        ("nginx", NGINX.replace('"200"', '"2x0"'), "status is '2x0', and no number"),
        ("nginx", NGINX.replace('"200"', '"99"'), "status is '99'"),
        ("nginx", NGINX.replace("1795806450.123", "nan"), "beyond 0"),
        ("nginx", NGINX.replace("1795806450.123", "12"), "before the year 2000"),
        ("nginx", NGINX.replace("HIT", "PERHAPS"), "cache is 'PERHAPS'; known are -, hit"),
        ("nginx", "[]", "neither"),
        ("nginx", "{}", "lacks at, client, status, octets"),
        ("haproxy", "Proxy web started.", "neither HAProxy's HTTP format nor"),
        ("haproxy", HAPROXY_TCP.replace(":20001", ":99999"), "port 99999"),
        ("haproxy", HAPROXY_HTTP.partition(" at=")[0].replace("27/Nov", "99/Nov"), "the time"),
        ("varnish", COMBINED.replace("+0100", "+9900"), "the time"),
    ],
)
def test_what_is_wrong_with_a_line_is_told(server: str, line: str, words: str) -> None:
    with pytest.raises(LineError, match=words.replace("[", r"\[")):
        FORMATS[server](line)


@pytest.mark.parametrize(("server", "line"), [(server, line) for server, lines in LINES.items() for line in lines])
def test_a_line_that_is_cut_short_is_damaged_or_still_whole(server: str, line: str) -> None:
    whole = FORMATS[server](line)
    for end in range(len(line)):
        try:
            found = FORMATS[server](line[:end])
        except LineError:
            continue
        assert found.client == whole.client  # a cut behind all that is read, or within a number that stands last


@given(st.sampled_from(sorted(FORMATS)), st.text() | st.text(alphabet='{}":,0123456789.-/ []abcst'))
def test_any_text_is_read_or_damaged(server: str, text: str) -> None:
    try:
        found = FORMATS[server](text)
    except LineError:
        return
    assert isinstance(found, RequestRecord | SessionRecord)


@given(st.data())
def test_a_line_with_octets_changed_is_read_or_damaged(data: st.DataObject) -> None:
    server = data.draw(st.sampled_from(sorted(FORMATS)))
    line = data.draw(st.sampled_from(LINES[server]))
    at = data.draw(st.integers(0, len(line) - 1))
    changed = line[:at] + data.draw(st.text(max_size=4)) + line[at + data.draw(st.integers(0, 5)) :]
    try:
        found = FORMATS[server](changed)
    except LineError:
        return
    if isinstance(found, RequestRecord):
        assert found.status == 0 or 100 <= found.status <= 999
        assert found.octets >= 0
        assert found.duration_s is None or found.duration_s >= 0


def test_a_damaged_line_of_slashes_is_refused_at_once() -> None:
    """With names that might hold slashes each of them could end one: the search would take their number squared."""
    for kind in ("1/1/1/1/1 200 1 - - ---- 1/1/1/1/1", ""):
        with pytest.raises(LineError):
            haproxy.parse(f"192.0.2.1:1 [27/Nov/2026:19:07:30.123] web {'/' * 60_000}{kind}")
