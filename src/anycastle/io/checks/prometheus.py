"""The Prometheus check: an instant query whose single value is compared with a threshold.

The server that is asked is not the service: when it is silent, refuses or has no data, nothing is known.
Source: https://prometheus.io/docs/prometheus/latest/querying/api/#instant-queries
"""

import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final
from urllib.parse import urlencode

from anycastle.base.errors import ParseError
from anycastle.io.checks.http_exchange import (
    Location,
    encode_request,
    locate,
    open_any,
    receive_body,
    receive_head,
    resolve,
)
from anycastle.io.checks.tls import client_context, handshake
from anycastle.io.checks.verdict import Failed, Undecided, judged
from anycastle.io.prometheus_answer import PATH, error_of, read_instant
from anycastle.model.check import CheckResult, Outcome, PrometheusTarget

COMPARISONS: Final[Mapping[str, Callable[[float, float], bool]]] = MappingProxyType(
    {
        "<": operator.lt,
        "<=": operator.le,
        "==": operator.eq,
        "!=": operator.ne,
        ">=": operator.ge,
        ">": operator.gt,
    }
)


async def run(target: PrometheusTarget, timeout_s: float) -> CheckResult:
    """Ask the target's query once."""
    try:
        location = locate(target.url)
    except Undecided as undecided:
        return CheckResult(Outcome.UNKNOWN, 0.0, str(undecided))
    return await judged(_attempt(target, location, timeout_s), timeout_s, location.shown, silence=Outcome.UNKNOWN)


async def _attempt(target: PrometheusTarget, location: Location, timeout_s: float) -> str:
    compare = COMPARISONS.get(target.comparison)
    if compare is None:
        raise Undecided(f"{target.comparison!r} is no comparison; write one of {' '.join(COMPARISONS)}")
    try:
        value = _single_value(await _fetch(target, location, timeout_s))
    except Failed as failed:
        raise Undecided(f"{location.shown}: {failed}") from failed
    if not compare(value, target.threshold):
        raise Failed(f"value {value:g}, expected {target.comparison} {target.threshold:g}")
    return f"value {value:g} {target.comparison} {target.threshold:g}"


async def _fetch(target: PrometheusTarget, location: Location, timeout_s: float) -> bytes:
    path = location.path.rstrip("/") + PATH + "?" + urlencode({"query": target.query})
    addresses = await resolve(location.host, location.port, timeout_s)
    with await open_any(addresses, location.port) as stream:
        if location.secure:
            await handshake(stream, client_context(verify=True, ca_file=None), location.host)
        await stream.send(encode_request("GET", replace(location, path=path), ()))
        head, buffered = await receive_head(stream)
        body = await receive_body(stream, "GET", head, buffered)
    if head.status != 200:
        raise Undecided(f"status {head.status} from {location.shown}{_reason(body)}")
    return body


def _reason(body: bytes) -> str:
    said = error_of(body)
    return f": {said}" if said else ""


def _single_value(body: bytes) -> float:
    try:
        samples = read_instant(body, scalar=True)
    except ParseError as error:
        raise Undecided(str(error)) from error
    if not samples:
        raise Undecided("the query gives no data")
    if len(samples) > 1:
        raise Undecided(f"the query gives {len(samples)} series; aggregate them to one")
    if math.isnan(samples[0].value):
        raise Undecided("the query gives no number (NaN)")
    return samples[0].value
