"""Narrowing hostile JSON, once, at the border: every refusal names the field it stands in.

A path is written as in `messages.3.content`: keys and list positions joined by dots, "" for the body itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from proxy_core.errors import BadRequestError
from proxy_core.jsontypes import JsonObject

_Narrowed = TypeVar("_Narrowed")


def at(path: str, key: str | int) -> str:
    """The path of a field inside the value at `path`."""
    return f"{path}.{key}" if path else str(key)


def wrong(path: str, expected: str, value: object) -> BadRequestError:
    """The refusal "`path`: expected …, got …"; it never repeats the value, which may be a secret."""
    return refuse(path, f"expected {expected}, got {_kind_of(value)}")


def refuse(path: str, why: str) -> BadRequestError:
    """A refusal that names the field at `path`."""
    return BadRequestError(f"{path or 'The body'}: {why}.", param=path or None)


def as_object(value: object, path: str) -> JsonObject:
    """A JSON object."""
    if isinstance(value, dict):
        return value
    raise wrong(path, "an object", value)


def as_list(value: object, path: str) -> list[object]:
    """A JSON list, of anything."""
    if isinstance(value, list):
        return value
    raise wrong(path, "a list", value)


def as_text(value: object, path: str) -> str:
    """A string, possibly empty."""
    if isinstance(value, str):
        return value
    raise wrong(path, "a string", value)


def as_bool(value: object, path: str) -> bool:
    """True or false; neither 0 nor "false"."""
    if isinstance(value, bool):
        return value
    raise wrong(path, "true or false", value)


def as_int(value: object, path: str) -> int:
    """A whole number; 5.0 is one (some clients send every number as a float), a Boolean is none."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    raise wrong(path, "a whole number", value)


def as_number(value: object, path: str) -> float:
    """A finite number, as a float."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < _TOO_LARGE:
        return float(value)
    raise wrong(path, "a number", value)


def optional_object(body: Mapping[str, object], key: str, path: str = "") -> JsonObject | None:
    """`body[key]` as an object; None where absent or null. `path` is where `body` itself stands."""
    return _optional(body, key, path, as_object)


def optional_list(body: Mapping[str, object], key: str, path: str = "") -> list[object] | None:
    """`body[key]` as a list; None where absent or null."""
    return _optional(body, key, path, as_list)


def optional_text(body: Mapping[str, object], key: str, path: str = "") -> str | None:
    """`body[key]` as a string; None where absent or null."""
    return _optional(body, key, path, as_text)


def optional_bool(body: Mapping[str, object], key: str, path: str = "") -> bool | None:
    """`body[key]` as a Boolean; None where absent or null."""
    return _optional(body, key, path, as_bool)


def optional_int(body: Mapping[str, object], key: str, path: str = "") -> int | None:
    """`body[key]` as a whole number; None where absent or null."""
    return _optional(body, key, path, as_int)


def optional_number(body: Mapping[str, object], key: str, path: str = "") -> float | None:
    """`body[key]` as a number; None where absent or null."""
    return _optional(body, key, path, as_number)


def _optional(
    body: Mapping[str, object], key: str, path: str, narrow: Callable[[object, str], _Narrowed]
) -> _Narrowed | None:
    value = body.get(key)
    return None if value is None else narrow(value, at(path, key))


def _kind_of(value: object) -> str:
    for types, name in _KINDS:
        if isinstance(value, types):
            return name
    return "null" if value is None else type(value).__name__


_TOO_LARGE = 1e300  # a bigger whole number does not fit a float
_KINDS: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (bool, "true or false"),
    ((int, float), "a number"),
    (str, "a string"),
    (list, "a list"),
    (dict, "an object"),
)
