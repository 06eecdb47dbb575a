"""The loop itself: order, timers, threads, state, failures, signals. What it does with sockets is beside this file."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import os
import signal
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import qasync
from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtWidgets import QApplication

from app.gui import loop as loop_module
from app.gui.loop import TURN_S, QtEventLoop, make_loop
from app.gui.loop_parts import turns_announced
from tests.app.gui.loops import loop_on

QASYNC_CLASSES = (qasync._QEventLoop, qasync._unix._SelectorEventLoop)


@pytest.fixture
def loop(qapp: QApplication) -> Iterator[QtEventLoop]:
    with loop_on(qapp) as loop:
        yield loop


def test_nothing_that_qasync_overrides_is_left_to_it() -> None:
    asyncio_has = {name for name in dir(asyncio.SelectorEventLoop) if not name.startswith("__")}
    overridden = {name for cls in QASYNC_CLASSES for name in vars(cls)} & asyncio_has
    assert len(overridden) > 20
    assert overridden <= vars(QtEventLoop).keys()


PRIVATE = {
    "waiting": ["_run_once", "_stopping", "_selector", "_process_events"],
    "arrivals": ["_ready", "_call_soon", "_add_callback", "_write_to_self"],
    "timers": ["_scheduled", "_timer_handle_cancelled", "_clock_resolution"],
    "signals": ["_csock", "_signal_handlers"],
    "debugging": ["_debug", "_current_handle"],
}


@pytest.mark.parametrize("name", [name for names in PRIVATE.values() for name in names])
def test_asyncio_still_has_the_private_names(name: str) -> None:
    plain = asyncio.SelectorEventLoop()
    plain.close()
    assert hasattr(plain, name)


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (asyncio.Handle, "_run"),
        (asyncio.Handle, "_cancelled"),
        (asyncio.base_events, "_format_handle"),
        (asyncio.tasks, "_enter_task"),
        (asyncio.tasks, "_leave_task"),
    ],
)
def test_asyncio_still_has_the_private_helpers(owner: object, name: str) -> None:
    assert hasattr(owner, name)


def test_our_attributes_hide_none_of_the_bases(loop: QtEventLoop) -> None:
    plain = asyncio.SelectorEventLoop()
    plain.close()
    ours = vars(loop).keys() - vars(plain).keys()
    assert ours
    assert not {name for name in ours if hasattr(qasync.QEventLoop, name)}


@pytest.mark.parametrize(("platform", "ours"), [("linux", True), ("darwin", False), ("win32", False)])
def test_platforms_without_tests_get_stock_qasync(
    qapp: QApplication, monkeypatch: pytest.MonkeyPatch, platform: str, ours: bool
) -> None:
    monkeypatch.setattr(loop_module.sys, "platform", platform)
    chosen = make_loop(qapp)
    chosen.close()
    assert isinstance(chosen, qasync.QEventLoop)
    assert isinstance(chosen, QtEventLoop) is ours


def test_callbacks_run_in_order_and_in_their_context(loop: QtEventLoop) -> None:
    who = contextvars.ContextVar("who", default="nobody")
    seen: list[tuple[int, str]] = []
    for number in range(3):
        who.set(f"caller {number}")
        loop.call_soon(lambda number=number: seen.append((number, who.get())))
    loop.call_soon(lambda: loop.call_soon(loop.stop))
    loop.run_forever()
    assert seen == [(0, "caller 0"), (1, "caller 1"), (2, "caller 2")]


def test_cancelled_callbacks_do_not_run(loop: QtEventLoop) -> None:
    seen: list[str] = []
    handles = [loop.call_soon(seen.append, "soon"), loop.call_later(0.001, seen.append, "later")]
    for handle in handles:
        handle.cancel()
    loop.call_later(0.01, loop.stop)
    loop.run_forever()
    assert seen == []
    assert all(handle.cancelled() for handle in handles)


def test_timers_run_by_their_time(loop: QtEventLoop) -> None:
    seen: list[float] = []
    delays = [0.03, 0.01, 0.0, 0.02, -1.0]
    for delay in delays:
        loop.call_later(delay, seen.append, delay)
    loop.call_at(loop.time() + 0.05, loop.stop)
    loop.run_forever()
    assert seen == sorted(delays)


def test_a_timer_tells_its_time_and_is_never_early(loop: QtEventLoop) -> None:
    ran_at: list[float] = []
    handle = loop.call_later(0.0125, lambda: ran_at.append(loop.time()))
    loop.call_later(0.03, loop.stop)
    loop.run_forever()
    assert abs(handle.when() - loop.time()) < 60
    assert ran_at[0] >= handle.when()


@pytest.mark.parametrize("delay", [40 * 24 * 3600.0, float("inf")])
def test_a_timer_may_be_further_than_qt_counts(loop: QtEventLoop, delay: float) -> None:
    far = loop.call_later(delay, loop.stop)
    assert loop.run_until_complete(asyncio.sleep(0.001, "near")) == "near"
    assert not far.cancelled()


def test_timers_keep_their_order_while_cancelled_ones_are_swept_out(loop: QtEventLoop) -> None:
    seen: list[float] = []
    start = loop.time() + 0.01
    moments = [start + number * 37 % 400 / 20_000 for number in range(400)]
    for moment in moments:
        loop.call_at(moment, seen.append, moment)
        for number in range(20):
            loop.call_at(moment + number / 1000, print).cancel()
    loop.call_at(start + 0.05, loop.stop)
    loop.run_forever()
    assert seen == sorted(moments)


def test_cancelled_timers_leave_nothing_behind(loop: QtEventLoop) -> None:
    async def rearm() -> None:
        for number in range(20_000):
            loop.call_later(300 + number % 7, print).cancel()
            if number % 1000 == 0:
                await asyncio.sleep(0)

    kept = [loop.call_later(200 + number, print) for number in range(50)]
    loop.run_until_complete(rearm())
    assert len(loop._scheduled) < 500
    assert set(kept) <= set(loop._scheduled)
    assert loop._scheduled[0] is kept[0]


def test_an_idle_loop_does_not_turn(loop: QtEventLoop) -> None:
    loop.call_later(300, print).cancel()
    loop.run_until_complete(asyncio.sleep(0.001))
    turns: list[None] = []
    thread = threading.Timer(0.2, lambda: loop.call_soon_threadsafe(loop.stop))
    thread.start()
    with turns_announced(lambda: turns.append(None)):
        loop.run_forever()
    thread.join()
    assert not loop._alarm.isActive()
    assert not loop._pulse.isActive()
    assert len(turns) < 20


def test_a_busy_loop_lets_qt_and_the_clock_have_their_turns(loop: QtEventLoop) -> None:
    reached: list[str] = []
    QTimer.singleShot(0, lambda: reached.append("Qt"))
    loop.call_later(0.005, reached.append, "timer")
    loop.call_later(0.001, loop.run_in_executor, None, reached.append, "thread")

    async def spin() -> None:
        while len(reached) < 3:
            await asyncio.sleep(0)

    loop.run_until_complete(asyncio.wait_for(spin(), 30))
    assert sorted(reached) == ["Qt", "thread", "timer"]


def test_small_callbacks_share_a_turn_of_qt(loop: QtEventLoop) -> None:
    turns: list[None] = []

    async def step(times: int) -> None:
        for _ in range(times):
            await asyncio.sleep(0)

    loop.run_until_complete(asyncio.sleep(0.01))
    with turns_announced(lambda: turns.append(None)):
        loop.run_until_complete(step(2000))
    assert len(turns) < 1000


def test_threads_wake_an_idle_loop_and_lose_no_call(loop: QtEventLoop) -> None:
    threads, calls = 8, 500
    seen: list[int] = []

    def call() -> None:
        for _ in range(calls):
            loop.call_soon_threadsafe(lambda: seen.append(threading.get_ident()))

    async def gather() -> None:
        await asyncio.gather(*(asyncio.to_thread(call) for _ in range(threads)))

    loop.run_until_complete(gather())
    assert len(seen) == threads * calls
    assert set(seen) == {threading.get_ident()}


def test_each_thread_safe_call_wakes_the_loop_by_itself(loop: QtEventLoop) -> None:
    async def ping_pong() -> int:
        rounds = 0
        for _ in range(200):
            answered = asyncio.Event()
            await asyncio.to_thread(loop.call_soon_threadsafe, answered.set)
            await answered.wait()
            rounds += 1
        return rounds

    assert loop.run_until_complete(asyncio.wait_for(ping_pong(), 30)) == 200


def test_work_goes_to_threads_and_comes_back(loop: QtEventLoop) -> None:
    async def work() -> list[object]:
        good = loop.run_in_executor(None, threading.get_ident)
        bad = loop.run_in_executor(None, int, "x")
        return await asyncio.gather(good, bad, return_exceptions=True)

    ident, failure = loop.run_until_complete(work())
    assert ident != threading.get_ident()
    assert isinstance(failure, ValueError)


def test_a_default_executor_of_ones_own_is_shut_down(loop: QtEventLoop) -> None:
    executor = ThreadPoolExecutor(1, thread_name_prefix="ours")
    loop.set_default_executor(executor)
    name = loop.run_until_complete(asyncio.to_thread(lambda: threading.current_thread().name))
    loop.run_until_complete(loop.shutdown_default_executor())
    assert name.startswith("ours")
    with pytest.raises(RuntimeError):
        executor.submit(print)


def test_async_generators_are_closed_at_the_end(loop: QtEventLoop) -> None:
    closed: list[bool] = []

    async def numbers() -> AsyncIterator[int]:
        try:
            yield 1
        finally:
            closed.append(True)

    generator = numbers()

    async def begin() -> int:
        return await anext(generator)

    assert loop.run_until_complete(begin()) == 1
    loop.run_until_complete(loop.shutdown_asyncgens())
    assert closed == [True]


def test_stop_lets_waiting_callbacks_run_and_keeps_later_ones(loop: QtEventLoop) -> None:
    seen: list[str] = []
    loop.call_soon(loop.stop)
    loop.call_soon(loop.stop)
    loop.call_soon(lambda: (seen.append("waiting"), loop.call_soon(seen.append, "later")))
    loop.run_forever()
    assert seen == ["waiting"]
    loop.stop()
    loop.run_forever()
    assert seen == ["waiting", "later"]


def test_a_callback_that_outlasts_its_turn_may_stop_the_loop(loop: QtEventLoop) -> None:
    seen: list[str] = []
    loop.call_soon(lambda: (time.sleep(2 * TURN_S), loop.stop()))
    loop.run_forever()
    loop.call_soon(lambda: (loop.call_soon(seen.append, "waiting"), loop.stop(), time.sleep(2 * TURN_S)))
    loop.run_forever()
    assert seen == ["waiting"]


def test_a_slot_may_stop_the_loop_and_it_may_run_again(loop: QtEventLoop) -> None:
    states: list[tuple[bool, bool]] = []
    for _ in range(3):
        QTimer.singleShot(
            1, lambda: (states.append((loop.is_running(), asyncio.get_running_loop() is loop)), loop.stop())
        )
        loop.run_forever()
        assert not loop.is_running()
    assert states == [(True, True)] * 3


def test_qt_may_end_the_loop(loop: QtEventLoop, qapp: QApplication) -> None:
    QTimer.singleShot(1, qapp.quit)
    pending = loop.create_future()
    with pytest.raises(RuntimeError, match="stopped before Future completed"):
        loop.run_until_complete(pending)
    assert loop.run_until_complete(asyncio.sleep(0, "again")) == "again"


@pytest.mark.parametrize("arrange", ["call_soon", "call_soon_threadsafe", "call_later"])
def test_nothing_runs_while_the_loop_is_stopped(loop: QtEventLoop, qapp: QApplication, arrange: str) -> None:
    seen: list[str] = []
    arguments = (0, seen.append, "x") if arrange == "call_later" else (seen.append, "x")
    getattr(loop, arrange)(*arguments)
    for _ in range(20):
        qapp.processEvents()
    assert seen == []
    loop.call_soon(loop.call_later, 0.005, loop.stop) if arrange == "call_later" else loop.stop()
    loop.run_forever()
    assert seen == ["x"]


def test_a_running_loop_can_be_neither_run_nor_closed(loop: QtEventLoop) -> None:
    async def misuse() -> None:
        with pytest.raises(RuntimeError, match="already running"):
            loop.run_until_complete(loop.create_future())
        with pytest.raises(RuntimeError, match="running event loop"):
            loop.close()

    loop.run_until_complete(misuse())
    assert not loop.is_closed()


def test_the_loop_does_not_start_inside_a_qt_loop(loop: QtEventLoop) -> None:
    caught: list[str] = []
    inner = QEventLoop()

    def start() -> None:
        with pytest.raises(RuntimeError) as refusal:
            loop.run_forever()
        caught.append(str(refusal.value))
        inner.quit()

    QTimer.singleShot(0, start)
    inner.exec()
    assert "already running" in caught[0]


def test_a_closed_loop_takes_no_work_and_is_collected(qapp: QApplication) -> None:
    loop = QtEventLoop(qapp)
    loop.call_later(300, print)
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    loop.close()
    assert not loop._alarm.isActive()
    assert not loop._notifier.isEnabled()
    for call in (loop.call_soon, loop.call_soon_threadsafe):
        with pytest.raises(RuntimeError, match="closed"):
            call(print)
    reference = weakref.ref(loop)
    del loop, call
    gc.collect()
    assert reference() is None


def test_an_exception_goes_to_the_handler_and_the_loop_goes_on(loop: QtEventLoop) -> None:
    contexts: list[dict[str, object]] = []
    loop.set_exception_handler(lambda _, context: contexts.append(context))
    loop.call_soon(int, "x")
    loop.call_later(0.001, int, "y")
    loop.run_until_complete(asyncio.sleep(0.01))
    assert [str(context["exception"])[-3:] for context in contexts] == ["'x'", "'y'"]
    assert loop.get_exception_handler() is not None


def test_without_a_handler_an_exception_is_logged(loop: QtEventLoop, caplog: pytest.LogCaptureFixture) -> None:
    loop.call_soon(int, "x")
    loop.run_until_complete(asyncio.sleep(0))
    assert "Exception in callback int(" in caplog.text


@pytest.mark.parametrize("failure", [SystemExit, KeyboardInterrupt])
@pytest.mark.parametrize("arrange", ["call_soon", "call_later", "call_soon_threadsafe", "add_reader", "task"])
def test_exits_stop_the_loop_and_are_raised_by_it(
    loop: QtEventLoop, failure: type[BaseException], arrange: str
) -> None:
    def leave() -> None:
        raise failure("now")

    async def leave_in_a_task() -> None:
        leave()

    arrangements: dict[str, Callable[[], object]] = {
        "call_later": lambda: loop.call_later(0.001, leave),
        "add_reader": lambda: (loop.add_reader(loop._ssock, leave), loop._csock.send(b"\0")),
        "task": lambda: loop.create_task(leave_in_a_task()).add_done_callback(lambda task: task.exception()),
    }
    arrangements.get(arrange, lambda: getattr(loop, arrange)(leave))()
    with pytest.raises(failure, match="now"):
        loop.run_forever()
    loop.remove_reader(loop._ssock)
    assert loop.run_until_complete(asyncio.sleep(0.002, "again")) == "again"


def test_debug_mode_names_slow_callbacks(loop: QtEventLoop, caplog: pytest.LogCaptureFixture) -> None:
    loop.set_debug(True)
    loop.slow_callback_duration = 0.001
    loop.call_soon(time.sleep, 0.002)
    loop.run_until_complete(asyncio.sleep(0))
    assert "Executing <Handle sleep(0.002)" in caplog.text
    assert f"created at {__file__}" in caplog.text


def test_debug_mode_refuses_calls_from_other_threads(loop: QtEventLoop) -> None:
    loop.set_debug(True)
    with pytest.raises(RuntimeError, match="Non-thread-safe"):
        loop.run_until_complete(asyncio.to_thread(loop.call_soon, print))


def test_subprocesses_work(loop: QtEventLoop) -> None:
    async def upper() -> tuple[bytes, int | None]:
        script = "import sys; sys.stdout.write(sys.stdin.read().upper()); sys.exit(3)"
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", script, stdin=pipe, stdout=pipe)
        out, _ = await process.communicate(b"hello")
        return out, process.returncode

    assert loop.run_until_complete(upper()) == (b"HELLO", 3)


PROGRAM = """
import asyncio, signal, sys
from PySide6.QtWidgets import QApplication
from app.gui.loop import QtEventLoop
app = QApplication([])
async def until_cancelled():
    print("idle", flush=True)
    try:
        await asyncio.Event().wait()
    finally:
        print("cleaned up")
async def until_signal(number):
    done = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(number, done.set)
    print("idle", flush=True)
    await done.wait()
    print("asked to end")
"""
ENDINGS = {
    "handled": "loop.run_until_complete(until_signal(signal.SIG{0})); loop.close()",
    "runner": "loop.close(); asyncio.Runner(loop_factory=lambda: QtEventLoop(app)).run(until_cancelled())",
    "bare": "loop.call_soon(print, 'idle'); loop.call_soon(sys.stdout.flush); loop.run_forever()",
}


@pytest.mark.parametrize(
    ("ending", "name", "output", "code"),
    [
        ("handled", "TERM", "asked to end", 0),
        ("handled", "INT", "asked to end", 0),
        ("runner", "INT", "cleaned up", -signal.SIGINT),
        ("bare", "INT", "", -signal.SIGINT),
        ("bare", "TERM", "", -signal.SIGTERM),
    ],
)
def test_signals_reach_an_idle_loop(ending: str, name: str, output: str, code: int) -> None:
    script = PROGRAM + "loop = QtEventLoop(app)\n" + ENDINGS[ending].format(name)
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "idle\n"
        process.send_signal(getattr(signal, f"SIG{name}"))
        out, _ = process.communicate(timeout=30)
    assert out.strip() == output
    assert process.returncode == code
