"""The catalogues say all that the program says, and say it with the same values."""

from __future__ import annotations

import ast
import gettext
import string
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from app.i18n import LANGUAGES, SOURCE_LANGUAGE, choose_language, current_language, set_language, tr
from app.paths import resources
from app.settings.describe import describe_settings
from proxy_core.upstream.doctor import VERDICT_WORDS

LOCALE = resources() / "locale"
APP = Path(__file__).parents[2] / "app"
OTHERS = [code for code in LANGUAGES if code != SOURCE_LANGUAGE]


@pytest.fixture(autouse=True)
def _english_again() -> Iterator[None]:
    yield
    set_language(SOURCE_LANGUAGE, LOCALE)


def texts_in(path: Path) -> set[str]:
    calls = (node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call))
    found = [call.args[0] for call in calls if isinstance(call.func, ast.Name) and call.func.id == "tr"]
    return {text.value for text in found if isinstance(text, ast.Constant)}


def all_texts() -> set[str]:
    said = set[str]().union(*(texts_in(path) for path in APP.rglob("*.py")))
    rows = describe_settings()  # also those that no dialog shows yet: they come into effect one by one
    return said | {row.title for row in rows} | {row.help for row in rows} | set(VERDICT_WORDS.values())


def catalogue(code: str) -> Catalog:
    with (LOCALE / code / "LC_MESSAGES" / "app.po").open("rb") as file:
        return read_po(file, locale=code)


def holes(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("code", OTHERS)
def test_every_text_is_translated_and_no_translation_is_left_over(code: str) -> None:
    translated = {str(message.id) for message in catalogue(code) if message.id and message.string and not message.fuzzy}
    assert sorted(all_texts() - translated) == []
    assert sorted(translated - all_texts()) == []


@pytest.mark.parametrize("code", OTHERS)
def test_translations_take_the_same_values(code: str) -> None:
    wrong = [message.id for message in catalogue(code) if holes(str(message.id)) != holes(str(message.string))]
    assert wrong == []


@pytest.mark.parametrize("code", OTHERS)
def test_the_compiled_catalogue_is_that_of_the_po_file(code: str) -> None:
    compiled = gettext.translation("app", LOCALE, [code])
    stale = [m.id for m in catalogue(code) if m.id and compiled.gettext(str(m.id)) != m.string]
    assert stale == [], "run: pybabel compile --domain app --directory resources/locale"


def test_words_follow_the_language_and_take_values() -> None:
    assert tr("{count} in flight", count=3) == "3 in flight"
    set_language("zh_CN", LOCALE)
    assert current_language() == "zh_CN"
    assert "3" in tr("{count} in flight", count=3)
    assert tr("Quit") == "退出"


def test_an_unknown_language_or_text_stays_english() -> None:
    set_language("fr", LOCALE)
    assert (current_language(), tr("Quit"), tr("nobody says this")) == ("en", "Quit", "nobody says this")


@pytest.mark.parametrize(
    ("setting", "preferred", "code"),
    [
        ("zh_CN", ["en-GB"], "zh_CN"),
        ("en", ["zh-CN"], "en"),
        ("xx", ["zh-CN"], "en"),
        ("auto", [], "en"),
        ("auto", ["zh-Hans-CN"], "zh_CN"),
        ("auto", ["zh_CN"], "zh_CN"),
        ("auto", ["zh"], "zh_CN"),
        ("auto", ["zh-TW"], "en"),
        ("auto", ["zh-Hant-HK", "zh-Hans-CN"], "zh_CN"),
        ("auto", ["fr-FR", "zh-CN"], "zh_CN"),
        ("auto", ["fr-FR", "en-US", "zh-CN"], "en"),
    ],
)
def test_which_language_is_spoken(setting: str, preferred: list[str], code: str) -> None:
    assert choose_language(setting, preferred) == code
