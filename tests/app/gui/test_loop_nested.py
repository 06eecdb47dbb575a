"""Qt loops within the loop: a modal dialog, opened from wherever, stops neither tasks nor timers nor sockets."""

from __future__ import annotations

import asyncio
import contextvars
import socket
from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtWidgets import QApplication, QDialog

from app.gui.loop import QtEventLoop
from app.gui.loop_parts import turns_announced
from tests.app.gui.loops import loop_on, until


@pytest.fixture
def loop(qapp: QApplication) -> Iterator[QtEventLoop]:
    with loop_on(qapp) as loop:
        yield loop


class Modal:
    """Turns Qt's loop where it is opened, in one of three ways, until it is closed."""

    def __init__(self, kind: str) -> None:
        self.is_open = False
        self.was_opened = 0
        self._dialog = QDialog()
        self._inner = QEventLoop()
        self._turn: Callable[[], object] = {
            "dialog": self._dialog.exec,
            "event loop": self._inner.exec,
            "processEvents": self._process,
        }[kind]

    def open(self) -> None:
        self.is_open = True
        self.was_opened += 1
        self._turn()

    def close(self) -> None:
        self.is_open = False
        self._dialog.accept()
        self._inner.quit()

    def _process(self) -> None:
        while self.is_open:
            QApplication.processEvents()


async def do_everything(loop: QtEventLoop) -> list[str]:
    """A task that needs callbacks, timers, threads and sockets to come to its end."""
    await asyncio.sleep(0)
    await asyncio.sleep(0.001)
    await asyncio.to_thread(int)
    left, right = socket.socketpair()
    reader, writer = await asyncio.open_connection(sock=left)
    right.setblocking(False)
    writer.write(b"ping\n")
    assert await loop.sock_recv(right, 5) == b"ping\n"
    await loop.sock_sendall(right, b"pong\n")
    answer = await reader.readline()
    writer.close()
    right.close()
    children = [loop.create_task(asyncio.sleep(0, name)) for name in ("a", "b")]
    return [answer.decode().strip(), *await asyncio.gather(*children)]


def open_from(loop: QtEventLoop, place: str, modal: Modal) -> None:
    async def in_a_task() -> None:
        await asyncio.sleep(0)
        me = asyncio.current_task()
        modal.open()
        assert asyncio.current_task() is me
        await asyncio.sleep(0)

    {
        "call_soon": lambda: loop.call_soon(modal.open),
        "timer": lambda: loop.call_later(0.001, modal.open),
        "slot": lambda: QTimer.singleShot(0, modal.open),
        "task": lambda: loop.create_task(in_a_task()),
        "done callback": lambda: loop.create_task(asyncio.sleep(0)).add_done_callback(lambda _: modal.open()),
    }[place]()


@pytest.mark.parametrize("kind", ["dialog", "event loop", "processEvents"])
@pytest.mark.parametrize("place", ["call_soon", "timer", "slot", "task", "done callback"])
def test_everything_goes_on_while_a_modal_is_open(loop: QtEventLoop, place: str, kind: str) -> None:
    modal = Modal(kind)

    async def look_on() -> list[str]:
        await until(lambda: modal.is_open)
        results = await do_everything(loop)
        assert modal.is_open
        modal.close()
        return [*results, *await do_everything(loop)]

    open_from(loop, place, modal)
    assert loop.run_until_complete(asyncio.wait_for(look_on(), 30)) == ["pong", "a", "b"] * 2
    assert modal.was_opened == 1


def test_what_was_ready_before_the_modal_does_not_wait_for_its_end(loop: QtEventLoop) -> None:
    modal = Modal("dialog")
    loop.call_soon(modal.open)
    loop.call_soon(loop.call_soon, modal.close)
    loop.call_soon(loop.call_later, 0.001, loop.stop)
    loop.run_forever()
    assert modal.was_opened == 1
    assert not modal.is_open


def test_modals_within_modals_and_one_after_the_other(loop: QtEventLoop) -> None:
    first, second, third = Modal("dialog"), Modal("event loop"), Modal("dialog")

    async def open_two() -> None:
        first.open()
        third.open()

    async def look_on() -> list[str]:
        outer = loop.create_task(open_two())
        await asyncio.sleep(0.001)
        loop.call_soon(second.open)
        answers = await do_everything(loop)
        second.close()
        first.close()
        await until(lambda: third.is_open)
        answers += await do_everything(loop)
        third.close()
        await outer
        return answers

    assert loop.run_until_complete(asyncio.wait_for(look_on(), 30)) == ["pong", "a", "b"] * 2


def test_the_task_and_the_context_that_opened_a_modal_are_found_again(loop: QtEventLoop) -> None:
    name = contextvars.ContextVar("name", default="")
    modal = Modal("dialog")

    async def opener() -> tuple[bool, str]:
        name.set("opener")
        me = asyncio.current_task()
        loop.call_soon(asyncio.current_task, context=contextvars.Context())
        modal.open()
        return asyncio.current_task() is me, name.get()

    async def other() -> tuple[bool, str]:
        name.set("other")
        await asyncio.sleep(0.001)
        was_open = modal.is_open
        modal.close()
        return was_open, name.get()

    async def both() -> list[tuple[bool, str]]:
        return await asyncio.gather(opener(), other())

    assert loop.run_until_complete(both()) == [(True, "opener"), (True, "other")]


def test_a_reader_that_opens_a_modal_is_not_called_within_it(loop: QtEventLoop) -> None:
    left, right = socket.socketpair()
    modal = Modal("dialog")
    depths: list[int] = []
    turns: list[None] = []
    failures: list[object] = []
    loop.set_exception_handler(lambda _, context: failures.append(context))

    def read() -> None:
        depths.append(modal.is_open)
        modal.open()
        left.recv(1)

    async def look_on() -> list[str]:
        right.send(b"xy")
        loop.add_reader(left, read)
        await until(lambda: modal.is_open)
        with turns_announced(lambda: turns.append(None)):
            await asyncio.sleep(0.1)
            answers = await do_everything(loop)
        modal.close()
        await until(lambda: len(depths) == 2)
        loop.remove_reader(left)
        modal.close()
        return answers

    with left, right:
        assert loop.run_until_complete(asyncio.wait_for(look_on(), 30)) == ["pong", "a", "b"]
    assert depths == [False, False]
    assert failures == []
    assert len(turns) < 300
    assert not loop._pulse.isActive()
    assert loop._notifier.isEnabled()


def test_stopping_the_loop_closes_the_modals_in_it(loop: QtEventLoop) -> None:
    modals = [Modal("dialog"), Modal("event loop")]
    loop.call_soon(modals[0].open)
    loop.call_later(0.001, modals[1].open)
    loop.call_later(0.005, loop.stop)
    loop.run_forever()
    assert [modal.was_opened for modal in modals] == [1, 1]
    assert loop.run_until_complete(asyncio.sleep(0.002, "again")) == "again"


def test_an_exit_within_a_modal_is_raised_by_the_loop(loop: QtEventLoop) -> None:
    def leave() -> None:
        raise SystemExit(4)

    loop.call_soon(Modal("dialog").open)
    loop.call_later(0.001, leave)
    with pytest.raises(SystemExit):
        loop.run_forever()
    assert loop.run_until_complete(asyncio.sleep(0.002, "again")) == "again"
