from __future__ import annotations

import time

import pytest

from app.i18n import SOURCE_LANGUAGE, set_language
from app.paths import resources


@pytest.fixture(autouse=True)
def _greenwich_english(monkeypatch):
    """Times as in Greenwich, words in English again afterwards."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()
    set_language(SOURCE_LANGUAGE, resources() / "locale")
