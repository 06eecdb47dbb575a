"""The proxy in the process of the screen: begun, refused, moved, ended."""

from __future__ import annotations

import asyncio
import logging
from functools import partial

import pytest

from app.control.client import find_instance
from app.control.lock import claim_home
from app.errors import EndingError
from app.logs import close_files
from app.secrets import MemoryStore
from app.tui.hosting import Hosting
from proxy_core.server.runner import PortInUseError
from tests.app.homes import load_home
from tests.app.runtimes import taken_port


@pytest.fixture(autouse=True)
def _logging_as_before():
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    close_files()
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)


@pytest.fixture
def make(tmp_path):
    """A Hosting of a home with this config.yaml, and what it heard."""

    def made(config: str) -> tuple[Hosting, list[str]]:
        heard: list[str] = []
        read = partial(load_home, tmp_path, config=config)
        return Hosting(read().home, read, lambda: heard.append("stopped"), MemoryStore()), heard

    return made


async def test_it_serves_and_can_be_controlled_until_its_end(make, tmp_path):
    hosting, heard = make("port: 0\n")
    await hosting.begin()
    client = await asyncio.to_thread(find_instance, tmp_path / "home")
    await asyncio.to_thread(client.stop)
    assert (hosting.runs, client.record.kind, heard) == (True, "headless", ["stopped"])
    logging.getLogger("app.tui").warning("seen in the file")
    hosting.cut()
    await hosting.end()
    await hosting.end()
    close_files()
    assert (hosting.runs, await asyncio.to_thread(find_instance, tmp_path / "home")) == (False, None)
    assert "seen in the file" in (tmp_path / "home" / "logs" / "application.jsonl").read_text()


async def test_a_taken_port_is_told_and_the_next_one_taken_if_wanted(make, tmp_path):
    holder, port = taken_port()
    with holder:
        hosting, _ = make(f"port: {port}\n")
        with pytest.raises(PortInUseError):
            await hosting.begin()
        assert not hosting.runs
        await hosting.begin(elsewhere=True)
        client = await asyncio.to_thread(find_instance, tmp_path / "home")
        assert port < client.record.port <= port + 20
        await hosting.end()


@pytest.mark.parametrize(
    ("config", "words"),
    [("port: many\n", "port"), ("host: 0.0.0.0\nport: 0\n", "PROXY_ACCESS_KEY")],
)
async def test_what_is_set_wrong_is_said_in_words(make, config, words):
    hosting, _ = make(config)
    with pytest.raises(EndingError, match=words):
        await hosting.begin()
    assert not hosting.runs


async def test_a_folder_of_another_process_is_left_alone(make, tmp_path):
    hosting, _ = make("port: 0\n")
    claim = claim_home(tmp_path / "home", "headless")
    with pytest.raises(EndingError, match="Another instance holds"):
        await hosting.begin()
    claim.release()


async def test_a_home_that_cannot_be_made_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    hosting = Hosting(tmp_path / "file" / "home", partial(load_home, tmp_path), lambda: None, MemoryStore())
    with pytest.raises(EndingError, match="cannot be used"):
        await hosting.begin()
