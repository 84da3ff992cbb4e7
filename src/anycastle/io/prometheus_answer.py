"""Answers of Prometheus's query API: octets -> samples. Who asks, over what, is the callers' matter.

Source: https://prometheus.io/docs/prometheus/latest/querying/api/#instant-queries
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from anycastle.base.errors import ParseError
from anycastle.base.ports import Timestamp

PATH: Final = "/api/v1/query"
"""Behind the server's own URL."""

RANGE_PATH: Final = "/api/v1/query_range"

NO_ANSWER: Final = "the answer is not of the Prometheus query API"


@dataclass(frozen=True, slots=True)
class Sample:
    """A value, of when it is, and its labels; none where it is a scalar."""

    value: float
    at: Timestamp
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Course:
    """A series over time: moments and values. A moment at which it had none is not among them."""

    labels: Mapping[str, str]
    points: tuple[tuple[Timestamp, float], ...]


class _Data(msgspec.Struct):
    resultType: str  # noqa: N815  as the API writes it
    result: Any


class _Answer(msgspec.Struct):
    status: str
    data: _Data | None = None
    error: str = ""


_Value = tuple[float, str | float]
"""When, and what: as text, since JSON has neither NaN nor `+Inf`."""


class _Series(msgspec.Struct):
    value: _Value
    metric: dict[str, str] = {}


class _Range(msgspec.Struct):
    values: list[_Value]
    metric: dict[str, str] = {}


def read_range(octets: bytes) -> tuple[Course, ...]:
    """Read the answer to a range query. Raises `ParseError` in words for people."""
    told = _decoded(octets)
    if told.data is None:
        raise ParseError(told.error or NO_ANSWER)
    try:
        series = msgspec.convert(told.data.result, list[_Range], strict=False)
        return tuple(
            Course(each.metric, tuple((Timestamp(at), float(value)) for at, value in each.values)) for each in series
        )
    except (msgspec.ValidationError, ValueError) as error:
        raise ParseError(f"the query gives series without plain values: {error}") from error


def read_instant(octets: bytes, *, scalar: bool) -> tuple[Sample, ...]:
    """Read the answer to an instant query that gives a vector; with `scalar`, one of those too.

    Raises `ParseError` in words for people.
    """
    told = _decoded(octets)
    if told.data is None:
        raise ParseError(told.error or NO_ANSWER)
    kind, result = told.data.resultType, told.data.result
    if kind != "vector" and not (scalar and kind == "scalar"):
        raise ParseError(f"the query gives a {kind}, and a vector{' or a scalar' if scalar else ''} is needed")
    if not isinstance(result, list):
        raise ParseError(NO_ANSWER)
    try:
        if kind == "scalar":
            series = [_Series(msgspec.convert(result, _Value, strict=False))]
        else:
            series = msgspec.convert(result, list[_Series], strict=False)
        return tuple(Sample(float(each.value[1]), Timestamp(each.value[0]), each.metric) for each in series)
    except (msgspec.ValidationError, ValueError) as error:  # such as of a native histogram, which is no number
        raise ParseError(f"the query gives series without plain values: {error}") from error


def _decoded(octets: bytes) -> _Answer:
    try:
        return msgspec.json.decode(octets, type=_Answer)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ParseError(NO_ANSWER) from error


def error_of(octets: bytes) -> str:
    """Give what the server says of an error; '' where it says nothing that can be read."""
    try:
        return msgspec.json.decode(octets, type=_Answer).error
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""
