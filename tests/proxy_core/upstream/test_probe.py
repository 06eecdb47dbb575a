from __future__ import annotations

import asyncio

from proxy_core.settings import Server
from proxy_core.upstream.probe import EVERY_S, Probe
from proxy_core.upstream.trial import KeyTrial

SERVER, OTHER = Server(name="a"), Server(name="b")


class Asked:
    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []
        self.gate = asyncio.Event()
        self.now = 1000.0
        self.probe = Probe(self.ask, lambda: self.now)

    async def ask(self, server: Server, key: str) -> KeyTrial:
        self.calls.append((server.name, key))
        await self.gate.wait()
        return KeyTrial(True, 200, "yes", 1.0)


async def test_it_asks_again_only_after_a_while_or_about_something_else() -> None:
    asked = Asked()
    asked.gate.set()
    for wait_s, server, key in (
        (0, SERVER, "k"),
        (EVERY_S - 1, SERVER, "k"),
        (1, SERVER, "k"),
        (0, OTHER, "k"),
        (0, OTHER, "l"),
    ):
        asked.now += wait_s
        await asked.probe.look(server, key)
    assert asked.calls == [("a", "k"), ("a", "k"), ("b", "k"), ("b", "l")]


async def test_who_leaves_spoils_it_for_nobody() -> None:
    asked = Asked()
    async with asyncio.TaskGroup() as group:
        leaving = group.create_task(asked.probe.look(SERVER, "k"))
        staying = group.create_task(asked.probe.look(SERVER, "k"))
        await asyncio.sleep(0)
        leaving.cancel()
        await asyncio.sleep(0)
        asked.gate.set()
    assert (staying.result().trial.ok, len(asked.calls)) == (True, 1)
