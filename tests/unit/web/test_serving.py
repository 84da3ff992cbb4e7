"""Standings in brief: nothing that needs a look is left out, and what is well takes a number."""

from typing import Any

import pytest

from anycastle.web.routes.serving import in_brief, is_well


def service(name: str = "dns", **changes: Any) -> dict[str, Any]:
    well = {
        "name": name, "stance": "announce", "reason": "serving", "condition": "up", "permit": "held",
        "suppressed": False, "drain": None, "checks": 1, "failing": [], "routes_wanted": 2, "routes_exported": 2,
    }  # fmt: skip
    return {**well, **changes}


@pytest.mark.parametrize(
    "changes",
    [
        {"stance": "withdraw"},
        {"stance": "steer"},
        {"condition": "degraded"},
        {"condition": "pending"},
        {"drain": {"step": "soaking", "owner": "o", "reason": "r", "expires": None}},
        {"failing": [{"name": "c", "verdict": "unhealthy", "evidence": "e"}]},
        {"suppressed": True},
        {"routes_exported": 1},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_what_needs_a_look_is_told_in_full(changes: dict[str, Any]) -> None:
    one = service(**changes)
    assert is_well(service())
    assert not is_well(one)
    told = in_brief([{"pop": "fra", "services": [one]}])
    assert told == {"names": ["dns"], "items": [{"pop": "fra", "services": [one], "well": [-1]}]}


def test_what_is_well_is_told_by_its_routes_and_what_is_not_there_by_none() -> None:
    told = in_brief(
        [
            {"pop": "fra", "services": [service("web", routes_wanted=4, routes_exported=4), service("dns")]},
            {"pop": "iad", "services": [service("dns", drain={"step": "normal"})]},
        ]
    )
    assert told["names"] == ["dns", "web"]
    assert [each["well"] for each in told["items"]] == [[2, 4], [2, -1]]
    assert all(each["services"] == [] for each in told["items"])
