"""A data folder that can be read but not written: it serves, and says once what is missing."""

from __future__ import annotations

import asyncio
import errno
from pathlib import Path

import pytest

from app import headless
from app.errors import EndingError
from tests.app.homes import load_home


@pytest.mark.parametrize(("is_there", "served"), [(True, True), (False, False)])
def test_only_a_folder_that_is_not_there_ends_it(tmp_path: Path, monkeypatch, is_there: bool, served: bool) -> None:
    def refuse(_: Path) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    ran: list[object] = []

    async def serve(*given: object) -> None:
        ran.append(given)
        await asyncio.sleep(0)

    monkeypatch.setattr(headless, "ensure_home", refuse)
    monkeypatch.setattr(headless, "_serve", serve)
    monkeypatch.setattr(headless, "configure_logging", lambda *_: None)
    loaded = load_home(tmp_path)
    home = loaded.home if is_there else tmp_path / "nowhere"
    try:
        headless.run(home, loaded, demo=True)
    except EndingError as error:
        assert "Read-only" in error.message
    assert bool(ran) is served
