"""The way to the shared store: short limits, one word when it goes and one when it is back, never the password."""

from __future__ import annotations

import asyncio
import logging

import pytest

from proxy_core.stores import shared_link
from proxy_core.stores.shared_link import SharedLink, StoreGoneError, check_url, secrets_of
from tests.shared_server import expect_soon


@pytest.mark.parametrize(
    "url",
    [
        "redis://cache:6379/0",
        "rediss://:secret@cache/1",
        "valkey://u:p@[::1]:7000",
        "unix:///run/redis.sock?db=2",
    ],
)
def test_these_are_addresses(url):
    assert check_url(url) is None


@pytest.mark.parametrize(
    "url",
    [
        "http://:hunter2@cache",
        "cache:6379",
        "redis://",
        "redis://:hunter2@cache:port",
        "unix://",
        "redis://[",
        "redis://c?hunter2=1",
    ],
)
def test_what_is_no_address_is_refused_without_being_quoted(url):
    with pytest.raises(ValueError, match="the address of the shared store") as caught:
        check_url(url)
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("url", "secrets"),
    [
        ("", ()),
        ("redis://cache", ()),
        ("redis://u:a%40b@cache", ("a%40b", "a@b")),
        ("unix:///s?password=hunter2", ("hunter2",)),
    ],
)
def test_its_passwords_can_be_hidden(url, secrets):
    assert secrets_of(url) == secrets


async def test_it_says_once_that_the_store_is_gone_and_once_that_it_is_back(server, another, caplog):
    caplog.set_level(logging.INFO)
    said = []
    link = (await another(said)).link
    server.kill()
    for _ in range(3):
        with pytest.raises(StoreGoneError):
            await link.ask("PING")
    await expect_soon(lambda: _has_said(said))
    await asyncio.sleep(0.2)
    assert len(said) == 1
    assert "goes on by itself" in said[0]
    await server.start()
    await expect_soon(lambda: _is_up(link))
    assert len(said) == 2
    assert "used again" in said[1]


async def _has_said(said: list[str]) -> bool:
    return bool(said)


async def _is_up(link: SharedLink) -> bool:
    return link.is_up


async def test_who_listens_and_never_answers_costs_one_short_wait(monkeypatch):
    monkeypatch.setattr(shared_link, "ANSWER_S", 0.05)
    silent = await asyncio.start_server(lambda _, writer: silent_writers.append(writer), "127.0.0.1", 0)
    silent_writers = []
    said = []
    link = SharedLink(f"redis://:hunter2@127.0.0.1:{silent.sockets[0].getsockname()[1]}/0", said.append)
    await link.open()
    with pytest.raises(StoreGoneError):
        await link.ask("PING")
    await link.close()
    silent.close()
    for writer in silent_writers:
        writer.close()
    assert len(said) == 1
    assert "127.0.0.1" in said[0]
    assert "hunter2" not in said[0]


async def test_a_refused_password_is_told_without_it(server, caplog):
    await server.do("CONFIG", "SET", "requirepass", "right")
    said = []
    link = SharedLink(server.url + "&password=hunter2", said.append)
    await link.open()
    await link.close()
    assert len(said) == 1
    assert "hunter2" not in said[0] + caplog.text


async def test_what_is_posted_is_done_in_order_and_before_the_end(server, another):
    link = (await another()).link
    for number in range(50):
        link.post(("RPUSH", "list", number))
    await link.close()
    assert await server.do("LRANGE", "list", 0, -1) == [str(number).encode() for number in range(50)]
