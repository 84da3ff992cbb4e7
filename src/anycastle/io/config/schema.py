"""JSON Schema of the files, for editors."""

from typing import Any, Final

from pydantic.json_schema import GenerateJsonSchema

from anycastle.io.config.shape import Shape
from anycastle.io.config.shapes.fleet import FleetShape
from anycastle.io.config.shapes.pop import PoPShape
from anycastle.io.config.shapes.service import ServiceShape

SHAPES: Final[dict[str, type[Shape]]] = {"fleet": FleetShape, "pop": PoPShape, "service": ServiceShape}
"""The kinds of file."""


def json_schema(kind: str) -> dict[str, Any]:
    """Give the JSON Schema (2020-12) of one kind of file. Raises `KeyError` for a kind that is not of `SHAPES`."""
    return schema_of(SHAPES[kind])


def schema_of(shape: type[Shape]) -> dict[str, Any]:
    """Give the JSON Schema of a file of any shape."""
    schema: dict[str, Any] = _tidy(shape.model_json_schema())
    if shape.passes_over_x:
        schema["patternProperties"] = {"^x-": {"description": "Passed over; can hold anchors."}}
    return {"$schema": GenerateJsonSchema.schema_dialect, **schema}


def _tidy(value: Any) -> Any:
    """Take out `null`, which no key accepts, the titles that repeat the keys, and the defaults that are no text."""
    if isinstance(value, list):
        return [_tidy(each) for each in value]
    if not isinstance(value, dict):
        return value
    tidied = {key: _tidy(each) for key, each in value.items() if not (key == "title" and isinstance(each, str))}
    if "default" in tidied and tidied["default"] in (None, []):
        del tidied["default"]
    if tidied.get("type") == "array":
        tidied["minItems"] = 1  # the readers refuse every empty list
    choices = tidied.get("anyOf")
    if isinstance(choices, list) and {"type": "null"} in choices:
        kept = [choice for choice in choices if choice != {"type": "null"}]
        del tidied["anyOf"]
        tidied = {**(kept[0] if len(kept) == 1 else {"anyOf": kept}), **tidied}
    return tidied
