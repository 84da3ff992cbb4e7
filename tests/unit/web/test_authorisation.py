"""Role x endpoint x service, asked of the real API for every operation of its own document.

The table below is written by hand, as an operator reads it, and not made from the one in the code.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from anycastle.base.ports import Timestamp
from anycastle.io.response_json import INCIDENT, encode
from anycastle.model.person import Role
from anycastle.response.incident import Incident
from anycastle.response.signal import Urgency
from anycastle.web.app import make_app
from anycastle.web.authorisation import TABLE
from anycastle.web.problems import ProblemKind
from anycastle.web.routes import ROUTERS
from tests.unit.web.world import World, folder, world

# Who may: anyone (*), viewer, operator, approver, Admin, prober, watch. Then whoever has such a role for some services
# only: may he where the thing is his (own), and where it is another's (other)?
EXPECTED = """
GET    /healthz                              *     own other
GET    /readyz                               *     own other
GET    /metrics                              *     own other
GET    /openapi.json                         *     own other
GET    /                                     *     own other
GET    /ui/{page:path}                       *     own other
GET    /static/{name}                        *     own other
GET    /status                               *     own other
GET    /api/v1/status/summary.json           *     own other
GET    /api/v1/problems/{name}               *     own other
POST   /api/v1/logins                        *     own other
POST   /api/v1/logins/finish                 *     own other
POST   /api/v1/session                       voaA  own other
DELETE /api/v1/session                       voaA  own other
GET    /api/v1/whoami                        voaA  own other
GET    /api/v1/fleet                         voaA  own other
GET    /api/v1/fleet/revisions               voaA  own other
GET    /api/v1/fleet/revisions/{revision}    voaA  -   -
POST   /api/v1/fleet/revisions               oA    -   -
POST   /api/v1/fleet/adoption                oA    -   -
GET    /api/v1/pops                          voaA  own other
GET    /api/v1/pops/{pop}                    voaA  own other
GET    /api/v1/pops/{pop}/report             voaA  -   -
GET    /api/v1/upstreams                     voaA  -   -
GET    /api/v1/upstreams/{upstream}          voaA  -   -
GET    /api/v1/serving                       voaA  own other
GET    /api/v1/services                      voaA  own other
GET    /api/v1/services/{service}            voaA  own -
GET    /api/v1/events                        voaA  own other
GET    /api/v1/events/stream                 voaA  own other
GET    /api/v1/rollouts                      voaA  own other
POST   /api/v1/rollouts                      oA    own -
GET    /api/v1/rollouts/{number}             voaA  own -
POST   /api/v1/rollouts/{number}/pause       oA    own -
POST   /api/v1/rollouts/{number}/resume      oA    own -
POST   /api/v1/rollouts/{number}/promote     oA    own -
POST   /api/v1/rollouts/{number}/abort       oA    own -
POST   /api/v1/rollouts/{number}/approve     aA    own -
GET    /api/v1/freeze                        voaA  own other
POST   /api/v1/freeze                        oA    -   -
POST   /api/v1/thaw                          oA    -   -
GET    /api/v1/break-glass                   voaA  own other
POST   /api/v1/break-glass                   oA    -   -
POST   /api/v1/break-glass/approve           aA    -   -
GET    /api/v1/orders                        voaA  own other
POST   /api/v1/drain                         oA    own -
POST   /api/v1/undrain                       oA    own -
POST   /api/v1/mitigations                   oA    own -
POST   /api/v1/mitigations/end               oA    own -
GET    /api/v1/findings                      voaA  own other
POST   /api/v1/findings/events               oAw   -   -
DELETE /api/v1/findings/watches/{watch}      oA    -   -
GET    /api/v1/routes/{network}/{length}     voaA  own -
POST   /api/v1/probes/results                oAp   -   -
GET    /api/v1/catchments                    voaA  own other
GET    /api/v1/traceroutes                   voaA  own other
GET    /api/v1/budgets                       voaA  own other
GET    /api/v1/charts/{name}                 voaA  own other
POST   /api/v1/predictions                   oA    -   -
POST   /api/v1/twin/shift                    voaA  own -
GET    /api/v1/incidents                     voaA  own other
GET    /api/v1/incidents/{incident}          voaA  own -
GET    /api/v1/incidents/{incident}/postmortem voaA own -
POST   /api/v1/incidents/{incident}/acknowledge oA own -
POST   /api/v1/incidents/{incident}/notes    oA    own -
GET    /api/v1/deliveries                    voaA  -   -
POST   /api/v1/deliveries/retry              oA    -   -
GET    /api/v1/tokens                        A     -   -
POST   /api/v1/tokens                        A     -   -
DELETE /api/v1/tokens/{name}                 A     -   -
GET    /api/v1/audit                         A     -   -
"""
ROWS = {f"{row[0]} {row[1]}": row[2:] for row in map(str.split, EXPECTED.strip().splitlines())}
ROLES = {"v": Role.VIEWER, "o": Role.OPERATOR, "a": Role.APPROVER, "A": Role.ADMIN, "p": Role.PROBER, "w": Role.WATCH}
REACHES = {"all": None, "own": frozenset({"dns"}), "other": frozenset({"web"})}
"""All that is asked below concerns the service dns."""

_AT = {"pops": ["fra1"], "services": ["dns"], "reason": "r"}
BODIES: dict[str, Any] = {
    "POST /api/v1/fleet/revisions": {"files": {"fleet.yaml": "1"}},
    "POST /api/v1/rollouts/{number}/abort": {"reason": "r"},
    "POST /api/v1/freeze": {"reason": "r"},
    "POST /api/v1/thaw": {"reason": "r"},
    "POST /api/v1/break-glass": {"reason": "r", "lasts_s": 60},
    "POST /api/v1/drain": _AT,
    "POST /api/v1/undrain": _AT,
    "POST /api/v1/incidents/{incident}/notes": {"text": "r"},
    "POST /api/v1/twin/shift": {"service": "dns"},
    "POST /api/v1/deliveries/retry": {"all": True},
    "POST /api/v1/mitigations": {"prefix": "192.0.2.0/24", "reason": "r"},
    "POST /api/v1/mitigations/end": {"prefix": "192.0.2.0/24", "reason": "r"},
}
"""What is sent; what is not here gets an empty object, or what `asked` makes."""


UNDOCUMENTED = ("GET /openapi.json", "GET /", "GET /ui/{page:path}", "GET /static/{name}")
"""The document speaks neither of itself nor of pages."""


def operations(document: dict[str, Any]) -> Iterator[str]:
    for path, methods in document["paths"].items():
        yield from (f"{method.upper()} {path}" for method in methods)
    yield from UNDOCUMENTED


def test_each_endpoint_has_a_row_and_each_row_an_endpoint(api: World) -> None:
    mounted = {f"{method} {route.path}" for router in ROUTERS for route in router.routes for method in route.methods}
    documented = list(operations(api.ask("GET", "/openapi.json", "").json()))
    assert mounted == set(TABLE) == set(documented) == set(ROWS)
    assert len(documented) == len(set(documented)) == 71


@pytest.mark.parametrize("operation", ROWS)
def test_role_by_endpoint_by_service(api: World, operation: str) -> None:
    roles, own, other = ROWS[operation]
    reached = {"all": True, "own": own == "own", "other": other == "other"}
    asked = prepared(api)
    assert (status(api, operation, asked, "") == 401) == (roles != "*")
    assert (status(api, operation, asked, "acst_of-nobody") == 401) == (roles != "*")
    for letter, role in ROLES.items():
        for reach, services in REACHES.items():
            given = status(api, operation, asked, api.token(role, services))
            may = roles == "*" or (letter in roles and reached[reach])
            assert given < 500, (operation, role, reach, given)
            assert (given not in (401, 403)) == may, (operation, role, reach, given)
            assert (given == 403) == (not may), (operation, role, reach, given)


def prepared(api: World) -> dict[str, Any]:
    """Have a rollout that concerns dns alone, and give what requests name."""
    if not hasattr(api, "prepared"):
        number = api.rollout(folder(dns_med=60))
        incident = Incident(1, Timestamp(1.0), "dns fails", Urgency.PAGE, kind="service_down", services={"dns"})
        incident.alerts.add(("service_down", "dns", "fra1", ""))
        api.call(api.store.commit(api.daemon.term() or 0, {f"{INCIDENT}1": encode(incident)}, []))
        api.prepared = {  # type: ignore[attr-defined]
            "number": number, "revision": api.upload(folder(dns_med=70)), "name": "nobody", "pop": "fra1",
            "service": "dns", "incident": 1, "network": "192.0.2.0", "length": 24, "watch": "w1",
            "upstream": "transit-a",
        }  # fmt: skip
    made: dict[str, Any] = api.prepared  # type: ignore[attr-defined]
    return made


def status(api: World, operation: str, asked: dict[str, Any], token: str) -> int:
    method, path = operation.split()
    path = path.replace("{page:path}", "rollouts/1").format(**asked)
    if path.endswith("/stream"):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        with api.http.stream("GET", path, headers=headers) as response:
            return int(response.status_code)
    body = None
    if method == "POST":
        revision = {"revision": asked["revision"], "reason": "r"}
        names = {"POST /api/v1/fleet/adoption": revision, "POST /api/v1/rollouts": revision}
        body = BODIES.get(operation, names.get(operation, {}))
    return int(api.ask(method, path, token, body, {"If-Match": '"another"'}).status_code)


def test_what_is_filtered_shows_only_what_is_ones_own(tmp_path: Path) -> None:
    with world(f"sqlite:///{tmp_path}/store.db") as api:
        api.adopted()
        shows_ones_own(api)


def shows_ones_own(api: World) -> None:
    api.rollout(folder(web_prepend=1))
    own, other = api.token(Role.VIEWER, REACHES["own"]), api.token(Role.VIEWER, REACHES["other"])
    assert api.ask("GET", "/api/v1/fleet", own).json()["services"] == ["dns"]
    assert [each["name"] for each in api.ask("GET", "/api/v1/services", other).json()["items"]] == ["web"]
    assert api.ask("GET", "/api/v1/pops/fra1", other).json()["services"] == ["web"]
    rollouts = {
        token: {tuple(each["prefixes"]) for each in api.ask("GET", "/api/v1/rollouts", token).json()["items"]}
        for token in (own, other)
    }
    assert rollouts == {own: set(), other: {("203.0.113.0/24",)}}
    assert api.ask("GET", "/api/v1/events", other).json()["items"] == []  # none that happened is of one service
    assert api.ask("GET", "/api/v1/events").json()["items"]


def test_an_endpoint_without_a_row_cannot_be_made() -> None:
    from fastapi import APIRouter

    from anycastle.web.admission import Admitted

    router = APIRouter(route_class=Admitted)
    with pytest.raises(KeyError, match="GET /unheard"):
        router.get("/unheard")(make_app)


def test_the_page_of_reference_has_every_endpoint_and_problem() -> None:
    page = (Path(__file__).parents[3] / "docs/reference/api.md").read_text()
    assert [row for row in TABLE if f"| `{row}` |" not in page] == []
    assert [kind.slug for kind in ProblemKind if f"| `{kind.slug}` | {kind.status} |" not in page] == []
