"""What the loop needs of Qt: a bell that any thread may ring, a timer, word of each turn of Qt's loop, and Ctrl-C."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Iterator
from types import FrameType

from PySide6.QtCore import QAbstractEventDispatcher, QCoreApplication, QEvent, QObject, Qt, QTimer

_RING = QEvent.Type(QEvent.registerEventType())


class Bell(QObject):
    """Brings a call into the GUI thread, from any thread, as an event in Qt's queue."""

    def __init__(self, answer: Callable[[], object]) -> None:
        super().__init__()
        self._answer = answer

    def ring(self) -> None:
        """Have `answer` called soon, in the thread that made the bell."""
        QCoreApplication.postEvent(self, QEvent(_RING))

    def customEvent(self, event: QEvent) -> None:
        """Qt's word for: an event of our own has come to its turn."""
        self._answer()


def single_shot(slot: Callable[[], None]) -> QTimer:
    """A timer of millisecond precision that fires once for each `start`."""
    timer = QTimer()
    timer.setSingleShot(True)
    timer.setTimerType(Qt.TimerType.PreciseTimer)
    timer.timeout.connect(slot)
    return timer


@contextlib.contextmanager
def turns_announced(slot: Callable[[], None]) -> Iterator[None]:
    """Have Qt call `slot` in every turn of its loop before it waits or looks for events, nested loops included.

    Which of the two signals comes first differs between Qt's dispatchers (GLib's and the plain Unix one).
    """
    dispatcher = QAbstractEventDispatcher.instance()
    dispatcher.aboutToBlock.connect(slot)
    dispatcher.awake.connect(slot)
    try:
        yield
    finally:
        dispatcher.awake.disconnect(slot)
        dispatcher.aboutToBlock.disconnect(slot)


@contextlib.contextmanager
def interrupts_caught(on_interrupt: Callable[[KeyboardInterrupt], None]) -> Iterator[None]:
    """Hand over what the handler of Ctrl-C raises: Python calls it within any slot, and Qt's bindings only print."""
    handler = signal.getsignal(signal.SIGINT)
    if not callable(handler):
        yield
        return

    def catch(signum: int, frame: FrameType | None) -> None:
        try:
            handler(signum, frame)
        except KeyboardInterrupt as interrupt:
            on_interrupt(interrupt)

    signal.signal(signal.SIGINT, catch)
    try:
        yield
    finally:
        if signal.getsignal(signal.SIGINT) is catch:
            signal.signal(signal.SIGINT, handler)
