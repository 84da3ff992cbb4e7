"""OTLP's requests and answers: octets <-> the messages of `opentelemetry-proto`.

Source: OpenTelemetry Protocol 1.x, OTLP/HTTP: binary protobuf and JSON, gzip, partial success, and errors as
google.rpc.Status.
"""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from google.protobuf import json_format
from google.protobuf.message import DecodeError
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2

from anycastle.base.errors import ParseError

BODY_OCTETS_MAX: Final = 4 << 20
"""Of a request as it comes; the OpenTelemetry collector takes 20 MiB by default, its senders some 100 kB a batch."""

PLAIN_OCTETS_MAX: Final = 16 << 20
"""Of a request once it is unpacked: a small one may be made to swell."""

PROTOBUF, JSON = "application/x-protobuf", "application/json"

INVALID_ARGUMENT: Final = 3
"""Of google.rpc.Code."""


@dataclass(frozen=True, slots=True)
class Signal:
    """One of the three kinds of telemetry."""

    request: Any
    response: Any
    rejected: str
    """The field of a partial success that says how many were refused."""


SIGNALS: Final[Mapping[str, Signal]] = MappingProxyType(
    {
        "/v1/metrics": Signal(
            metrics_service_pb2.ExportMetricsServiceRequest,
            metrics_service_pb2.ExportMetricsServiceResponse,
            "rejected_data_points",
        ),
        "/v1/traces": Signal(
            trace_service_pb2.ExportTraceServiceRequest,
            trace_service_pb2.ExportTraceServiceResponse,
            "rejected_spans",
        ),
        "/v1/logs": Signal(
            logs_service_pb2.ExportLogsServiceRequest,
            logs_service_pb2.ExportLogsServiceResponse,
            "rejected_log_records",
        ),
    }
)
"""Path -> signal, as the specification has them."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a request's parts."""

    rejected: int = 0
    why: str = ""
    """In words for the sender; may stand without a rejection, as a warning."""


def unpack(body: bytes, encoding: str) -> bytes:
    """Give a body without its content encoding. Raises `ParseError`."""
    if encoding in ("", "identity"):
        return body
    if encoding not in ("gzip", "deflate"):
        raise ParseError(f"the content encoding {encoding[:40]!r} is not known; known are gzip and deflate")
    unpacker = zlib.decompressobj(wbits=47)  # 32 + 15: gzip or zlib, by the header
    try:
        plain = unpacker.decompress(body, PLAIN_OCTETS_MAX + 1)
    except zlib.error as error:
        raise ParseError(f"the body is not what its content encoding says: {error}") from error
    if len(plain) > PLAIN_OCTETS_MAX:
        raise ParseError(f"the body is longer than {PLAIN_OCTETS_MAX} octets once it is unpacked")
    if not unpacker.eof:
        raise ParseError("the body ends before its content encoding does")
    return plain


def decode(signal: Signal, media_type: str, body: bytes) -> Any:
    """Read a request. Raises `ParseError`.

    In JSON, OTLP has the ids of spans in hexadecimal, and protobuf's reader takes them as base64: 16 and 32 digits are
    that as well, and give other octets, the same for the same id. Ids are compared here, and never shown.
    """
    message = signal.request()
    try:
        if media_type == JSON:
            json_format.Parse(body, message, ignore_unknown_fields=True, max_recursion_depth=50)
        else:
            message.ParseFromString(body)
    except (DecodeError, json_format.ParseError, UnicodeDecodeError, ValueError, RecursionError) as error:
        words = str(error).partition("\n")[0][:200]
        raise ParseError(f"the body is no {signal.request.DESCRIPTOR.name}: {words}") from error
    return message


def encode(signal: Signal, media_type: str, outcome: Outcome) -> bytes:
    """Write the answer to a request that was taken, whole or in part."""
    response = signal.response()
    if outcome.rejected or outcome.why:
        setattr(response.partial_success, signal.rejected, outcome.rejected)
        response.partial_success.error_message = outcome.why
    return _written(response, media_type)


def encode_error(media_type: str, words: str) -> bytes:
    """Write the answer to a request that was not taken."""
    return _written(Status(code=INVALID_ARGUMENT, message=words), media_type)


def _written(message: Any, media_type: str) -> bytes:
    if media_type == JSON:
        text: str = json_format.MessageToJson(message, indent=None)
        return text.encode()
    octets: bytes = message.SerializeToString()
    return octets
