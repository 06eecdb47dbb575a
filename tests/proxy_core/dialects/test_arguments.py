"""Tool arguments: text to object and back, however broken."""

from __future__ import annotations

import json
import re

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy_core.dialects.arguments import (
    arguments_object,
    arguments_text,
    completion_suffix,
    made_id,
    safe_id,
    whole_arguments,
)

JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
JSON_OBJECTS = st.dictionaries(st.text(), JSON_VALUES, max_size=4)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        (" \n", {}),
        ("null", {}),
        ('""', {}),
        ('{"a": 1}', {"a": 1}),
        ("[1]", {"value": [1]}),
        ("7", {"value": 7}),
        ('"hello"', {"value": "hello"}),
        ('"{nonsense"', {"value": "{nonsense"}),
        (r'"{\"a\": {\"b\": 2}}"', {"a": {"b": 2}}),
        (r'"{\"a\": 2', {"a": 2}),
        ('{"a": "cut', {"a": "cut"}),
        ('{"a": [1, 2', {"a": [1, 2]}),
        ('{"a": [1, ', {"a": [1, None]}),
        ('{"a": 1, ', {"a": 1}),
        ('{"a": "x,', {"a": "x,"}),
        ('{"a": {"b": tr', {"a": {"b": True}}),
        ('{"a":', {"a": None}),
        ('{"a', {"a": None}),
        ("{", {}),
        ("rm -rf", {"_raw": "rm -rf"}),
        ('{"a": 1}}', {"_raw": '{"a": 1}}'}),
        ("{a: 1}", {"_raw": "{a: 1}"}),
        ("]", {"_raw": "]"}),
    ],
)
def test_text_becomes_an_object(text: str, expected: object) -> None:
    assert arguments_object(text) == expected


@pytest.mark.parametrize(
    ("text", "suffix"),
    [
        ("", "{}"),
        ('{"a":1}', ""),
        ('{"a":1,', '"":null}'),
        ('{"a":"b', '"}'),
        ('{"a":"b\\', 'u0020"}'),
        ('{"a":"b\\\\', '"}'),
        ('{"a":"\\u00', '20"}'),
        ('{"a":"\\ud83d', '\\udc00"}'),
        ('{"a":"\\ud83d\\ud', 'c00"}'),
        ('{"\\u001f0\\r', '":null}'),
        ('{"a":-', "0}"),
        ('{"a":1.', "0}"),
        ('{"a":1 ', "}"),
        ('{"a" ', ":null}"),
        ('{"a":[{"b":fal', "se}]}"),
        ('{"a":"\\ude00\\ud83d', '\\udc00"}'),
        ('{"a":"\\ud83d"', "}"),
        ('{"a":"\\ud8"x', None),
        ('{"a" 1', None),
        ('{"a":}', None),
    ],
)
def test_what_was_sent_is_completed(text: str, suffix: str | None) -> None:
    assert completion_suffix(text) == suffix


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("", "{}"),
        (" null ", "{}"),
        ('{"a": 1}', '{"a": 1}'),
        ('{"a":1,', '{"a":1}'),
        ('{"a":["b', '{"a":["b"]}'),
        ('"{\\"a\\":1}"', '{"a":1}'),
        ('"{\\"a\\":1', '{"a":1}'),
        ('"{oops"', '"{oops"'),
        ("[1]", "[1]"),
        ('{"a":"\\ud83d"}', '{"a":"\\ud83d"}'),
        ('{"a":NaN}', None),
        ("oops", None),
    ],
)
def test_arguments_of_a_call_that_is_over(text: str, whole: str | None) -> None:
    assert whole_arguments(text) == whole


@given(st.text() | st.text('{}[]":,\\u0d8a1 \n'))
def test_whole_arguments_are_json_or_nothing(text: str) -> None:
    whole = whole_arguments(text)
    assert whole is None or json.loads(whole, parse_constant=lambda _: 1 / 0) is not None


@given(JSON_OBJECTS, st.booleans(), st.floats(0, 1))
def test_any_beginning_of_an_object_becomes_an_object(value: object, is_ascii: bool, cut: float) -> None:
    whole = json.dumps(value, ensure_ascii=is_ascii)
    text = whole[: int(len(whole) * cut)]
    suffix = completion_suffix(text)
    assert suffix is not None
    assert isinstance(orjson.loads(text + suffix), dict)
    assert "_raw" not in arguments_object(text) or "_raw" in whole


@given(JSON_OBJECTS)
def test_objects_survive_the_way_there_and_back(value: object) -> None:
    assert arguments_object(arguments_text(value)) == orjson.loads(orjson.dumps(value))


@given(st.text())
def test_any_text_becomes_an_object(text: str) -> None:
    assert isinstance(arguments_object(text), dict)


@pytest.mark.parametrize(
    ("value", "text"), [("", "{}"), (" ", "{}"), (None, "{}"), ({"a": "é"}, '{"a":"é"}'), ("{bad", "{bad")]
)
def test_arguments_as_text(value: object, text: str) -> None:
    assert arguments_text(value) == text


@given(st.text())
def test_ids_are_safe_and_stable(text: str) -> None:
    assert re.fullmatch(r"[a-zA-Z0-9_-]+", safe_id(text))
    assert safe_id(text) == safe_id(text)


def test_good_ids_stay_and_odd_ones_stay_apart() -> None:
    assert safe_id("call_1-A") == "call_1-A"
    assert safe_id("a.b") != safe_id("a:b")
    assert made_id("chatcmpl-1", 0) != made_id("chatcmpl-1", 1)
