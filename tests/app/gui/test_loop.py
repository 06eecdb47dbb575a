"""The loop itself: what it needs of asyncio and qasync, the order of callbacks and timers, threads."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import qasync
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from app.gui import loop as loop_module
from app.gui.loop import QtEventLoop, make_loop
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
