"""From what somebody wrote to a value of the right type, one field at a time."""

from __future__ import annotations

import json
from typing import get_origin

from pydantic import ValidationError

from app.settings.describe import allowed, choices
from app.settings.problems import SettingProblem, closest, shown
from app.settings.schema import Settings


def check_value(field: str, written: object) -> object:
    """The value of a field as it was written, in a file or as text. Raises ValueError."""
    value = _from_text(field, written.strip()) if isinstance(written, str) else written
    kind = Settings.model_fields[field].annotation
    if isinstance(value, bool) and kind is not bool:
        raise ValueError("true and false mean nothing here")
    try:
        settings = Settings.model_validate({field: value})
    except ValidationError as error:
        raise ValueError(_first_message(error)) from error
    checked: object = getattr(settings, field)
    return checked


def bad_value(where: str, key: str, field: str, written: object) -> SettingProblem:
    """The problem of a value that check_value refused. Values that may hold a password are not repeated."""
    words = choices(field)
    meant = closest(written, words) if isinstance(written, str) else ""
    said = "is not a usable address" if field == "outbound_proxy" else f"{shown(written)} cannot be used"
    return SettingProblem(where, key, said, allowed(field), meant)


def _from_text(field: str, text: str) -> object:
    by_fold = {word.casefold(): word for word in choices(field)}
    kind = get_origin(Settings.model_fields[field].annotation)
    if kind is dict:
        return _json_object(text)
    if kind is tuple:
        return tuple(item for item in (part.strip() for part in text.split(",")) if item)
    return by_fold.get(text.casefold(), text)


def _json_object(text: str) -> object:
    try:
        return json.loads(text or "{}")
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _first_message(error: ValidationError) -> str:
    return error.errors(include_url=False, include_input=False)[0]["msg"]
