"""The life of the loop: run, stop, run again, close; what it does with failures, in debug mode and on signals."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import subprocess
import sys
import time
import weakref
from collections.abc import AsyncIterator, Callable, Iterator

import pytest
from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtWidgets import QApplication

from app.gui.loop import TURN_S, QtEventLoop
from tests.app.gui.loops import loop_on


@pytest.fixture
def loop(qapp: QApplication) -> Iterator[QtEventLoop]:
    with loop_on(qapp) as loop:
        yield loop


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
    loop.call_later(0.01, lambda: (time.sleep(2 * TURN_S), loop.stop()))
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
