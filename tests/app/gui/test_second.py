"""A second start beside a real first one, asked over its real control door."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from app.control.hosting import host_runtime
from app.control.lock import claim_home
from app.control.routes import Face
from app.errors import EndingError
from app.gui.second import raise_first
from app.secrets import MemoryStore
from tests.app.homes import load_home


@pytest.mark.parametrize("has_window", [True, False])
async def test_the_first_one_shows_its_window_if_it_has_one(tmp_path: Path, has_window: bool) -> None:
    loaded = load_home(tmp_path, config="port: 0\n")
    claim = claim_home(loaded.home, "tray")
    shown: list[bool] = []
    face = Face("tray", show=lambda: shown.append(True) or has_window, stop=lambda: None)
    runtime = host_runtime(loaded.home, loaded, demo=False, secrets=MemoryStore(), face=face, claim=claim)
    await runtime.start()
    try:
        if has_window:
            assert await asyncio.to_thread(raise_first, loaded.home) == 0
        else:
            with pytest.raises(EndingError, match="runs headless"):
                await asyncio.to_thread(raise_first, loaded.home)
    finally:
        await runtime.stop()
        claim.release()
    assert shown == [True]


def test_one_that_never_answers_is_named_in_one_line(tmp_path: Path) -> None:
    waits: list[float] = []
    with pytest.raises(EndingError, match="does not answer") as ending:
        raise_first(tmp_path, patience_s=1.0, wait=waits.append)
    assert len(waits) == 4
    assert "\n" not in str(ending.value) and str(tmp_path) in str(ending.value)
