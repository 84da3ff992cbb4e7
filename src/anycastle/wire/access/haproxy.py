"""HAProxy: lines of `option httplog` and of `option tcplog`, with or without syslog's head before them.

HAProxy writes the time of a line without its zone. The recommended format ends in `at=SECONDS.MILLISECONDS`, which is
exact; without it the time is read as UTC. `cache=1` tells a response of HAProxy's own small cache.
Source: HAProxy 2.6 configuration manual, §8.2.2 TCP log format, §8.2.3 HTTP log format, §8.5 session state.
"""

import re
from datetime import UTC, datetime
from typing import Final

from anycastle.base.ports import Timestamp
from anycastle.wire.access.fields import address, octets, seconds, status, wall
from anycastle.wire.access.record import AccessRecord, Handling, LineError, RequestRecord, SessionRecord

HTTP_LOG_FORMAT: Final = (
    """log-format "%ci:%cp [%tr] %ft %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST %B %CC %CS %tsc"""
    ''' %ac/%fc/%bc/%sc/%rc %sq/%bq %{+Q}r at=%Ts.%ms cache=%[res.cache_hit]"'''
)
"""What the documentation recommends for a frontend in HTTP mode: `option httplog`, and two fields more."""

TCP_LOG_FORMAT: Final = (
    '''log-format "%ci:%cp [%t] %ft %b/%s %Tw/%Tc/%Tt %B %ts %ac/%fc/%bc/%sc/%rc %sq/%bq at=%Ts.%ms"'''
)
"""What the documentation recommends for a frontend in TCP mode: `option tcplog`, and one field more."""

# Names of proxies hold no slash: what stands before one is matched in one way only, and a damaged line takes no longer.
_TIMER: Final = r"(?:-1|\+?\d{1,12})"
_HEAD: Final = r"(?P<client>[0-9A-Fa-f.:%\w]{2,64}|unix):(?P<port>\d{1,5}) \[(?P<date>[^\]]{10,40})\] \S+ [^\s/]+/\S+ "
_HTTP: Final = re.compile(
    _HEAD + rf"(?P<TR>{_TIMER})/(?P<Tw>{_TIMER})/(?P<Tc>{_TIMER})/(?P<Tr>{_TIMER})/(?P<Ta>{_TIMER})"
    r" (?P<status>-1|\d{1,3}) \+?(?P<octets>\d{1,16}) \S+ \S+ (?P<state>[\w-]{4}) \S+ [^\s/]+/\S+ (?P<rest>.*)"
)
_TCP: Final = re.compile(
    _HEAD + rf"(?P<Tw>{_TIMER})/(?P<Tc>{_TIMER})/(?P<Tt>{_TIMER}) \+?(?P<octets>\d{{1,16}})"
    r" (?P<state>[\w-]{2}) \S+ [^\s/]+/\S+(?P<rest>.*)"
)
_AT: Final = re.compile(r"(?:^| )at=(\d{1,11}\.\d{1,3})(?: |$)")
_CACHE: Final = re.compile(r"(?:^| )cache=([01])(?: |$)")
_SYSLOG_HEAD_MAX: Final = 200


def parse(line: str) -> AccessRecord:
    """Read a line. Raises `LineError`."""
    found = _HTTP.search(line, 0) or _TCP.search(line, 0)
    if found is None or found.start() > _SYSLOG_HEAD_MAX:
        raise LineError("neither HAProxy's HTTP format nor its TCP format")
    return _request(found) if found.re is _HTTP else _session(found)


def _request(found: "re.Match[str]") -> RequestRecord:
    sent = found["status"]
    to_request, total, response = (_milliseconds(found[name], name) for name in ("TR", "Ta", "Tr"))
    parts = [_milliseconds(found[name], name) for name in ("Tw", "Tc")]
    known = [each for each in (*parts, response) if each is not None]
    began = _began(found)
    cached = _CACHE.search(found["rest"])
    return RequestRecord(
        at=Timestamp(began + (total or 0.0)),
        client=address(found["client"]),
        # -1, and 400 of HAProxy's own, are logged where a client connects and leaves without a request: no response.
        status=0 if sent == "-1" else status(sent),
        octets=octets(found["octets"]),
        duration_s=total,
        first_byte_s=None if response is None else (to_request or 0.0) + sum(known),
        handling=Handling.HIT if cached is not None and cached[1] == "1" else None,
        client_left=found["state"][0] in "Cc",
    )


def _session(found: "re.Match[str]") -> SessionRecord:
    state, port = found["state"], int(found["port"])
    if port > 65_535:
        raise LineError(f"port {port}")
    return SessionRecord(
        began_at=_began(found),
        client=address(found["client"]),
        client_port=port,
        duration_s=_milliseconds(found["Tt"], "Tt") or 0.0,
        octets=octets(found["octets"]),
        orderly=state[0] not in "Cc",
        silent=state[0] == "c",
    )


def _milliseconds(text: str, what: str) -> float | None:
    """Give a timer in seconds; None where the event never came (-1)."""
    return None if text == "-1" else seconds(int(text) / 1000, what)


def _began(found: "re.Match[str]") -> Timestamp:
    exact = _AT.search(found["rest"])
    if exact is not None:
        whole, _, thousandths = exact[1].partition(".")
        return wall(int(whole) + int(thousandths) / 1000)
    for form in ("%d/%b/%Y:%H:%M:%S.%f", "%d/%b/%Y:%H:%M:%S"):
        try:
            return wall(datetime.strptime(found["date"], form).replace(tzinfo=UTC).timestamp())
        except ValueError:
            continue
    raise LineError(f"the time {found['date']!r} is not as 27/Nov/2026:19:07:30.123")
