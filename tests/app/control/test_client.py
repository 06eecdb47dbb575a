from __future__ import annotations

import asyncio
import json
import os
import socket

import pytest

from app.control.client import ControlClient, ControlError, find_instance
from app.control.lock import InstanceRecord
from tests.app.control.hosts import Host


async def test_the_running_instance_is_found_and_obeys(host, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    client = await asyncio.to_thread(find_instance, host.home)
    status = await asyncio.to_thread(client.status)
    switched = await asyncio.to_thread(client.switch, "cn")
    await asyncio.to_thread(client.show)
    await asyncio.to_thread(client.stop)
    assert (status["pid"], status["server"], status["kind"], switched["server"]) == (os.getpid(), "demo", "tray", "cn")
    assert (host.heard, host.runtime.store.current.current_server) == (["show", "stop"], "cn")


@pytest.mark.parametrize(
    ("ask", "status", "words"),
    [
        (lambda client: client.switch("cnn"), 404, "Did you mean cn?"),
        (lambda client: client.switch(""), 400, "which server"),
        (lambda client: client.show(), 409, "runs headless"),
    ],
)
async def test_refusals_come_back_as_words(host, ask, status, words):
    host.has_window = False
    client = await asyncio.to_thread(find_instance, host.home)
    with pytest.raises(ControlError) as refused:
        await asyncio.to_thread(ask, client)
    assert (refused.value.status, words in str(refused.value)) == (status, True)


async def test_after_the_end_nobody_is_found(tmp_path):
    host = Host(tmp_path)
    await host.runtime.start()
    await host.stop()
    assert await asyncio.to_thread(find_instance, host.home) is None


def record(port: int) -> InstanceRecord:
    return InstanceRecord(os.getpid(), port, "127.0.0.1", "t", "0", 0.0, "tray")


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi", b"nonsense\r\n\r\n", None])
def test_a_left_over_record_counts_for_nothing(tmp_path, answer):
    holder = socket.create_server(("127.0.0.1", 0))
    port = holder.getsockname()[1]
    text = {"pid": os.getpid(), "port": port, "host": "127.0.0.1", "token": "t", "version": "0", "started_at": 0}
    (tmp_path / "runtime.json").write_text(json.dumps({**text, "kind": "tray"}))
    if answer is None:
        holder.close()
        assert find_instance(tmp_path) is None
        return
    with holder:
        client = ControlClient(record(port), limit_s=0.2)
        holder.settimeout(2)
        caught = ask_and_answer(client, holder, answer)
    assert isinstance(caught, ControlError)


def ask_and_answer(client: ControlClient, holder: socket.socket, answer: bytes) -> Exception | None:
    """What the client makes of an answer; b"": none at all."""
    import threading

    def serve() -> None:
        peer, _ = holder.accept()
        with peer:
            peer.recv(65_536)
            peer.sendall(answer)
            if not answer:
                peer.recv(1)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        client.status()
    except ControlError as error:
        return error
    finally:
        thread.join()
    return None
