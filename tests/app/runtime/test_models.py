"""Keeping up with what a server lists."""

from __future__ import annotations

import asyncio
import logging

from app.runtime.models import PERIOD_S, ModelWatch
from proxy_core.errors import UpstreamError
from proxy_core.settings import BUILTIN_SERVERS, Server

INTERNATIONAL, CN = BUILTIN_SERVERS
KEY = "a-key-that-no-pattern-knows"


class Scene:
    """A watch over scripted servers."""

    def __init__(self) -> None:
        self.server = INTERNATIONAL
        self.key: str | None = KEY
        self.now = 0.0
        self.asked: list[str] = []
        self.news = 0
        self.fault: UpstreamError | None = None
        self.watch = ModelWatch(lambda: self.server, self._key_of, self._ask, self._hear, lambda: self.now)

    async def _key_of(self, _name: str) -> str | None:
        return self.key

    async def _ask(self, server: Server, _key: str) -> tuple[str, ...]:
        self.asked.append(server.name)
        if self.fault:
            raise self.fault
        return (f"glm-of-{server.name}",)

    def _hear(self) -> None:
        self.news += 1


async def test_each_server_is_asked_once_an_hour() -> None:
    scene = Scene()
    for now, server in [(0, INTERNATIONAL), (1, INTERNATIONAL), (2, CN), (3, INTERNATIONAL), (PERIOD_S, INTERNATIONAL)]:
        scene.now, scene.server = now, server
        await scene.watch.look()
    assert (scene.asked, scene.news) == (["international", "cn", "international"], 3)
    assert scene.watch.models_of(CN) == ("glm-of-cn",)


async def test_without_a_key_nobody_is_asked_until_there_is_one() -> None:
    scene = Scene()
    scene.key = None
    await scene.watch.look()
    assert (scene.asked, scene.watch.models_of(INTERNATIONAL)) == ([], ())
    scene.key = KEY
    await scene.watch.look()
    assert scene.asked == ["international"]


async def test_a_failure_is_logged_and_keeps_what_was_known(caplog) -> None:
    caplog.set_level(logging.INFO)
    scene = Scene()
    await scene.watch.look()
    scene.now, scene.fault = PERIOD_S, UpstreamError(f"No, {KEY}.", status=404)
    await scene.watch.look()
    assert scene.watch.models_of(INTERNATIONAL) == ("glm-of-international",)
    assert "international does not list its models" in caplog.text
    assert KEY not in caplog.text


async def test_nothing_is_asked_before_the_first_nudge() -> None:
    scene = Scene()
    task = asyncio.get_running_loop().create_task(scene.watch.run())
    await asyncio.sleep(0)
    scene.server = CN
    scene.watch.nudge()
    for _ in range(5):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert scene.asked == ["cn"]
