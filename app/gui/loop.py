"""asyncio on Qt's event loop: windows, sockets and tasks share one thread and one wait.

`QtEventLoop` is a `qasync.QEventLoop` by class (so `asyncSlot` and `isinstance` hold) and an asyncio loop by
behaviour. Stock qasync starts a Qt timer for every callback and for every readiness of a socket, and never stops the
timer of a cancelled handle; it costs two to four times plain asyncio and slows down with its age. Here:

* callbacks wait in asyncio's own deque, run as soon as Qt gives us a turn, for at most `TURN_S` of each turn;
* timers wait in asyncio's own heap, with one QTimer for the earliest;
* sockets stay in asyncio's own epoll selector, and Qt watches the selector: the cost of a turn does not grow with the
  number of connections, as it does where Qt polls one notifier for each.

Of qasync no code runs: whatever it overrides is given back to asyncio or replaced. Private API of asyncio, used where
there is no public way in (a test fails if one of these goes, or if qasync overrides something new):

* `_run_once` is replaced whole: it is where asyncio would wait. `run_forever` around it stays asyncio's.
* `_call_soon`, `_add_callback`, `_write_to_self`: where callbacks arrive, so that Qt must be woken.
* `_timer_handle_cancelled`, `_scheduled`: word of a cancelled timer, and the heap it is in.
* `_ready`, `_stopping`, `_selector`, `_process_events`, `Handle._run`: used as asyncio's `_run_once` uses them.
* `_csock`, `_signal_handlers`: the self-pipe, and whether it is asyncio that listens to signals already.
* `_enter_task`, `_leave_task`: while a task has a modal dialog open, other tasks must run.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import math
import selectors
import signal
import sys
import threading
from asyncio import base_events
from asyncio.log import logger
from collections import deque
from collections.abc import Callable, Iterator
from contextvars import Context
from time import monotonic

# Before qasync: it takes the Qt binding that is already imported.
import PySide6.QtCore as QtCore
import qasync
from PySide6.QtWidgets import QApplication

from app.gui.loop_parts import Bell, interrupts_caught, single_shot, turns_announced

OUR_PLATFORMS = frozenset({"linux"})
"""Values of `sys.platform` on which `QtEventLoop` is tested; all others get stock qasync."""

TURN_S = 0.002
"""How long asyncio's callbacks may keep Qt from its own events, in one turn of Qt's loop."""

_LONGEST_WAIT_MS = 24 * 3600 * 1000
_SWEEP_AT = 100
_PULSE_MS = 10
_Asyncio = asyncio.SelectorEventLoop


def make_loop(app: QApplication) -> asyncio.AbstractEventLoop:
    """The loop for the tray program on this platform; the caller runs and closes it."""
    loop: asyncio.AbstractEventLoop = QtEventLoop(app) if sys.platform in OUR_PLATFORMS else qasync.QEventLoop(app)
    return loop


def _given_back(*names: str) -> Callable[[type], type]:
    """Undo what qasync overrides: exceptions, contexts, debug mode, executors and state are right in asyncio."""

    def give_back(loop: type) -> type:
        for name in names:
            setattr(loop, name, getattr(_Asyncio, name))
        return loop

    return give_back


@_given_back("run_forever", "run_until_complete", "is_running", "time", "get_debug", "set_debug")
@_given_back("call_soon", "call_soon_threadsafe", "call_later", "run_in_executor", "set_default_executor")
@_given_back("set_exception_handler", "default_exception_handler", "call_exception_handler")
@_given_back("_add_reader", "_remove_reader", "_add_writer", "_remove_writer")
class QtEventLoop(qasync.QEventLoop):  # type: ignore[misc]  # qasync has no type information
    """An asyncio loop that waits in `QApplication.exec`.

    Callbacks run only between `run_forever` and `stop`, never when somebody else turns Qt's loop. While they run, Qt
    may be turned again from within (a modal dialog): tasks, timers and sockets then go on inside the nested loop.
    """

    # asyncio's, for the type checker.
    _scheduled: list[asyncio.TimerHandle]
    _ready: deque[asyncio.Handle]
    _current_handle: asyncio.Handle | None

    def __init__(self, app: QApplication) -> None:
        self._app = app
        self._is_open = False  # callbacks may run
        self._is_inside = False  # a callback is running, and Qt has not been turned since it began
        self._is_awake = False  # a new callback will be noticed without waking Qt
        self._turn_ends = 0.0  # 0: nothing has run in this turn of Qt's loop
        self._due = 0  # so many of the ready callbacks must run before the selector is asked again
        self._armed_for = math.inf
        self._cancels = 0  # of timers, since the last sweep
        self._failure: BaseException | None = None
        self._running: asyncio.Handle | None = None
        self._held: list[asyncio.Handle] = []  # of sockets, whose callbacks wait for a nested Qt loop to end
        self._bell = Bell(self._enter)
        self._alarm = single_shot(self._on_alarm)
        selector = selectors.EpollSelector()
        self._notifier = QtCore.QSocketNotifier(selector.fileno(), QtCore.QSocketNotifier.Type.Read)
        self._notifier.activated.connect(self._on_readiness)
        self._pulse = QtCore.QTimer(interval=_PULSE_MS)
        self._pulse.timeout.connect(self._on_readiness)
        _Asyncio.__init__(self, selector)

    def stop(self) -> None:
        """End `run_forever` once the callbacks that are already waiting have run."""
        self._stopping = True
        self._due = len(self._ready)
        self._wake()

    def close(self) -> None:
        """Let go of sockets and timers. Raises RuntimeError while the loop runs; the second call does nothing."""
        _Asyncio.close(self)
        self._notifier.setEnabled(False)
        self._alarm.stop()

    def call_at(
        self, when: float, callback: Callable[..., object], *args: object, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """As asyncio's; `when` is in seconds of `time()`."""
        handle = _Asyncio.call_at(self, when, callback, *args, context=context)
        if when < self._armed_for:
            self._arm()
        return handle

    def _run_once(self) -> None:
        """What `run_forever` repeats until stopped: here one stay in Qt, which ends when asyncio or Qt is to stop."""
        if QtCore.QThread.currentThread().loopLevel():
            raise RuntimeError("Qt's event loop is already running; asyncio cannot start a second one in it")
        with turns_announced(self._on_turn), self._signals_heard():
            self._open()
            try:
                self._app.exec()
            finally:
                self._is_open = False
        self._stopping = True  # also after QApplication.quit()
        self._raise_failure()

    def _open(self) -> None:
        self._is_open = True
        self._notifier.setEnabled(True)
        self._arm()
        self._is_awake = False
        self._wake()

    def _leave(self, failure: BaseException | None = None) -> None:
        """Make Qt return from `exec`, nested loops included; `failure` is raised by `run_forever` then."""
        self._failure = self._failure or failure
        self._is_open = False
        self._app.exit()

    def _raise_failure(self) -> None:
        failure, self._failure = self._failure, None
        try:
            if failure is not None:
                raise failure
        finally:
            del failure  # its traceback holds this frame

    def _enter(self, first: Callable[[], None] | None = None) -> bool:
        """Qt lets asyncio run: `first`, then what is ready, as far as the turn's time reaches. False if it may not.

        All slots end here: an exception that left one would be printed by Qt's bindings, or end the process.
        """
        if not self._is_open:
            return False
        opener = asyncio.current_task(self)  # the task that opened the nested Qt loop we are in, if any
        if opener is not None:
            asyncio.tasks._leave_task(self, opener)
        self._is_inside = self._is_awake = True
        try:
            if first is not None:
                first()
            self._run_ready()
        except (SystemExit, KeyboardInterrupt) as failure:
            self._leave(failure)
        finally:
            self._running = None
            if opener is not None:
                asyncio.tasks._enter_task(self, opener)
            self._step_out()
        return True

    def _step_out(self) -> None:
        # In this order: a thread that saw us awake has added its callback before we look.
        self._is_inside = self._is_awake = False
        if self._is_open and (self._ready or self._stopping):
            self._wake()

    def _on_turn(self) -> None:
        self._turn_ends = 0.0
        if self._is_inside:  # a callback turns Qt's loop itself; what waits behind it must not wait for its end
            self._hold()
            self._step_out()

    def _run_ready(self) -> None:
        ready = self._ready
        self._turn_ends = self._turn_ends or monotonic() + TURN_S
        while ready and not (self._stopping and self._due <= 0):
            self._due -= 1
            handle = ready.popleft()
            if not handle._cancelled:
                self._run_handle(handle)
            if monotonic() > self._turn_ends:
                return
        if self._stopping:
            self._leave()

    def _run_handle(self, handle: asyncio.Handle) -> None:
        self._running = handle
        try:
            if self._debug:
                self._run_timed(handle)
            else:
                handle._run()
        finally:
            if self._held:
                self._release(handle)

    def _run_timed(self, handle: asyncio.Handle) -> None:
        outer, self._current_handle = self._current_handle, handle
        began = monotonic()
        try:
            handle._run()
        finally:
            self._current_handle = outer
        took = monotonic() - began
        if took >= self.slow_callback_duration:
            logger.warning("Executing %s took %.3f seconds", base_events._format_handle(handle), took)  # type: ignore[attr-defined]  # not in typeshed

    def _on_readiness(self) -> None:
        if not self._enter(self._collect_ready_sockets):
            self._notifier.setEnabled(False)  # until `_open`: it would keep busy whoever turns Qt's loop

    def _collect_ready_sockets(self) -> None:
        if self._due > 0:
            return  # those of last time still wait
        events = self._selector.select(0)
        if self._held:
            events = [(key, mask) for key, mask in events if not any(handle in self._held for handle in key.data)]
        self._process_events(events)
        self._due = len(self._ready)

    def _hold(self) -> None:
        """A callback has opened a nested Qt loop. If it is a socket's it cannot be called again until it returns.

        Its socket may stay ready all the time, so the selector is then asked at intervals instead of being watched.
        """
        running = self._running
        if running is not None and any(running in key.data for key in self._selector.get_map().values()):
            self._held.append(running)
            self._notifier.setEnabled(False)
            self._pulse.start()

    def _release(self, handle: asyncio.Handle) -> None:
        if handle in self._held:
            self._held.remove(handle)
        if not self._held:
            self._pulse.stop()
            self._notifier.setEnabled(True)

    def _wake(self) -> None:
        """Have Qt enter asyncio soon. From any thread."""
        if not self._is_awake:
            self._is_awake = True
            self._bell.ring()

    def _call_soon(
        self, callback: Callable[..., object], args: tuple[object, ...], context: Context | None
    ) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        made_at = handle._source_traceback  # type: ignore[attr-defined]  # not in typeshed
        if made_at:
            del made_at[-1]
        self._ready.append(handle)
        if not self._is_awake:
            self._wake()
        return handle

    def _add_callback(self, handle: asyncio.Handle) -> None:
        self._ready.append(handle)
        self._wake()

    def _write_to_self(self) -> None:
        """Nothing: `_call_soon` and `_add_callback` wake Qt from any thread."""

    def _arm(self) -> None:
        """Set the one QTimer to the earliest timer that is not cancelled."""
        scheduled = self._scheduled
        while scheduled and scheduled[0].cancelled():
            heapq.heappop(scheduled)
        if scheduled:
            self._armed_for = scheduled[0].when()
            wait_ms = math.ceil(min((self._armed_for - self.time()) * 1000, _LONGEST_WAIT_MS))
            self._alarm.start(max(0, wait_ms))

    def _on_alarm(self) -> None:
        self._armed_for = math.inf
        self._enter(self._collect_due)

    def _collect_due(self) -> None:
        due = self.time() + self._clock_resolution
        while self._scheduled and self._scheduled[0].when() < due:
            self._ready.append(heapq.heappop(self._scheduled))
        self._arm()  # before they run: a nested loop keeps time too

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Called by `TimerHandle.cancel`. Swept when half of the heap may be cancelled: constant cost per timer."""
        self._cancels += 1
        if self._cancels > max(_SWEEP_AT, len(self._scheduled) // 2):
            self._cancels = 0
            self._scheduled = [timer for timer in self._scheduled if not timer.cancelled()]
            heapq.heapify(self._scheduled)

    @contextlib.contextmanager
    def _signals_heard(self) -> Iterator[None]:
        """While Qt waits, Python code sees no signal: let each one write to asyncio's self-pipe, which wakes us."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        wakeup_fd = signal.set_wakeup_fd(self._csock.fileno())
        try:
            with interrupts_caught(self._on_interrupt):
                yield
        finally:
            if not self._signal_handlers:
                signal.set_wakeup_fd(wakeup_fd)

    def _on_interrupt(self, failure: KeyboardInterrupt) -> None:
        if self._failure is not None:
            raise failure  # Ctrl-C for the second time: a callback may hang
        self._leave(failure)
