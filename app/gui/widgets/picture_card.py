"""Draws one picture of the store as a card: thumbnail, two lines of its description, where it comes from."""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontInfo,
    QFontMetrics,
    QPainter,
    QPainterPath,
    QPen,
    QPixmap,
    QTextLayout,
    QTextOption,
)
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from app.gui.icons import themed_icon
from app.gui.models.picture_list import DESCRIPTION_ROLE, PictureList, card_text, remarks
from app.gui.theme import DARK, Colours
from app.i18n import tr
from proxy_core.stores.descriptions import Description

Index = QModelIndex | QPersistentModelIndex

CELL = QSize(212, 232)
"""Of a card with the gap around it; the grid makes it wider until a row is full."""
PICTURE = QSize(256, 130)
"""The room for a thumbnail; what is wider than a card is drawn smaller."""
GAP = 10
"""To the right of a card and below it."""
PAD = 10
RADIUS = 9.0
PIN = 18
LINE_CHARS = 150
"""More do not fit into a line."""
SMALL = 0.86
"""Size of the last line beside the others."""


class PictureCard(QStyledItemDelegate):
    """A delegate for views of a PictureList."""

    def __init__(self, colours: Callable[[], Colours], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._colours = colours
        self.cell = CELL

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """All of one size."""
        return self.cell

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw the card of a picture."""
        one = index.data(DESCRIPTION_ROLE)
        model = index.model()
        if not isinstance(one, Description) or not isinstance(model, PictureList):
            return
        painter.save()
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        card = option.rect.adjusted(0, 0, -GAP, -GAP)
        self._paint_ground(painter, card, option)
        top = QRect(card.left() + 1, card.top() + 1, card.width() - 2, PICTURE.height())
        self._paint_picture(painter, top, index.data(Qt.ItemDataRole.DecorationRole), one, model)
        self._paint_words(painter, card.adjusted(PAD, PICTURE.height() + 8, -PAD, -7), one, option.font)
        if one.pinned:
            self._paint_pin(painter, card)
        painter.restore()

    def _paint_ground(self, painter: QPainter, card: QRect, option: QStyleOptionViewItem) -> None:
        colours = self._colours()
        is_chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        is_current = bool(option.state & QStyle.StateFlag.State_HasFocus)
        painter.setBrush(QColor(colours.accent_soft if is_chosen else colours.card))
        edge = colours.accent if is_chosen or is_current else colours.border
        painter.setPen(QPen(QColor(edge), 2 if is_current else 1))
        painter.drawRoundedRect(QRectF(card).adjusted(0.5, 0.5, -0.5, -0.5), RADIUS, RADIUS)

    def _paint_picture(
        self, painter: QPainter, room: QRect, picture: object, one: Description, model: PictureList
    ) -> None:
        colours = self._colours()
        painter.save()
        painter.setClipPath(_rounded_above(room))
        painter.fillRect(room, QColor(colours.pressed))
        if isinstance(picture, QPixmap):
            size = picture.size().scaled(room.size(), Qt.AspectRatioMode.KeepAspectRatio)
            size = size.boundedTo(picture.size())
            place = QRect(QPoint(0, 0), size)
            place.moveCenter(room.center())
            painter.drawPixmap(place, picture)
        elif model.has_no_thumbnail(one.digest):
            painter.setPen(QColor(colours.muted))
            painter.drawText(room, Qt.AlignmentFlag.AlignCenter, tr("No preview"))
        painter.restore()

    def _paint_words(self, painter: QPainter, room: QRect, one: Description, font: QFont) -> None:
        colours = self._colours()
        small = QFont(font)
        small.setPixelSize(max(10, round(QFontInfo(font).pixelSize() * SMALL)))
        height = QFontMetrics(small).height()
        painter.setPen(QColor(colours.text if one.text.strip() else colours.muted))
        draw_lines(painter, room.adjusted(0, 0, 0, -height - 2), card_text(one), font)
        painter.setFont(small)
        painter.setPen(QColor(colours.muted))
        line = remarks(one, time.time())
        last = QFontMetrics(small).elidedText(line, Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, Qt.AlignmentFlag.AlignBottom | Qt.AlignmentFlag.AlignLeft, last)

    def _paint_pin(self, painter: QPainter, card: QRect) -> None:
        colours = self._colours()
        disc = QRect(card.right() - PIN - 12, card.top() + 7, PIN + 6, PIN + 6)
        painter.setPen(QPen(QColor(colours.border), 1))
        painter.setBrush(QColor(colours.card))
        painter.drawEllipse(disc)
        themed_icon("pin", dark=colours is DARK).paint(painter, disc.adjusted(4, 4, -4, -4))


def draw_lines(painter: QPainter, room: QRect, text: str, font: QFont) -> None:
    """A paragraph in as many lines as there is room for, the last one cut with an ellipsis."""
    metrics = QFontMetrics(font)
    most = max(room.height() // metrics.lineSpacing(), 1)
    option = QTextOption(Qt.AlignmentFlag.AlignLeft)
    option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
    layout = QTextLayout(text[: LINE_CHARS * most], font)
    layout.setTextOption(option)
    layout.beginLayout()
    painter.setFont(font)
    for number in range(most):
        line = layout.createLine()
        if not line.isValid():
            break
        line.setLineWidth(room.width())
        rest = text[line.textStart() :]
        is_cut = number == most - 1 and len(rest) > line.textLength()
        shown = metrics.elidedText(rest[:LINE_CHARS], Qt.TextElideMode.ElideRight, room.width()) if is_cut else rest
        y = room.top() + number * metrics.lineSpacing() + metrics.ascent()
        painter.drawText(room.left(), y, shown if is_cut else rest[: line.textLength()])
    layout.endLayout()


def _rounded_above(room: QRect) -> QPainterPath:
    """The room, with the card's roundness at its upper corners."""
    path = QPainterPath()
    path.addRoundedRect(QRectF(room.adjusted(0, 0, 0, int(RADIUS) * 2)), RADIUS - 1, RADIUS - 1)
    below = QPainterPath()
    below.addRect(QRectF(room))
    return path.intersected(below)
