"""Our own icons, read from `resources/icons`. Light and dark name the ground they are made for."""

from __future__ import annotations

from typing import Literal, TypeAlias

from PySide6.QtGui import QIcon

from app.paths import resources

TrayState: TypeAlias = Literal["normal", "paused", "error"]


def icon_path(name: str) -> str:
    """The file of an icon, with forward slashes, as style sheets want it."""
    return (resources() / "icons" / f"{name}.svg").as_posix()


def app_icon() -> QIcon:
    """The program's icon."""
    return QIcon(icon_path("app"))


def tray_icon(state: TrayState, *, dark: bool) -> QIcon:
    """The tray icon of a state, for a dark or a light panel."""
    return QIcon(icon_path(f"tray-{state}-{ground(dark=dark)}"))


def themed_icon(name: str, *, dark: bool) -> QIcon:
    """An icon that has a light and a dark form."""
    return QIcon(icon_path(f"{name}-{ground(dark=dark)}"))


def ground(*, dark: bool) -> str:
    """The word in file names for the ground an icon stands on."""
    return "dark" if dark else "light"
