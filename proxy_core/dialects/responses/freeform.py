"""Freeform tools, whose input is bare text (Codex's `apply_patch`), told upstream as functions with one string.

The model answers with JSON, `{"input":"…"}`, and the client shall get the text in it, piece by piece.
"""

from __future__ import annotations

import re

import orjson

from proxy_core.dialects.arguments import arguments_object, arguments_text
from proxy_core.jsontypes import JsonObject

_FIELD = "input"
_BEGINNING = re.compile(r'\s*\{\s*"input"\s*:\s*"')
# Whole characters of a JSON string, so that no escape is cut: a pair of surrogates is one.
_WHOLE = re.compile(
    r'(?:[^"\\]|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u(?![dD][89a-fA-F])[0-9a-fA-F]{4}|\\[^u])*',
    re.DOTALL,
)
_HOW = "Give the whole text as the string `input`, as it is."


def freeform_schema() -> JsonObject:
    """The parameters of the function that stands for a freeform tool."""
    return {
        "type": "object",
        "properties": {_FIELD: {"type": "string", "description": "The tool's whole input."}},
        "required": [_FIELD],
        "additionalProperties": False,
    }


def freeform_description(description: str, form: object) -> str:
    """The tool's own description, what its grammar is, and where the text has to go.

    form: the tool's `format`, `{"type":"grammar","syntax","definition"}` or plain text.
    """
    lines = [description] if description else []
    definition = form.get("definition") if isinstance(form, dict) else None
    if isinstance(form, dict) and isinstance(definition, str):
        lines.append(f"The text must match this grammar ({form.get('syntax')}):\n{definition}")
    return "\n\n".join([*lines, _HOW])


def freeform_arguments(text: str) -> str:
    """The JSON text of a call with this input."""
    return arguments_text({_FIELD: text})


def freeform_input(arguments: str) -> str:
    """The bare text in a call's JSON; models also send it under another name, or without any JSON around it."""
    found = arguments_object(arguments)
    if "_raw" in found:
        return arguments
    text = found.get(_FIELD, next(iter(found.values())) if len(found) == 1 else None) if found else ""
    return text if isinstance(text, str) else arguments


class FreeformProgress:
    """The input as it grows inside of the JSON that arrives. Only what is certain is told, the rest waits."""

    def __init__(self) -> None:
        self._pending = ""
        self._is_inside = False
        self._is_over = False

    def feed(self, fragment: str) -> str:
        """More of the arguments; what of the input can be told now."""
        if self._is_over:
            return ""
        self._pending += fragment
        if not self._is_inside:
            found = _BEGINNING.match(self._pending)
            if found is None:
                return ""
            self._is_inside = True
            self._pending = self._pending[found.end() :]
        return self._decoded()

    def _decoded(self) -> str:
        found = _WHOLE.match(self._pending)
        whole = found[0] if found else ""
        self._pending = self._pending[len(whole) :]
        try:
            text = orjson.loads(f'"{whole}"')
        except orjson.JSONDecodeError:
            self._is_over = True
            return ""
        return text if isinstance(text, str) else ""
