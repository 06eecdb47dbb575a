"""Required properties get values of the declared type."""

from __future__ import annotations

import pytest
from jsonschema import validate

from app.demo.schema import Hints, fill_object

PROMPT = 'Order 3 of "green tea" in Berlin, unit celsius'


@pytest.mark.parametrize(
    ("declared", "value"),
    [
        ({"type": "string"}, "green tea"),
        ({"type": "integer"}, 3),
        ({"type": "number"}, 3.0),
        ({"type": "boolean"}, False),
        ({"type": "null"}, None),
        ({"type": ["null", "integer"]}, 3),
        ({"enum": ["kelvin", "celsius"]}, "celsius"),
        ({"enum": ["a", "b"]}, "a"),
        ({"const": 7}, 7),
        ({"type": "string", "default": "d"}, "d"),
        ({"anyOf": [{"type": "null"}, {"type": "integer"}]}, 3),
        ({"type": "array", "items": {"type": "integer"}, "minItems": 2}, [3, 3]),
        ({"$ref": "#/$defs/Size"}, {"width": 3}),
        ({"properties": {"b": {"type": "boolean"}}, "required": ["b"]}, {"b": False}),
    ],
)
def test_a_required_property_is_filled(declared: dict[str, object], value: object) -> None:
    size = {"type": "object", "properties": {"width": {"type": "integer"}}, "required": ["width"]}
    schema = {"type": "object", "properties": {"it": declared}, "required": ["it"], "$defs": {"Size": size}}
    filled = fill_object(schema, Hints(PROMPT))
    assert filled == {"it": value}
    validate(filled, schema)


def test_what_is_optional_is_left_out_unless_known() -> None:
    schema = {"properties": {"a": {"type": "string"}, "b": {"type": "string"}}, "required": []}
    assert fill_object(schema, Hints(PROMPT, {"b": "x", "c": "y"})) == {"b": "x"}


def test_a_place_comes_from_the_prompt() -> None:
    schema = {"properties": {"city_name": {"type": "string"}}, "required": ["city_name"]}
    assert fill_object(schema, Hints(PROMPT)) == {"city_name": "Berlin"}


def test_a_schema_that_contains_itself_ends() -> None:
    schema = {"properties": {"next": {"$ref": "#"}}, "required": ["next"]}
    assert "next" in fill_object(schema, Hints())
