"""Every icon is there, and draws something."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication

from app.gui.icons import app_icon, themed_icon, tray_icon

SIZE = 22


def colours_in(icon: QIcon) -> int:
    picture = icon.pixmap(SIZE, SIZE).toImage()
    spots = {picture.pixel(x, y) for x in range(picture.width()) for y in range(picture.height())}
    return len(spots)


@pytest.mark.parametrize("is_dark", [False, True])
def test_the_three_states_are_drawn_and_differ(qapp: QApplication, is_dark: bool) -> None:
    icons = [tray_icon(state, dark=is_dark) for state in ("normal", "paused", "error")]
    assert all(colours_in(icon) > 3 for icon in icons)
    pictures = [icon.pixmap(SIZE, SIZE).toImage() for icon in icons]
    assert pictures[0] != pictures[1] != pictures[2] != pictures[0]


def test_light_and_dark_differ(qapp: QApplication) -> None:
    light, dark = (tray_icon("normal", dark=is_dark).pixmap(SIZE, SIZE).toImage() for is_dark in (False, True))
    assert light != dark


@pytest.mark.parametrize("name", ["eye", "eye-off", "chevron-down", "chevron-up", "pin"])
def test_the_small_ones_are_drawn(qapp: QApplication, name: str) -> None:
    assert all(colours_in(themed_icon(name, dark=is_dark)) > 3 for is_dark in (False, True))
    assert colours_in(app_icon()) > 20
