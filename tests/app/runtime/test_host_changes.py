"""Changes of the settings that fail, or are cancelled, half-way: all of it holds, or nothing."""

from __future__ import annotations

import asyncio
import threading

import pytest

from proxy_core.server.runner import PortInUseError
from proxy_core.settings import Server
from tests.app.runtime.test_host import config_text, demo, no_space
from tests.app.runtimes import BrokenStore, free_port, make_runtime, taken_port

__all__ = ["demo"]


async def test_after_a_failed_start_a_failed_change_leaves_all_as_it_was(tmp_path, monkeypatch):
    holder, port = taken_port()
    runtime = make_runtime(tmp_path, config=f"port: {port}\n", dotenv="FOREIGN=1\n", secrets=BrokenStore())
    with holder, pytest.raises(PortInUseError):
        await runtime.start()
    runtime.pause()
    wanted = {"port": free_port(), "require_access_key": True}
    with monkeypatch.context() as patch:
        patch.setattr("app.settings.yamlfile.write_private", no_space)
        with pytest.raises(OSError, match="No space"):
            await runtime.apply(wanted)
    seen = runtime.state.snapshot()
    assert (runtime.proxy.address, runtime.access_key, seen.notices, seen.address) == (None, None, (), "")
    assert (runtime.store.current.port, runtime.proxy.paused) == (port, True)
    await runtime.apply({"port": 0})
    notices = runtime.state.snapshot().notices
    await runtime.stop()
    assert (runtime.access_key, ["names no setting" in notice for notice in notices]) == (None, [True])


async def test_a_change_that_is_cancelled_while_it_is_saved_holds_all_the_same(demo, monkeypatch):
    save, is_saving, gate = demo.store.save, asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def slow(*arguments: object) -> tuple[str, ...]:
        loop.call_soon_threadsafe(is_saving.set)
        gate.wait(10)
        return save(*arguments)

    monkeypatch.setattr(demo.store, "save", slow)
    asking = asyncio.gather(demo.apply({"port": (port := free_port()), "theme": "dark"}))
    await is_saving.wait()
    asking.cancel()
    await asyncio.sleep(0.01)
    gate.set()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert (demo.store.current.theme, demo.state.snapshot().address) == ("dark", f"127.0.0.1:{port}")
    assert config_text(demo) == f"port: {port}\ntheme: dark\n"


@pytest.mark.parametrize("is_added", [True, False])
async def test_a_change_of_the_servers_that_is_cancelled_is_shown_all_the_same(demo, monkeypatch, is_added):
    mine, loop = Server(name="mine", endpoint="https://mine.example"), asyncio.get_running_loop()
    is_saving, gate = asyncio.Event(), threading.Event()
    if not is_added:
        await demo.put_server(mine)
    edit = demo.servers._edit

    def slow(change: object) -> None:
        loop.call_soon_threadsafe(is_saving.set)
        gate.wait(10)
        edit(change)

    monkeypatch.setattr(demo.servers, "_edit", slow)
    asking = asyncio.gather(demo.put_server(mine) if is_added else demo.remove_server("mine"))
    await is_saving.wait()
    asking.cancel()
    await asyncio.sleep(0.01)
    gate.set()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert ("mine" in demo.state.snapshot().servers, "mine" in demo.servers.names()) == (is_added, is_added)
