"""Narrowing hostile JSON: what passes, and what the refusal says."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from proxy_core.dialects import shape
from proxy_core.errors import BadRequestError


@pytest.mark.parametrize(
    ("narrow", "value", "expected"),
    [
        (shape.as_object, {"a": 1}, {"a": 1}),
        (shape.as_list, [1], [1]),
        (shape.as_text, "", ""),
        (shape.as_bool, False, False),
        (shape.as_int, 5, 5),
        (shape.as_int, 5.0, 5),
        (shape.as_number, 1, 1.0),
        (shape.as_number, 0.5, 0.5),
    ],
)
def test_right_shapes_pass(narrow: Callable[[object, str], object], value: object, expected: object) -> None:
    assert narrow(value, "field") == expected


@pytest.mark.parametrize(
    ("narrow", "value", "message"),
    [
        (shape.as_object, [], "a.b: expected an object, got a list."),
        (shape.as_list, {}, "a.b: expected a list, got an object."),
        (shape.as_text, 3, "a.b: expected a string, got a number."),
        (shape.as_bool, 1, "a.b: expected true or false, got a number."),
        (shape.as_int, True, "a.b: expected a whole number, got true or false."),
        (shape.as_int, 1.5, "a.b: expected a whole number, got a number."),
        (shape.as_int, float("inf"), "a.b: expected a whole number, got a number."),
        (shape.as_number, "1", "a.b: expected a number, got a string."),
        (shape.as_number, float("nan"), "a.b: expected a number, got a number."),
        (shape.as_number, 10**400, "a.b: expected a number, got a number."),
        (shape.as_text, None, "a.b: expected a string, got null."),
    ],
)
def test_wrong_shapes_are_refused_by_name(narrow: Callable[[object, str], object], value: object, message: str) -> None:
    with pytest.raises(BadRequestError) as caught:
        narrow(value, "a.b")
    assert (caught.value.message, caught.value.param) == (message, "a.b")


def test_optional_fields_may_be_absent_or_null() -> None:
    assert shape.optional_text({}, "user") is None
    assert shape.optional_text({"user": None}, "user") is None
    assert shape.optional_text({"user": "me"}, "user") == "me"


def test_optional_fields_are_named_with_their_path() -> None:
    with pytest.raises(BadRequestError) as caught:
        shape.optional_int({"n": "two"}, "n", "options.1")
    assert caught.value.param == "options.1.n"


def test_the_body_itself_has_no_param() -> None:
    error = shape.refuse("", "expected an object")
    assert (error.message, error.param) == ("The body: expected an object.", None)
