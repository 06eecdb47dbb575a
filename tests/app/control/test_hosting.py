from __future__ import annotations

from app.control.hosting import host_runtime
from app.control.lock import read_record
from app.control.routes import Face
from app.secrets import MemoryStore
from tests.app.control.hosts import Host
from tests.app.homes import load_home


async def test_the_record_follows_the_listener(tmp_path):
    host = Host(tmp_path)
    before = read_record(host.home)
    await host.runtime.start()
    first = read_record(host.home)
    await host.runtime.apply({"host": "127.0.0.2"})
    second = read_record(host.home)
    await host.runtime.stop()
    last = read_record(host.home)
    await host.stop()
    assert (before, first.host, second.host, last) == (None, "127.0.0.1", "127.0.0.2", None)
    assert (first.kind, first.token) == ("tray", host.claim.token)


async def test_without_the_folder_there_is_no_control_and_no_record(tmp_path):
    loaded = load_home(tmp_path, config="port: 0\n")
    face = Face("headless", show=lambda: False, stop=lambda: None)
    runtime = host_runtime(loaded.home, loaded, demo=False, secrets=MemoryStore(), face=face, claim=None)
    await runtime.start()
    await runtime.stop()
    assert not (loaded.home / "runtime.json").exists()


async def test_a_record_that_cannot_be_written_is_said_and_the_proxy_runs(tmp_path, caplog):
    host = Host(tmp_path)
    (host.home / "runtime.json").mkdir()
    await host.runtime.start()
    address = host.runtime.proxy.address
    (host.home / "runtime.json").rmdir()
    await host.stop()
    assert address is not None
    assert any("runtime.json cannot be written" in record.message for record in caplog.records)
