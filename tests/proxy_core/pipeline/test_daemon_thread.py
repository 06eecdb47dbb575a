"""Work beside the loop: in turn, with its faults, and without anybody waiting at the end."""

from __future__ import annotations

import gc
import subprocess
import sys
import time
import weakref
from concurrent.futures import CancelledError
from functools import partial
from threading import Event, current_thread

import pytest

from proxy_core.pipeline.daemon_thread import DaemonThread

WAIT_S = 5
AN_END_WITH_WORK_RUNNING = """
import time
from proxy_core.pipeline.daemon_thread import DaemonThread
DaemonThread("t").submit(lambda: time.sleep(60))
time.sleep(0.05)
"""


class Conversation:
    """Something that must not be held longer than needed."""


def note_name(done: list[tuple[int, str]], number: int) -> None:
    done.append((number, current_thread().name))


def test_work_is_done_in_turn_by_one_thread() -> None:
    thread, done = DaemonThread("t"), list[tuple[int, str]]()
    futures = [thread.submit(partial(note_name, done, n)) for n in range(5)]
    for future in futures:
        future.result(WAIT_S)
    assert done == [(n, "t") for n in range(5)]
    thread.close()


@pytest.mark.parametrize("fault", [ValueError("no"), SystemExit(3)])
def test_a_fault_goes_to_who_waits_and_the_thread_lives_on(fault: BaseException) -> None:
    def fail() -> None:
        raise fault

    thread = DaemonThread("t")
    failed, next_one = thread.submit(fail), thread.submit(lambda: 7)
    assert failed.exception(WAIT_S) is fault
    assert next_one.result(WAIT_S) == 7
    thread.close()


def test_what_has_not_begun_can_be_cancelled() -> None:
    thread, gate, done = DaemonThread("t"), Event(), list[int]()
    thread.submit(lambda: gate.wait(WAIT_S))
    given_up = thread.submit(lambda: done.append(1))
    last = thread.submit(lambda: done.append(2))
    assert given_up.cancel()
    gate.set()
    last.result(WAIT_S)
    assert done == [2]
    thread.close()


def test_closing_drops_what_waits_and_takes_nothing_more() -> None:
    thread, begun, gate = DaemonThread("t"), Event(), Event()
    running = thread.submit(lambda: (begun.set(), gate.wait(WAIT_S))[1])  # type: ignore[func-returns-value]
    waiting = thread.submit(lambda: True)
    begun.wait(WAIT_S)
    thread.close()
    gate.set()
    assert running.result(WAIT_S)
    with pytest.raises(CancelledError):
        waiting.result(WAIT_S)
    with pytest.raises(RuntimeError, match="closed"):
        thread.submit(lambda: 1)


def test_nothing_is_held_when_it_is_done() -> None:
    thread, held = DaemonThread("t"), Conversation()
    trace = weakref.ref(held)
    thread.submit(lambda held=held: id(held)).result(WAIT_S)  # type: ignore[misc]
    del held
    until = time.monotonic() + WAIT_S
    while trace() is not None and time.monotonic() < until:
        gc.collect()
    assert trace() is None
    thread.close()


def test_the_program_ends_while_it_works() -> None:
    done = subprocess.run([sys.executable, "-c", AN_END_WITH_WORK_RUNNING], timeout=30, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
