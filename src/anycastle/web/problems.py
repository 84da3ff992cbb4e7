"""What goes wrong, as RFC 9457 has it: every problem of the API in one table, each with what to do next."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

MEDIA_TYPE: Final = "application/problem+json"
TYPES_AT: Final = "/api/v1/problems/"
"""Where each type is explained; a type is this and its name."""


class ProblemKind(Enum):
    """Name, status, title, and what to do next. Names are never used again."""

    MALFORMED = "malformed", 400, "The request cannot be read", "Mend the request as the detail says."
    KEY_MISSING = (
        "idempotency-key-missing", 400, "No Idempotency-Key",
        "Send a header Idempotency-Key with a random text of your own, and the same one when you ask again.",
    )  # fmt: skip
    NOT_LOGGED_IN = (
        "not-logged-in", 401, "Who asks is not known",
        "Send a good token: `Authorization: Bearer acst_...`.",
    )  # fmt: skip
    NOT_ALLOWED = (
        "not-allowed", 403, "Your role does not allow this",
        "Ask somebody whose role does, or an admin for another role.",
    )  # fmt: skip
    LOGIN_FAILED = (
        "login-failed", 403, "This login does not hold", "Begin anew; an admin sees why in the audit.",
    )  # fmt: skip
    NOT_FOUND = "not-found", 404, "There is no such thing", "Look at the list that it would stand in."
    NOT_A_METHOD = "method-not-allowed", 405, "This cannot be done here", "Use a method of the header Allow."
    SLOW = "request-timeout", 408, "The request did not arrive in time", "Ask again."
    CONFLICT = (
        "conflict", 409, "The state of things does not allow this",
        "Look at what the detail names, and decide anew.",
    )  # fmt: skip
    NO_GRAPH = (
        "no-graph", 409, "No graph of ASes is given",
        "Start the controller with --graph FILE (AS relationships), or ask `anycastle twin predict`, which needs none.",
    )  # fmt: skip
    BUSY_KEY = (
        "being-answered", 409, "The same request is being answered", "Ask again in a moment, with the same key.",
    )  # fmt: skip
    EVENTS_UNKNOWN = (
        "events-unknown", 409, "The log does not reach so far",
        "The store was put back from a backup: read the state anew, and the stream without Last-Event-ID.",
    )  # fmt: skip
    CHANGED = (
        "changed-meanwhile", 412, "It changed since you looked", "Look at it again, and decide anew.",
    )  # fmt: skip
    TOO_LARGE = "too-large", 413, "The request is too large", "Send less, as the detail says."
    NOT_JSON = "not-json", 415, "The body is not JSON", "Send JSON, with Content-Type: application/json."
    INVALID = "invalid", 422, "The values cannot be used", "Mend each value that `errors` names."
    BAD_FLEET = (
        "fleet-invalid", 422, "The fleet folder has errors", "Mend each of `findings`; nothing was stored.",
    )  # fmt: skip
    OTHER_REQUEST = (
        "key-used", 422, "The Idempotency-Key was used for another request", "Choose a new key for a new request.",
    )  # fmt: skip
    UNCONDITIONAL = (
        "precondition-required", 428, "Say which state you decided on",
        "Read it, and send its ETag in the header If-Match.",
    )  # fmt: skip
    TOO_MANY = "too-many-requests", 429, "Too many requests", "Wait as long as the header Retry-After says."
    BUG = "internal-error", 500, "An error of ours", "Report it with the instance; the log has the rest."
    NOT_LEADING = (
        "not-leading", 503, "This controller does not lead", "Ask the one that `leader` names, or again in a moment.",
    )  # fmt: skip
    UNAVAILABLE = (
        "unavailable", 503, "Something that this needs is away", "Ask again in a moment; /readyz says what is away.",
    )  # fmt: skip

    def __init__(self, slug: str, status: int, title: str, advice: str) -> None:
        self.slug = slug
        self.status = status
        self.title = title
        self.advice = advice


@dataclass(eq=False)
class Problem(Exception):
    """A request that ends with a problem. `more` are members of its own; nothing secret is in it."""

    kind: ProblemKind
    detail: str
    more: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


def body_of(problem: Problem, instance: str) -> dict[str, Any]:
    """Give the body of a problem."""
    kind = problem.kind
    return {
        "type": f"{TYPES_AT}{kind.slug}",
        "title": kind.title,
        "status": kind.status,
        "detail": problem.detail,
        "next": kind.advice,
        "instance": instance,
        **problem.more,
    }


def respond(problem: Problem, request: Request) -> Response:
    """Give the response of a problem."""
    instance = f"urn:anycastle:request:{request.scope.get('anycastle.request', 'unknown')}"
    headers = dict(problem.headers)
    return JSONResponse(body_of(problem, instance), problem.kind.status, headers, media_type=MEDIA_TYPE)
