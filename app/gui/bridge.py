"""The only crossing upwards: facts become Qt signals here, sampled by one timer, never pushed per event.

`AppState.snapshot()` is read ten times a second while the window shows, twice a second otherwise, and told on only
when its revision moved. Lists and curves come slower still, and only while somebody looks at them.
"""

from __future__ import annotations

from typing import Protocol

from PySide6.QtCore import QObject, QTimer, Signal

from app.state import Snapshot
from proxy_core.telemetry.rows import ExchangeRow
from proxy_core.telemetry.series import Sample, Series

WATCHED_MS = 100
UNWATCHED_MS = 500
ROWS_EVERY = 5
"""Of so many beats one refreshes the list: twice a second while the window shows."""
MAX_ROWS = 200


class State(Protocol):
    """What is asked of AppState."""

    def snapshot(self) -> Snapshot:
        """The facts as they stand; a new revision for every change."""


class Figures(Protocol):
    """What is asked of the meter."""

    series: Series

    def live_rows(self) -> tuple[ExchangeRow, ...]:
        """Running exchanges."""

    def recent(self, count: int = MAX_ROWS) -> tuple[ExchangeRow, ...]:
        """Ended exchanges, newest first."""


class Bridge(QObject):
    """Signals that carry frozen values. changed: Snapshot. listed: rows, newest first. sampled: all samples."""

    changed = Signal(object)
    listed = Signal(object)
    sampled = Signal(object)

    def __init__(self, state: State, figures: Figures, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._figures = figures
        self._snapshot = state.snapshot()
        self._told_revision = -1
        self._beats = 0
        self._rows: tuple[ExchangeRow, ...] = ()
        self._latest: Sample | None = None
        self._is_watched = False
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.beat)

    @property
    def snapshot(self) -> Snapshot:
        """The facts as last read."""
        return self._snapshot

    def start(self) -> None:
        """Begin to look, at once."""
        self._timer.start(UNWATCHED_MS)
        self.beat()

    def stop(self) -> None:
        """Look no more."""
        self._timer.stop()

    def watch(self, is_watched: bool) -> None:
        """The window shows, or does not: lists and curves are told only while it does."""
        self._is_watched = is_watched
        if self._timer.isActive():
            self._timer.start(WATCHED_MS if is_watched else UNWATCHED_MS)
        if is_watched:
            self._latest, self._rows, self._beats = None, (), 0
            self.beat()

    def beat(self) -> None:
        """Look once, and tell what is new."""
        self._tell_facts()
        if self._is_watched:
            self._tell_samples()
            if self._beats % ROWS_EVERY == 0:
                self._tell_rows()
            self._beats += 1

    def _tell_facts(self) -> None:
        self._snapshot = self._state.snapshot()
        if self._snapshot.revision != self._told_revision:
            self._told_revision = self._snapshot.revision
            self.changed.emit(self._snapshot)

    def _tell_samples(self) -> None:
        latest = self._figures.series.latest
        if latest is not None and latest is not self._latest:
            self._latest = latest
            self.sampled.emit(self._figures.series.samples())

    def _tell_rows(self) -> None:
        both = (*self._figures.live_rows(), *self._figures.recent())
        rows = tuple(sorted(both, key=lambda row: (row.started_at, row.id), reverse=True)[:MAX_ROWS])
        if rows != self._rows:
            self._rows = rows
            self.listed.emit(rows)
