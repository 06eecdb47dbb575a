"""An instance that says what a test wants, and hears what it is told."""

from __future__ import annotations

import asyncio
import copy
from contextlib import asynccontextmanager
from pathlib import Path

from app.control.client import ControlError
from app.tui.app import ProxyTui
from proxy_core.server.runner import PortInUseError

NOW = 1_790_000_000.0

STATUS = {
    "pid": 4711,
    "kind": "headless",
    "version": "1.2.3",
    "started_at": NOW - 7500,
    "address": "127.0.0.1:5000",
    "server": "international",
    "servers": ["international", "cn"],
    "paused": False,
    "in_flight": 1,
    "last_error": "The server is busy (529).",
    "notices": ["PORT is set in the environment."],
    "requests": 120,
    "failures": 3,
    "input_tokens": 1_234_567,
    "cached_tokens": 800_000,
    "output_tokens": 45_678,
    "saved_tokens": 300_000,
}

ROW = {
    "id": "req_1",
    "started_at": NOW - 12,
    "door": "/v1/messages",
    "client": "claude-cli",
    "asked_model": "claude-sonnet-4",
    "served_model": "glm-4.6",
    "server": "international",
    "client_dialect": "anthropic",
    "upstream_dialect": "openai",
    "reason": "a picture",
    "stream": True,
    "outcome": "running",
    "status": 200,
    "error_kind": "",
    "error_message": "",
    "first_token_s": 0.85,
    "duration_s": 12.0,
    "input_tokens": 12_000,
    "cached_tokens": 8_000,
    "output_tokens": 512,
    "is_estimate": True,
    "saved_tokens": 4_000,
    "saved_by_stage": [["environment", 4000]],
}
DONE = ROW | {"id": "req_0", "outcome": "done", "is_estimate": False, "started_at": NOW - 60, "duration_s": 4.2}
FAILED = ROW | {
    "id": "req_f",
    "outcome": "failed",
    "status": 429,
    "started_at": NOW - 90,
    "duration_s": 0.3,
    "error_kind": "rate_limit",
    "error_message": "Too many requests at once.",
    "output_tokens": 0,
}

SAMPLES = [
    {"at": NOW - 60 + n, "requests_per_s": n % 5, "output_tokens_per_s": n * 10.0, "input_tokens_per_s": (n % 9) * 900}
    for n in range(60)
]

SERVERS = [
    {"name": "international", "plan": "coding", "region": "International", "current": True, "key": "stored"},
    {"name": "cn", "plan": "coding", "region": "China", "current": False, "key": "none"},
]
REACHES = [{"ok": True, "latency_ms": 42.0}, {"ok": False, "latency_ms": 3000.0, "message": "no answer within 3 s"}]

SETTINGS = [
    {
        "field": "port",
        "value": 5000,
        "text": "5000",
        "default": "5000",
        "allowed": "a whole number from 0 to 65535",
        "help": "Port to listen on.",
        "title": "Port",
        "group": "server",
        "live": False,
        "environment": ["PORT"],
    },
    {
        "field": "log_level",
        "value": "INFO",
        "text": "INFO",
        "default": "INFO",
        "allowed": "one of DEBUG, INFO, WARNING, ERROR, CRITICAL",
        "choices": ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"],
        "help": "The least that is logged: DEBUG, INFO, WARNING, ERROR or CRITICAL.",
        "title": "Log level",
        "group": "logging",
        "environment": ["LOG_LEVEL"],
        "origin": "config.yaml",
    },
]


class FakeVerbs:
    """heard: what was said, in order."""

    def __init__(self) -> None:
        self.heard: list[tuple[object, ...]] = []
        self.state = copy.deepcopy(STATUS)
        self.refusal: ControlError | None = None
        self.change_answer: dict[str, object] = {"applied": ["port"], "rebound": False, "address": "", "unsaved": {}}

    def _hear(self, *words: object) -> None:
        self.heard.append(words)
        if self.refusal is not None:
            raise self.refusal

    def pause(self):
        self._hear("pause")
        self.state["paused"] = True
        return self.state

    def resume(self):
        self._hear("resume")
        self.state["paused"] = False
        return self.state

    def switch(self, server):
        self._hear("switch", server)
        self.state["server"] = server
        return {**self.state, "fixed_by": ""}

    def settings(self):
        return {"settings": SETTINGS}

    def change(self, changes):
        self._hear("change", *changes.items())
        return self.change_answer

    def servers(self, *, reach=False):
        rows = [server | {"current": server["name"] == self.state["server"]} for server in SERVERS]
        return {"servers": [row | {"reach": far} for row, far in zip(rows, REACHES, strict=True)] if reach else rows}

    def test_key(self, server, key=""):
        self._hear("test_key", server)
        return {"ok": True, "status": 200, "message": "The key works.", "latency_ms": 321.4}

    def cancel(self, request_id):
        self._hear("cancel", request_id)

    def series(self, count=60):
        return {"samples": SAMPLES}


class FakeInstance:
    """tell() sends a snapshot; lose() ends the stream with an error."""

    def __init__(self) -> None:
        self.verbs = FakeVerbs()
        self.running = [ROW]
        self._queue: asyncio.Queue[object] = asyncio.Queue()
        self.tell(recent=[DONE, FAILED])

    async def ask(self, verb):
        return verb(self.verbs)

    def tell(self, **changes: object) -> None:
        snapshot = {"status": dict(self.verbs.state), "sample": SAMPLES[-1], "running": self.running, "recent": []}
        self._queue.put_nowait(copy.deepcopy(snapshot | changes))

    def lose(self, why: str = "The running instance was lost: reset") -> None:
        self._queue.put_nowait(ControlError(why))

    def finish(self) -> None:
        self._queue.put_nowait(None)

    async def events(self):
        while (item := await self._queue.get()) is not None:
            if isinstance(item, Exception):
                raise item
            yield item


class FakeHost:
    """Hosts `instance`, unless `fault` is set."""

    def __init__(self, instance: FakeInstance | None = None, fault: Exception | None = None) -> None:
        self.instance = instance
        self.fault = fault
        self.heard: list[str] = []
        self.runs = False

    async def begin(self, *, elsewhere: bool = False) -> None:
        self.heard.append("elsewhere" if elsewhere else "begin")
        if self.fault is not None and not elsewhere:
            raise self.fault
        self.runs = True

    async def end(self) -> None:
        self.heard.append("end")
        self.runs = False

    def cut(self) -> None:
        self.heard.append("cut")


def port_taken() -> PortInUseError:
    return PortInUseError("127.0.0.1", 5000, "taken")


def make_app(home: Path, instance: FakeInstance | None, host: FakeHost | None = None) -> ProxyTui:
    """A screen that finds `instance`, or what the host hosts."""
    host = host or FakeHost()

    async def find():
        return host.instance if host.runs and host.instance else instance

    return ProxyTui(home, find, host, clock=lambda: NOW)


def text_of(app: ProxyTui) -> str:
    """What is on the screen, line by line."""
    strips = app.screen._compositor.render_strips()
    return "\n".join(strip.text.rstrip() for strip in strips) + "\n"


async def expect_soon(pilot, condition, limit_s: float = 10.0) -> None:
    """Wait for something to become true; the test fails with the screen if it does not."""
    deadline = asyncio.get_running_loop().time() + limit_s
    while not condition():
        assert asyncio.get_running_loop().time() < deadline, text_of(pilot.app)
        await pilot.pause(0.02)


async def expect_words(pilot, *words: str) -> None:
    """Wait until all these words are on the screen."""
    await expect_soon(pilot, lambda: all(word in text_of(pilot.app) for word in words))


@asynccontextmanager
async def shown(
    home: Path, instance: FakeInstance | None = None, host: FakeHost | None = None, size=(80, 24), word="127.0.0.1:5000"
):
    """The pilot of a screen that shows `instance`."""
    async with make_app(home, instance, host).run_test(size=size) as pilot:
        if instance is not None:
            await expect_words(pilot, word)
        yield pilot
