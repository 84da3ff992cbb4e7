"""The JSON Schema says what the readers say."""

from typing import Any

import pytest

from anycastle.io.config.schema import SHAPES, json_schema


def mappings(value: Any) -> list[dict[str, Any]]:
    found = [value] if isinstance(value, dict) else []
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return found + [each for child in children for each in mappings(child)]


@pytest.mark.parametrize("kind", SHAPES)
def test_every_key_is_described_and_no_other_is_allowed(kind: str) -> None:
    schema = json_schema(kind)

    objects = [each for each in mappings(schema) if isinstance(each.get("properties"), dict)]
    assert objects
    for each in objects:
        assert each["additionalProperties"] is False
        assert all(value.get("description") for value in each["properties"].values())


@pytest.mark.parametrize("kind", SHAPES)
def test_nothing_may_be_null_and_no_list_empty(kind: str) -> None:
    for each in mappings(json_schema(kind)):
        assert each.get("type") != "null"
        assert each.get("default", "") is not None
        assert each.get("type") != "array" or each["minItems"] == 1


def test_defaults_are_written_as_an_operator_writes_them() -> None:
    definitions = json_schema("service")["$defs"]

    assert definitions["LeaseShape"]["properties"]["duration"]["default"] == "10s"
    assert definitions["CheckShape"]["properties"]["interval"]["default"] == "1s"
    assert definitions["CheckShape"]["properties"]["severity"]["default"] == "hard"
    assert json_schema("pop")["$defs"]["UpstreamShape"]["properties"]["hold_time"]["default"] == "30s"
