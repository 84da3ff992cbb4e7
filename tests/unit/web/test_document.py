"""Whatever the document allows, and much that it does not, is answered as the document says, and never with a 5xx."""

from itertools import count
from typing import Any
from uuid import uuid4

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.unit.web.test_authorisation import ROWS, UNDOCUMENTED, prepared
from tests.unit.web.world import World

EXAMPLES = 12
NOT_HERE = ("problems", "routes")
"""What there is none of to show: a problem is a page, and routes are a watch's, of which none runs here."""
SHOW_ONE = [
    row for row in ROWS if row.startswith("GET /api/v1/") and row.endswith("}") and row.split("/")[3] not in NOT_HERE
]
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@schemathesis.serializer("application/x-ndjson")
def lines(_: Any, value: Any) -> bytes:
    """Give lines as they are: what is within them is tested in test_catchments.py."""
    return value.encode("utf-8", "surrogatepass") if isinstance(value, str) else repr(value).encode()


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["valid", "invalid"])
@pytest.mark.parametrize("operation", [row for row in ROWS if row not in UNDOCUMENTED and not row.endswith("/stream")])
def test_an_operation_answers_as_the_document_says(api: World, operation: str, mode: GenerationMode) -> None:
    method, path = operation.split()
    document = api.ask("GET", "/openapi.json", "").json()
    described = schemathesis.openapi.from_dict(document)[path][method]
    if mode is GenerationMode.NEGATIVE and not can_be_wrong(described):
        pytest.skip("nothing of it can be wrong")
    strategy = described.as_strategy(generation_mode=mode)
    known, found, counted = prepared(api), set[int](), count()

    @seeded(1)
    @settings(
        max_examples=EXAMPLES, deadline=None, database=None, phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=strategy)
    def asked(case: Any) -> None:
        headers = {"Authorization": f"Bearer {api.admin}"}
        if mode is GenerationMode.POSITIVE and next(counted) % 2:  # else none would name what is there
            case.path_parameters.update({name: value for name, value in known.items() if f"{{{name}}}" in path})
        if method == "POST" and "Idempotency-Key" not in (case.headers or {}):
            headers["Idempotency-Key"] = uuid4().hex
        response = case.call(base_url=api.url, headers=headers)
        found.add(response.status_code)
        case.validate_response(response, checks=CHECKS)

    asked()
    assert found
    assert operation not in SHOW_ONE or mode is GenerationMode.NEGATIVE or 200 in found


def can_be_wrong(operation: Any) -> bool:
    """Tell whether an operation takes anything."""
    return any((*operation.path_parameters, *operation.query, *operation.headers, *operation.body))
