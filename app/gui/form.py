"""From a declaration to a row of a form: label, control, help. Nothing here knows a particular setting."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from math import isinf
from types import NoneType
from typing import get_origin

from annotated_types import Gt
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from app.gui.widgets.calm_wheel import calm_wheel
from app.i18n import tr
from app.settings.describe import SettingRow, bounds, choices, value_text
from app.settings.schema import Settings

CONTROL_WIDTH = 320
SPIN_MARGIN = 7
MAX_SPIN = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Control:
    """A widget that holds one value. show and read speak the setting's own type (a dict and a tuple as text)."""

    widget: QWidget
    show: Callable[[object], None]
    read: Callable[[], object]


class FormRow(QWidget):
    """One setting: its title, its control, its help, and why it cannot be changed where that is so."""

    def __init__(self, row: SettingRow, control: Control, fixed_by: str = "", *, is_locked: bool = True) -> None:
        super().__init__()
        self.field = row.field
        self.control = control
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        if not isinstance(control.widget, QCheckBox):
            title = QLabel(tr(row.title))
            title.setBuddy(control.widget)
            layout.addWidget(title)
            control.widget.setFixedWidth(CONTROL_WIDTH)
        if isinstance(control.widget, QComboBox | QAbstractSpinBox):
            calm_wheel(control.widget)
        if isinstance(control.widget, QAbstractSpinBox):
            # Style sheets give the text inside a spin box no room to its left.
            control.widget.lineEdit().setTextMargins(SPIN_MARGIN, 0, 0, 0)
        control.widget.setAccessibleName(tr(row.title))
        layout.addWidget(control.widget)
        layout.addWidget(_help(tr(row.help).replace("\n", " ")))
        if fixed_by:
            control.widget.setEnabled(not is_locked)
            layout.addWidget(_help(_fixed_words(fixed_by, is_locked=is_locked), "warning"))

    def show_value(self, value: object) -> None:
        """Write a value into the control."""
        self.control.show(value)

    def value(self) -> object:
        """What the control holds, as `apply` takes it."""
        return self.control.read()


def make_row(
    row: SettingRow, value: object, fixed_by: str = "", words: tuple[str, ...] = (), *, is_locked: bool = True
) -> FormRow:
    """The form row of a setting, holding `value`. words: names to choose from that the declaration cannot know.

    fixed_by: what stands above the dialog. is_locked: whether the control is then closed, or open for this run.
    """
    made = FormRow(row, _control(row, words), fixed_by, is_locked=is_locked)
    made.show_value(value)
    return made


def _control(row: SettingRow, words: tuple[str, ...]) -> Control:
    kind = Settings.model_fields[row.field].annotation or NoneType
    if words or choices(row.field):
        return _choice(words or choices(row.field))
    if kind is bool:
        return _switch(tr(row.title))
    if kind is int:
        return _whole_number(row.field)
    if kind is float:
        return _seconds(row.field)
    return _json_text() if get_origin(kind) is dict else _line()


def _choice(words: tuple[str, ...]) -> Control:
    box = QComboBox()
    for word in words:
        box.addItem(word_label(word), word)

    def show(value: object) -> None:
        if box.findData(value) < 0:
            box.addItem(str(value), value)
        box.setCurrentIndex(box.findData(value))

    return Control(box, show, box.currentData)


def _switch(title: str) -> Control:
    box = QCheckBox(title)
    return Control(box, lambda value: box.setChecked(bool(value)), box.isChecked)


def _whole_number(field: str) -> Control:
    box = QSpinBox()
    low, high = bounds(field)
    box.setRange(int(max(low, -MAX_SPIN)), int(min(high, MAX_SPIN)))
    box.setGroupSeparatorShown(high > 100_000)
    return Control(box, lambda value: box.setValue(int(str(value))), box.value)


def _seconds(field: str) -> Control:
    box = QDoubleSpinBox()
    low, high = bounds(field)
    box.setDecimals(1)
    is_open = any(isinstance(item, Gt) for item in Settings.model_fields[field].metadata)
    box.setRange(low + 0.1 if is_open else low, 1e9 if isinf(high) else high)
    box.setSuffix(tr(" s"))
    return Control(box, lambda value: box.setValue(float(str(value))), box.value)


def _line() -> Control:
    line = QLineEdit()
    return Control(line, lambda value: line.setText(value_text(value)), lambda: line.text().strip())


def _json_text() -> Control:
    text = QPlainTextEdit()
    text.setFixedHeight(84)
    text.setTabChangesFocus(True)
    text.setPlaceholderText('{"gpt-4o": "glm-4.6"}')

    def show(value: object) -> None:
        text.setPlainText(json.dumps(value, indent=2, ensure_ascii=False) if value else "")

    return Control(text, show, lambda: text.toPlainText().strip())


def _fixed_words(source: str, *, is_locked: bool) -> str:
    if is_locked:
        return tr("Set by {source}, which stands above this dialog.", source=source)
    return tr("A change holds for this run: {source} decides at the next start.", source=source)


def _help(text: str, name: str = "help") -> QLabel:
    label = QLabel(text)
    label.setObjectName(name)
    label.setWordWrap(True)
    return label


def word_label(word: str) -> str:
    """A word of a setting as people read it; names stay as they are."""
    labels = {
        "auto": tr("Automatic"),
        "light": tr("Light"),
        "dark": tr("Dark"),
        "en": "English",
        "zh_CN": "简体中文",
        "anthropic": "Anthropic",
        "openai": "OpenAI",
    }
    return labels.get(word, word)
