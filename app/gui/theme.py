"""The look: two sets of colours, one style sheet with holes for them, and which of the two is in force."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication

from app.gui.icons import ground, icon_path
from app.paths import resources

_HOLE = re.compile(r"@([a-z_]+)")
_ICON_HOLE = re.compile(r"icon\(([a-z-]+)\)")


CHINESE_FAMILIES = ("PingFang SC", "Microsoft YaHei UI", "Noto Sans CJK SC", "Source Han Sans SC")


@dataclass(frozen=True, slots=True)
class Colours:
    """Every colour we use, by its job. The last ones are the curves'."""

    window: str
    card: str
    field: str
    border: str
    hover: str
    pressed: str
    text: str
    muted: str
    faint: str
    accent: str
    accent_fill: str
    accent_hover: str
    accent_soft: str
    danger: str
    danger_soft: str
    warning: str
    warning_soft: str
    good: str
    grid: str
    requests: str
    in_flight: str
    tokens_in: str
    tokens_out: str
    tokens_saved: str


LIGHT = Colours(
    window="#f4f5f7",
    card="#ffffff",
    field="#ffffff",
    border="#d9dde3",
    hover="#eceff3",
    pressed="#e0e4ea",
    text="#1c2127",
    muted="#5a6572",
    faint="#8b95a1",
    accent="#2f57d6",
    accent_fill="#3860e0",
    accent_hover="#2b50c8",
    accent_soft="#e3eaff",
    danger="#bf2530",
    danger_soft="#fdecec",
    warning="#7a5200",
    warning_soft="#fff4d9",
    good="#17804a",
    grid="#e6e9ed",
    requests="#2f6fde",
    in_flight="#c2610c",
    tokens_in="#2f6fde",
    tokens_out="#17804a",
    tokens_saved="#a3378f",
)
DARK = Colours(
    window="#15181d",
    card="#1c2026",
    field="#15181d",
    border="#323943",
    hover="#262c34",
    pressed="#2e353f",
    text="#e4e8ed",
    muted="#9aa5b1",
    faint="#76818e",
    accent="#8ba8ff",
    accent_fill="#4468e8",
    accent_hover="#5779f0",
    accent_soft="#26335c",
    danger="#ff7b80",
    danger_soft="#3b1f24",
    warning="#f0c36a",
    warning_soft="#372c16",
    good="#4cc38a",
    grid="#2a3038",
    requests="#6ea8ff",
    in_flight="#f0a35e",
    tokens_in="#6ea8ff",
    tokens_out="#4cc38a",
    tokens_saved="#e48ad4",
)


class Theme(QObject):
    """Which colours are in force; the setting is auto, light or dark. `changed` follows every change of them."""

    changed = Signal()

    def __init__(self, app: QApplication) -> None:
        super().__init__(app)
        self._app = app
        self._setting = "auto"
        self.colours = LIGHT
        self.is_system_dark = _system_is_dark()
        """Whether the desktop is dark, whatever was chosen for our windows: panels follow the desktop."""
        app.setStyle("Fusion")
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._follow_system)

    @property
    def is_dark(self) -> bool:
        """Whether the dark colours are in force."""
        return self.colours is DARK

    def choose(self, setting: str) -> None:
        """Take the setting; auto follows the system, now and later."""
        self._setting = setting
        schemes = {"light": Qt.ColorScheme.Light, "dark": Qt.ColorScheme.Dark}
        # Asks the platform as well, so that title bars and file dialogs follow where it can do that.
        QGuiApplication.styleHints().setColorScheme(schemes.get(setting, Qt.ColorScheme.Unknown))
        self._apply()

    def _follow_system(self) -> None:
        if self._setting == "auto":
            self._apply()

    def _apply(self) -> None:
        if self._setting == "auto":  # otherwise the hint repeats what was chosen
            self.is_system_dark = _system_is_dark()
        is_dark = self.is_system_dark if self._setting == "auto" else self._setting == "dark"
        self.colours = DARK if is_dark else LIGHT
        self._app.setPalette(palette_of(self.colours))
        self._app.setStyleSheet(style_sheet(self.colours))
        self.changed.emit()


def _system_is_dark() -> bool:
    return QGuiApplication.styleHints().colorScheme() is Qt.ColorScheme.Dark


def text_font(language: str) -> QFont:
    """The desktop's font; for Chinese, with a fallback of the right shapes and weight put behind it."""
    font = QFont(QApplication.font())
    families = [family for family in font.families() if family not in CHINESE_FAMILIES]
    font.setFamilies([*families, *CHINESE_FAMILIES] if language.startswith("zh") else families)
    return font


def palette_of(colours: Colours) -> QPalette:
    """The colours as Qt's palette, for all that no style sheet reaches."""
    palette = QPalette()
    roles = {
        QPalette.ColorRole.Window: colours.window,
        QPalette.ColorRole.WindowText: colours.text,
        QPalette.ColorRole.Base: colours.field,
        QPalette.ColorRole.AlternateBase: colours.card,
        QPalette.ColorRole.Text: colours.text,
        QPalette.ColorRole.PlaceholderText: colours.faint,
        QPalette.ColorRole.Button: colours.card,
        QPalette.ColorRole.ButtonText: colours.text,
        QPalette.ColorRole.ToolTipBase: colours.card,
        QPalette.ColorRole.ToolTipText: colours.text,
        QPalette.ColorRole.Highlight: colours.accent_fill,
        QPalette.ColorRole.HighlightedText: "#ffffff",
        QPalette.ColorRole.Link: colours.accent,
        QPalette.ColorRole.Accent: colours.accent_fill,
    }
    for role, colour in roles.items():
        palette.setColor(role, QColor(colour))
    faded = (QPalette.ColorRole.WindowText, QPalette.ColorRole.Text, QPalette.ColorRole.ButtonText)
    for role in faded:
        palette.setColor(QPalette.ColorGroup.Disabled, role, QColor(colours.faint))
    return palette


def style_sheet(colours: Colours) -> str:
    """`resources/theme.qss` with its @colours and icon(names) filled. Raises KeyError for an unknown colour."""
    names = asdict(colours)
    dark = colours is DARK
    source = (resources() / "theme.qss").read_text(encoding="utf-8")
    filled = _HOLE.sub(lambda hole: names[hole[1]], source)
    return _ICON_HOLE.sub(lambda hole: f'url("{_icon_for(hole[1], dark=dark)}")', filled)


def _icon_for(name: str, *, dark: bool) -> str:
    return icon_path(name if name == "check" else f"{name}-{ground(dark=dark)}")
