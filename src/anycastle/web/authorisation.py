"""Who may do what: one table, endpoint by endpoint, and the only function that decides by it.

An endpoint without a row cannot be mounted, and a row without an endpoint fails a test. A role can be limited to some
services; `Reach` says what becomes of somebody whose role is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Final

from anycastle.model.person import Grant, Role
from anycastle.web.problems import Problem, ProblemKind

KIB: Final = 1024
MIB: Final = 1024 * KIB


class Permission(Enum):
    """What an endpoint needs."""

    NOTHING = "nothing"
    LOGIN = "to be known"
    READ = "to read"
    OPERATE = "to operate"
    APPROVE = "to approve"
    HAND_IN_RESULTS = "to hand in results of probes"
    HAND_IN_FINDINGS = "to hand in what a watch finds"
    ADMINISTER = "to administer"


class Reach(Enum):
    """What becomes of a role that is limited to some services."""

    ANY = "any"
    """It may: the endpoint tells or does nothing that belongs to one service."""
    OWN = "own"
    """It may for its services: those that the path, the body or the thing named by them concerns."""
    FILTERED = "filtered"
    """It may, and sees what belongs to its services alone."""
    ALL = "all"
    """It may not: this concerns all services."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A row of the table."""

    needs: Permission
    reach: Reach
    writes: bool = False
    """Only the leader takes it."""
    body_max: int = 64 * KIB
    """Octets of a request's body."""
    keyed: bool = False
    """It needs an Idempotency-Key."""
    audited: bool = False
    """Every request is noted, whatever comes of it."""
    media_type: str = "application/json"
    """Of a body."""


_P, _R = Permission, Reach


def _read(reach: Reach) -> Rule:
    return Rule(_P.READ, reach)


def _order(needs: Permission, reach: Reach, body_max: int = 64 * KIB) -> Rule:
    return Rule(needs, reach, writes=True, keyed=True, audited=True, body_max=body_max)


_PUBLIC: Final = Rule(_P.NOTHING, _R.ANY)
_V1: Final = "/api/v1"
_FOLDER_MAX: Final = 96 * MIB
_PLAN_MAX: Final = 4 * MIB
"""What a plan of ten thousand PoPs rests on is 2 MiB."""

TABLE: Final[Mapping[str, Rule]] = MappingProxyType(
    {
        "GET /healthz": _PUBLIC,
        "GET /readyz": _PUBLIC,
        "GET /metrics": _PUBLIC,
        "GET /openapi.json": _PUBLIC,
        "GET /": _PUBLIC,  # the pages hold no data: what they show they ask of the API, as whoever looks
        "GET /ui/{page:path}": _PUBLIC,
        "GET /static/{name}": _PUBLIC,
        "GET /status": _PUBLIC,  # what the fleet's files name as public, and nothing else
        f"GET {_V1}/status/summary.json": _PUBLIC,
        f"GET {_V1}/problems/{{name}}": _PUBLIC,
        f"POST {_V1}/logins": _PUBLIC,
        f"POST {_V1}/logins/finish": _PUBLIC,  # it notes by itself who it was
        f"POST {_V1}/session": Rule(_P.LOGIN, _R.ANY, audited=True),
        f"DELETE {_V1}/session": Rule(_P.LOGIN, _R.ANY, audited=True),
        f"GET {_V1}/whoami": Rule(_P.LOGIN, _R.ANY),
        f"GET {_V1}/fleet": _read(_R.FILTERED),
        f"GET {_V1}/fleet/revisions": _read(_R.ANY),
        f"GET {_V1}/fleet/revisions/{{revision}}": _read(_R.ALL),
        f"POST {_V1}/fleet/revisions": _order(_P.OPERATE, _R.ALL, _FOLDER_MAX),
        f"POST {_V1}/fleet/adoption": _order(_P.OPERATE, _R.ALL),
        f"GET {_V1}/pops": _read(_R.FILTERED),
        f"GET {_V1}/pops/{{pop}}": _read(_R.FILTERED),
        f"GET {_V1}/pops/{{pop}}/report": _read(_R.ALL),
        f"GET {_V1}/upstreams": _read(_R.ALL),
        f"GET {_V1}/upstreams/{{upstream}}": _read(_R.ALL),
        f"GET {_V1}/serving": _read(_R.FILTERED),
        f"GET {_V1}/services": _read(_R.FILTERED),
        f"GET {_V1}/services/{{service}}": _read(_R.OWN),
        f"GET {_V1}/events": _read(_R.FILTERED),
        f"GET {_V1}/events/stream": _read(_R.FILTERED),
        f"GET {_V1}/rollouts": _read(_R.FILTERED),
        f"POST {_V1}/rollouts": _order(_P.OPERATE, _R.OWN, _PLAN_MAX),
        f"GET {_V1}/rollouts/{{number}}": _read(_R.OWN),
        f"POST {_V1}/rollouts/{{number}}/pause": _order(_P.OPERATE, _R.OWN),
        f"POST {_V1}/rollouts/{{number}}/resume": _order(_P.OPERATE, _R.OWN),
        f"POST {_V1}/rollouts/{{number}}/promote": _order(_P.OPERATE, _R.OWN),
        f"POST {_V1}/rollouts/{{number}}/abort": _order(_P.OPERATE, _R.OWN),
        f"POST {_V1}/rollouts/{{number}}/approve": _order(_P.APPROVE, _R.OWN),
        f"GET {_V1}/freeze": _read(_R.ANY),
        f"POST {_V1}/freeze": _order(_P.OPERATE, _R.ALL),
        f"POST {_V1}/thaw": _order(_P.OPERATE, _R.ALL),
        f"GET {_V1}/break-glass": _read(_R.ANY),
        f"POST {_V1}/break-glass": _order(_P.OPERATE, _R.ALL),
        f"POST {_V1}/break-glass/approve": _order(_P.APPROVE, _R.ALL),
        f"GET {_V1}/orders": _read(_R.FILTERED),
        f"POST {_V1}/drain": _order(_P.OPERATE, _R.OWN),
        f"POST {_V1}/undrain": _order(_P.OPERATE, _R.OWN),
        f"POST {_V1}/mitigations": _order(_P.OPERATE, _R.OWN),
        f"POST {_V1}/mitigations/end": _order(_P.OPERATE, _R.OWN),
        f"GET {_V1}/findings": _read(_R.FILTERED),
        # a watch tells at least once, and each row of its log is known by its number: it needs no key
        f"POST {_V1}/findings/events": Rule(
            _P.HAND_IN_FINDINGS, _R.ALL, writes=True, body_max=2 * MIB, media_type="application/x-ndjson"
        ),
        f"DELETE {_V1}/findings/watches/{{watch}}": Rule(_P.OPERATE, _R.ALL, writes=True, audited=True),
        f"GET {_V1}/routes/{{network}}/{{length}}": _read(_R.OWN),
        # a prober delivers at least once, and each of its lines is known by its time: it needs no key
        f"POST {_V1}/probes/results": Rule(
            _P.HAND_IN_RESULTS, _R.ALL, writes=True, body_max=2 * MIB, media_type="application/x-ndjson"
        ),
        f"GET {_V1}/catchments": _read(_R.FILTERED),
        f"GET {_V1}/traceroutes": _read(_R.FILTERED),
        f"GET {_V1}/budgets": _read(_R.FILTERED),
        f"GET {_V1}/charts/{{name}}": _read(_R.FILTERED),
        f"POST {_V1}/predictions": _order(_P.OPERATE, _R.ALL, 8 * MIB),
        f"POST {_V1}/twin/shift": _read(_R.OWN),  # a question that needs a body: it changes nothing
        f"GET {_V1}/incidents": _read(_R.FILTERED),
        f"GET {_V1}/incidents/{{incident}}": _read(_R.OWN),
        f"GET {_V1}/incidents/{{incident}}/postmortem": _read(_R.OWN),
        f"POST {_V1}/incidents/{{incident}}/acknowledge": _order(_P.OPERATE, _R.OWN),
        f"POST {_V1}/incidents/{{incident}}/notes": _order(_P.OPERATE, _R.OWN),
        f"GET {_V1}/deliveries": _read(_R.ALL),
        f"POST {_V1}/deliveries/retry": _order(_P.OPERATE, _R.ALL),
        f"GET {_V1}/tokens": Rule(_P.ADMINISTER, _R.ALL, audited=True),
        f"POST {_V1}/tokens": _order(_P.ADMINISTER, _R.ALL),
        f"DELETE {_V1}/tokens/{{name}}": Rule(_P.ADMINISTER, _R.ALL, writes=True, audited=True),
        f"GET {_V1}/audit": Rule(_P.ADMINISTER, _R.ALL, audited=True),
    }
)
"""Method and path -> what it needs."""

ALLOWS: Final[Mapping[Role, frozenset[Permission]]] = MappingProxyType(
    {
        Role.VIEWER: frozenset({_P.LOGIN, _P.READ}),
        Role.OPERATOR: frozenset({_P.LOGIN, _P.READ, _P.OPERATE, _P.HAND_IN_RESULTS, _P.HAND_IN_FINDINGS}),
        Role.APPROVER: frozenset({_P.LOGIN, _P.READ, _P.APPROVE}),
        Role.ADMIN: frozenset(_P) - {_P.NOTHING},
        # Not even to be known: a token that lies on a machine in somebody else's network opens no session and tells
        # nobody's name.
        Role.PROBER: frozenset({_P.HAND_IN_RESULTS}),
        Role.WATCH: frozenset({_P.HAND_IN_FINDINGS}),
    }
)
"""Role -> what it allows."""


def refusal(rule: Rule, grant: Grant, services: frozenset[str] | None = None) -> str | None:
    """Tell why somebody may not; None where he may. `services`: those that are concerned, once they are known."""
    if rule.needs is not Permission.NOTHING and rule.needs not in ALLOWS[grant.role]:
        return f"the role {grant.role.value} does not allow {rule.needs.value}"
    if grant.services is None:
        return None
    if rule.reach is Reach.ALL:
        return "this concerns all services, and your role is limited to some"
    if rule.reach is Reach.OWN and services is not None and not (services and services <= grant.services):
        others = ", ".join(sorted(services - grant.services)[:5]) or "no service that is known"
        return f"your role is limited to other services: this concerns {others}"
    return None


def require(rule: Rule, grant: Grant, services: frozenset[str] | None = None) -> None:
    """Raise the problem where somebody may not."""
    why = refusal(rule, grant, services)
    if why is not None:
        raise Problem(ProblemKind.NOT_ALLOWED, why)
