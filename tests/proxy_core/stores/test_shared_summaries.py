"""Summaries and learned ratios over several proxies."""

from __future__ import annotations

from dataclasses import replace

import orjson
import pytest

from proxy_core.stores.shared_link import PREFIX
from proxy_core.stores.shared_ratios import RATIOS
from proxy_core.stores.summaries import StoredSummary
from proxy_core.tokens.content import ContentClass, Estimate
from proxy_core.tokens.learning import RatioBook
from tests.shared_server import expect_soon

SUMMARY = StoredSummary("d1", "They built a boat.", 1000, "glm-4.6", 5.0)
KEY = f"{PREFIX}summary:d1"


def learned(samples: int = 6) -> RatioBook:
    """A book that has heard so much of one model."""
    book = RatioBook()
    for _ in range(samples):
        book.observe("glm-4.6", Estimate({next(iter(ContentClass)): 1000}), 1200)
    return book


async def test_what_one_keeps_the_other_finds(server, another):
    one, other = await another(), await another()
    await one.summaries.put(SUMMARY)

    async def is_found():
        return await other.summaries.find(["d0", "d1"]) == [SUMMARY]

    await expect_soon(is_found)
    server.kill()
    assert await other.summaries.find(["d1"]) == [SUMMARY]


async def test_the_shared_one_holds_and_what_is_missing_is_handed_in(server, another):
    one, other = await another(), await another()
    await one.summaries.put(SUMMARY)
    await expect_soon(lambda: server.do("EXISTS", KEY))
    server.kill()
    await other.summaries.put(replace(SUMMARY, text="They sank it."))
    assert [found.text for found in await other.summaries.find(["d1"])] == ["They sank it."]
    await server.start()

    async def is_handed_in():
        await one.summaries.find(["d1"])
        return await server.do("EXISTS", KEY)

    async def holds():
        return await other.summaries.find(["d1"]) == [SUMMARY]

    await expect_soon(is_handed_in)
    await expect_soon(holds)


@pytest.mark.parametrize("value", [b"no json", b"{}", orjson.dumps({"digest": "d2", "text": "x"})])
async def test_a_damaged_summary_is_set_aside(server, another, value):
    one = await another()
    await server.do("SET", KEY, value)
    assert await one.summaries.find(["d1"]) == []

    async def lies_aside():
        return await server.do("GET", f"{KEY}:damaged") == value

    await expect_soon(lies_aside)


async def test_what_one_learned_the_other_knows(another):
    one, other = await another(), await another()
    await one.ratios.load()
    one.ratios.note(learned())
    await one.ratios.close()
    assert (await other.ratios.load()).rows() == learned().rows()


async def test_the_book_that_heard_more_holds(server, another):
    one, other = await another(), await another()
    await one.ratios.load()
    one.ratios.note(learned(9))
    await one.ratios.close()
    mine = await other.ratios.load()
    assert not mine.adopt(learned(3))
    assert mine.samples("glm-4.6") == 9


@pytest.mark.parametrize("value", [b"\x80\x04", b"[1]", b'{"version": 1, "models": {"glm-4.6": 3}}'])
async def test_a_damaged_book_is_set_aside(server, another, value):
    one = await another()
    await server.do("SET", RATIOS, value)
    assert (await one.ratios.load()).rows() == ()

    async def lies_aside():
        return await server.do("GET", f"{RATIOS}:damaged") == value

    await expect_soon(lies_aside)
