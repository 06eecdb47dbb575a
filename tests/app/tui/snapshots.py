"""What the screen shows, as text in tests/data/tui. After a wanted change: python -m tests.app.tui.snapshots"""

from __future__ import annotations

import asyncio
import json
import os
import re
import tempfile
import time
from pathlib import Path

from app.i18n import set_language
from app.paths import resources
from tests.app.tui.fakes import FakeInstance, expect_words, shown, text_of

FOLDER = Path(__file__).parents[2] / "data" / "tui"
SIZE = (80, 24)
LOG = [
    {"timestamp": "2026-09-21T14:13:01.000Z", "level": "info", "event": "Listening on 127.0.0.1:5000"},
    {
        "timestamp": "2026-09-21T14:13:02.000Z",
        "level": "warning",
        "event": "The server is busy.",
        "request_id": "req_f",
    },
    {"timestamp": "2026-09-21T14:13:03.000Z", "level": "debug", "event": "not shown at first"},
]
# name: keys to press, what must be seen then, language, size.
SHOTS: dict[str, tuple[tuple[str, ...], str, str, tuple[int, int]]] = {
    "status": (("1",), "97.5", "en", SIZE),
    "live": (("2",), "·····", "en", SIZE),
    "requests": (("3",), "12.0 s", "en", SIZE),
    "requests-detail": (("3", "enter"), "environment", "en", SIZE),
    "requests-cancel": (("3", "x"), "?", "en", SIZE),
    "servers": (("4",), "42 ms", "en", SIZE),
    "logs": (("5",), "busy", "en", SIZE),
    "config": (("6",), "Log level", "en", SIZE),
    "config-edit": (("6", "down", "enter"), "CRITICAL", "en", SIZE),
    "help": (("question_mark",), "Tab", "en", SIZE),
    "status-zh": (("1",), "127.0.0.1", "zh_CN", SIZE),
    "requests-zh": (("3",), "12.0 s", "zh_CN", SIZE),
    "servers-zh": (("4",), "42 ", "zh_CN", SIZE),
    "requests-wide": (("3",), "4.0k", "en", (130, 30)),
}


async def take(name: str, home: Path) -> str:
    """The screen of this name."""
    keys, word, language, size = SHOTS[name]
    set_language(language, resources() / "locale")
    path = home / "logs" / "application.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(line) + "\n" for line in LOG))
    async with shown(home, FakeInstance(), size=size) as pilot:
        for key in keys:
            await pilot.press(key)
        await expect_words(pilot, word)
        await pilot.pause()
        return re.sub(r" · /\S+", " · PATH", text_of(pilot.app))


def main() -> None:
    """Write all of them anew."""
    os.environ["TZ"] = "UTC"
    time.tzset()
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in SHOTS:
        with tempfile.TemporaryDirectory() as folder:
            (FOLDER / f"{name}.txt").write_text(asyncio.run(take(name, Path(folder))), encoding="utf-8")


if __name__ == "__main__":
    main()
