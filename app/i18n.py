"""Words for people, in their language: English in the source, catalogues in `resources/locale`.

The catalogue of a language is `<code>/LC_MESSAGES/app.po`, which people edit, and the `app.mo` made of it by

    pybabel compile --domain app --directory resources/locale

(pybabel comes with the dev extra; a test says when the two differ, or when a text has no translation).
"""

from __future__ import annotations

import gettext
from collections.abc import Iterable
from pathlib import Path

DOMAIN = "app"
SOURCE_LANGUAGE = "en"
LANGUAGES = (SOURCE_LANGUAGE, "zh_CN")

_TRADITIONAL = ("hant", "tw", "hk", "mo")


class _Catalogue:
    """The one language this process speaks; a process has one face, and so one reader."""

    def __init__(self) -> None:
        self.language = SOURCE_LANGUAGE
        self.translations = gettext.NullTranslations()


_catalogue = _Catalogue()


def set_language(code: str, folder: Path) -> None:
    """Speak `code` from now on; folder: where the catalogues lie. English where there is no catalogue of it."""
    _catalogue.language = code if code in LANGUAGES else SOURCE_LANGUAGE
    _catalogue.translations = gettext.translation(DOMAIN, folder, [_catalogue.language], fallback=True)


def current_language() -> str:
    """The code of the language that `tr` speaks."""
    return _catalogue.language


def tr(text: str, /, **values: object) -> str:
    """The text in the current language, its {names} filled with values. Only literal texts can be translated."""
    translated = _catalogue.translations.gettext(text) if text else ""
    return translated.format(**values) if values else translated


def choose_language(setting: str, preferred: Iterable[str]) -> str:
    """The language to speak: the setting, or for "auto" the first of the preferred ones that we know.

    preferred: language tags as systems give them (zh-Hans-CN, zh_CN, en-GB). Traditional Chinese is not served by
    the simplified catalogue.
    """
    if setting != "auto":
        return setting if setting in LANGUAGES else SOURCE_LANGUAGE
    for tag in preferred:
        parts = tag.lower().replace("_", "-").split("-")
        if parts[0] == "en":
            return SOURCE_LANGUAGE
        if parts[0] == "zh" and not any(part in _TRADITIONAL for part in parts):
            return "zh_CN"
    return SOURCE_LANGUAGE
