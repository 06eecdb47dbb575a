"""The real tray program as a process, and what a person and a client can do with it."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from pathlib import Path

from tests.desktop.screen import Place, click, places, press, take_picture, wait_for

ROOT = Path(__file__).parents[2]
ICON_WIDTH = 64
MENU_SERVERS = ("international", "cn", "demo")


class TrayProgram:
    """`anthropic-proxy --demo` with a data folder of its own, on a screen with a tray host."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.process = self._start()

    def _start(self, *more: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "app", "--demo", "--home", str(self.home), *more]
        return subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)

    def start_again(self) -> int:
        """A second start beside the first; its exit code."""
        second = self._start()
        second.communicate(timeout=60)
        return second.returncode

    def windows(self) -> list[Place]:
        """What it shows, the icon included."""
        return places("--onlyvisible", "--pid", str(self.process.pid))

    def icon(self) -> Place:
        """Its tray icon, once it is there."""
        return wait_for(lambda: next((w for w in self.windows() if w.width < ICON_WIDTH), None), "tray icon")

    def titled(self, title: str) -> Place | None:
        """Its visible window of this title."""
        found = {place.window for place in places("--onlyvisible", "--name", title)}
        return next((w for w in self.windows() if w.window in found and w.width >= ICON_WIDTH), None)

    def choose(self, *keys: str, picture: Path | None = None) -> None:
        """Open the tray menu with the right button, and walk through it by keyboard."""
        before = {place.window for place in self.windows()}
        click(self.icon(), 3)
        wait_for(lambda: [w for w in self.windows() if w.window not in before], "tray menu")
        if picture:
            take_picture(picture)
        press(*keys)

    def choose_server(self, name: str) -> None:
        """Servers are the first things in the menu that can be chosen."""
        self.choose(*["Down"] * (MENU_SERVERS.index(name) + 1), "Return")

    def facts(self) -> dict[str, object]:
        """What /health says."""
        return self._get("/health")

    def notices(self) -> object:
        """What it has to say to its user."""
        return self._get("/control/v1/status")["notices"]

    def _get(self, path: str) -> dict[str, object]:
        request = urllib.request.Request(f"{self.url()}{path}")
        request.add_header("authorization", f"Bearer {self._record()['token']}")
        with urllib.request.urlopen(request, timeout=5) as reply:
            facts = json.load(reply)
        assert isinstance(facts, dict)
        return facts

    def _record(self) -> dict[str, object]:
        file = self.home / "runtime.json"
        wait_for(file.exists, "runtime.json")
        record = json.loads(file.read_text())
        assert isinstance(record, dict)
        return record

    def url(self) -> str:
        """Where it listens, once it does."""
        return f"http://127.0.0.1:{self._record()['port']}"

    def ask(self, text: str) -> tuple[int, str]:
        """One streamed request in the Anthropic dialect: status and everything that came."""
        body = {"model": "claude-sonnet-4-5", "max_tokens": 400, "stream": True}
        body["messages"] = [{"role": "user", "content": text}]
        request = urllib.request.Request(f"{self.url()}/v1/messages", json.dumps(body).encode(), method="POST")
        request.add_header("content-type", "application/json")
        with urllib.request.urlopen(request, timeout=60) as reply:
            return reply.status, reply.read().decode()
