"""Fills a JSON Schema with sensible values, guided by what the prompt says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from proxy_core.jsontypes import JsonObject

_MAX_DEPTH = 8
_PLACE_KEYS = ("city", "location", "place", "country", "town")
_PLACE = re.compile(r"\b(?:in|at|for|of)\s+([A-Z][\w-]+(?:\s+[A-Z][\w-]+)*)")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_QUOTED = re.compile(r"[\"“`]([^\"”`\n]+)[\"”`]")


@dataclass(frozen=True, slots=True)
class Hints:
    """Where values come from: `known` by property name, else guessed from the prompt."""

    prompt: str = ""
    known: Mapping[str, object] = field(default_factory=dict)


def fill_object(schema: Mapping[str, object], hints: Hints) -> JsonObject:
    """An object that has every required property, and every known one that the schema declares."""
    return _object(schema, hints, schema, 0)


def properties_of(schema: Mapping[str, object]) -> dict[str, object]:
    """The declared properties; {} where the schema declares none."""
    declared = schema.get("properties")
    return declared if isinstance(declared, dict) else {}


def _object(schema: Mapping[str, object], hints: Hints, root: Mapping[str, object], depth: int) -> JsonObject:
    required = schema.get("required")
    wanted = required if isinstance(required, list) else []
    filled: JsonObject = {}
    for name, declared in properties_of(schema).items():
        if name in hints.known:
            filled[name] = hints.known[name]
        elif name in wanted:
            filled[name] = _value(name, declared, hints, root, depth + 1)
    return filled


def _value(name: str, schema: object, hints: Hints, root: Mapping[str, object], depth: int) -> object:
    if not isinstance(schema, dict) or depth > _MAX_DEPTH:
        return ""
    for word in ("const", "default"):
        if word in schema:
            return schema[word]
    options = schema.get("enum")
    if isinstance(options, list) and options:
        return _named_option(options, hints.prompt)
    for word in ("anyOf", "oneOf", "allOf"):
        choices = schema.get(word)
        if isinstance(choices, list) and choices:
            return _value(name, _first_real(choices), hints, root, depth + 1)
    if isinstance(schema.get("$ref"), str):
        return _value(name, _resolve(str(schema["$ref"]), root), hints, root, depth + 1)
    return _typed(name, schema, hints, root, depth)


def _typed(name: str, schema: dict[str, object], hints: Hints, root: Mapping[str, object], depth: int) -> object:
    match _type_of(schema):
        case "object":
            return _object(schema, hints, root, depth)
        case "array":
            least = schema.get("minItems")
            count = least if isinstance(least, int) else 1
            return [_value(name, schema.get("items"), hints, root, depth + 1) for _ in range(min(count, 3))]
        case "integer":
            return int(_number(schema, hints.prompt))
        case "number":
            return _number(schema, hints.prompt)
        case "boolean":
            return False
        case "null":
            return None
        case _:
            return _text(name, hints.prompt)


def _type_of(schema: Mapping[str, object]) -> str:
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((one for one in kind if one != "null"), "string")
    if kind is None and "properties" in schema:
        return "object"
    return str(kind)


def _first_real(choices: list[object]) -> object:
    real = [one for one in choices if not (isinstance(one, dict) and one.get("type") == "null")]
    return real[0] if real else {}


def _resolve(reference: str, root: Mapping[str, object]) -> object:
    found: object = root
    for key in reference.removeprefix("#").strip("/").split("/"):
        found = found.get(key) if isinstance(found, dict) else None
    return found


def _named_option(options: list[object], prompt: str) -> object:
    named = [one for one in options if isinstance(one, str) and one and one.lower() in prompt.lower()]
    return named[0] if named else options[0]


def _number(schema: Mapping[str, object], prompt: str) -> float:
    found = _NUMBER.search(prompt)
    least = schema.get("minimum")
    return float(found[0]) if found else float(least) if isinstance(least, (int, float)) else 1.0


def _text(name: str, prompt: str) -> str:
    if any(word in name.lower() for word in _PLACE_KEYS) and (place := _PLACE.search(prompt)):
        return place[1]
    quoted = _QUOTED.search(prompt)
    return quoted[1] if quoted else (prompt[:200] or "demo")
