"""nginx: objects of JSON by the recommended `log_format`, or the combined format.

Source: https://nginx.org/en/docs/http/ngx_http_log_module.html and ngx_http_upstream_module.html, `log_format`,
`$upstream_cache_status`, `$upstream_header_time`.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from anycastle.wire.access.fields import (
    address,
    combined,
    handling,
    json_object,
    octets,
    seconds,
    status,
    wall,
    whole,
)
from anycastle.wire.access.record import Handling, RequestRecord

LOG_FORMAT: Final = (
    """log_format anycastle escape=json '{"at":"$msec","client":"$remote_addr","status":"$status","""
    """"octets":"$bytes_sent","seconds":"$request_time","first_byte":"$upstream_header_time","""
    """"cache":"$upstream_cache_status","request":"$request"}';"""
)
"""What the documentation recommends, as it stands in nginx.conf."""

_CACHE: Final[Mapping[str, Handling | None]] = MappingProxyType(
    {
        "": None,
        "-": None,
        "hit": Handling.HIT,
        "stale": Handling.STALE,
        "updating": Handling.STALE,
        "revalidated": Handling.HIT,
        "miss": Handling.MISS,
        "expired": Handling.MISS,
        "bypass": Handling.PASS,
        "scarce": Handling.PASS,
    }
)


def parse(line: str) -> RequestRecord:
    """Read a line. Raises `LineError`."""
    if not line.startswith("{"):
        return combined(line)
    told = json_object(line)
    whole(told, "at", "client", "status", "octets")
    code = status(told["status"])
    return RequestRecord(
        at=wall(told["at"]),
        client=address(told["client"]),
        # 444: the connection was closed without a response. 499: the client left (nginx's own statuses).
        status=0 if code == 444 else code,
        octets=octets(told["octets"]),
        duration_s=seconds(told["seconds"], "seconds") if told.get("seconds") else None,
        first_byte_s=_last_try(told.get("first_byte")),
        handling=handling(_CACHE, told.get("cache", "")),
        client_left=code == 499,
    )


def _last_try(text: Any) -> float | None:
    """Give the time of the last upstream that was tried: nginx writes `0.010, 0.020 : 0.003`, and `-` for none."""
    last = str(text or "").replace(" : ", ", ").rsplit(", ", 1)[-1].strip()
    return None if last in ("", "-") else seconds(last, "first_byte")
