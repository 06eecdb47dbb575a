"""The look: every colour has its hole, text can be read on its ground, the setting beats the system."""

from __future__ import annotations

import re

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication

from app.gui.theme import CHINESE_FAMILIES, DARK, LIGHT, Colours, Theme, style_sheet, text_font
from app.paths import resources

READABLE = 4.5  # WCAG AA for text
SEEN = 3.0  # WCAG AA for what is no text


def luminance(name: str) -> float:
    parts = (part / 255 for part in QColor(name).getRgb()[:3])
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("text", "ground"),
    [
        *(
            ("text", ground)
            for ground in ("window", "card", "field", "hover", "accent_soft", "warning_soft", "danger_soft")
        ),
        *((text, "card") for text in ("muted", "accent", "danger", "good", "warning")),
        *((text, "window") for text in ("muted", "accent", "danger", "good", "warning")),
        *(("accent", ground) for ground in ("accent_soft", "warning_soft", "danger_soft")),
    ],
)
def test_text_can_be_read(colours: Colours, text: str, ground: str) -> None:
    assert contrast(getattr(colours, text), getattr(colours, ground)) >= READABLE


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_curves_can_be_seen_and_buttons_read(colours: Colours) -> None:
    for curve in ("requests", "in_flight", "tokens_in", "tokens_out", "tokens_saved"):
        assert contrast(getattr(colours, curve), colours.card) >= SEEN
    assert contrast("#ffffff", colours.accent_fill) >= READABLE


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_the_style_sheet_has_no_hole_left_and_names_files_that_exist(colours: Colours) -> None:
    sheet = style_sheet(colours)
    assert "@" not in sheet and "icon(" not in sheet
    files = re.findall(r'url\("([^"]+)"\)', sheet)
    assert files and all((resources() / "icons" / file.rsplit("/", 1)[1]).is_file() for file in files)


@pytest.mark.parametrize(("setting", "colours"), [("light", LIGHT), ("dark", DARK)])
def test_the_setting_is_taken(theme: Theme, qapp: QApplication, setting: str, colours: Colours) -> None:
    theme.choose(setting)
    assert theme.colours is colours
    assert qapp.palette().color(QPalette.ColorRole.Window) == QColor(colours.window)
    assert colours.accent_fill in qapp.styleSheet()


def test_auto_follows_the_system_and_a_choice_does_not(theme: Theme, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[bool] = []
    theme.changed.connect(lambda: told.append(theme.is_dark))
    hints = QGuiApplication.styleHints()
    monkeypatch.setattr("app.gui.theme._system_is_dark", lambda: True)
    hints.colorSchemeChanged.emit(Qt.ColorScheme.Dark)
    assert told == []
    theme.choose("auto")
    hints.colorSchemeChanged.emit(Qt.ColorScheme.Dark)
    assert told[-1] is True
    theme.choose("light")
    assert (told[-1], theme.is_system_dark) == (False, True)
    monkeypatch.setattr("app.gui.theme._system_is_dark", lambda: False)  # Qt repeats what was chosen
    theme.choose("light")
    assert theme.is_system_dark is True


def test_chinese_gets_its_own_shapes_and_gives_them_back(qapp: QApplication) -> None:
    assert text_font("zh_CN").families()[-1] == CHINESE_FAMILIES[-1]
    assert not set(CHINESE_FAMILIES) & set(text_font("en").families())
