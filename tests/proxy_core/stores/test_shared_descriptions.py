"""Descriptions over several proxies: what one has, all have; alone each goes on; and nothing bad is believed."""

from __future__ import annotations

import pickle

import orjson
import pytest

from proxy_core.stores.shared_link import PREFIX
from tests.proxy_core.stores.shelves import draft, name_of
from tests.shared_server import expect_soon

KEY = f"{PREFIX}picture:{name_of(1)}"


async def test_what_one_puts_the_other_finds_with_its_thumbnail(another):
    one, other = (await another()).descriptions, (await another()).descriptions
    await one.put(draft())
    found = await other.find([name_of(1), name_of(2)])
    assert {digest: description.text for digest, description in found.items()} == {name_of(1): "A cat."}
    assert (await other.thumbnail(name_of(1))).startswith(b"\xff\xd8")


async def test_the_first_description_stays(another):
    one, other = (await another()).descriptions, (await another()).descriptions
    await one.put(draft())
    kept = await other.put(draft(text="A dog."))
    assert (kept.text, (await one.get(name_of(1))).text) == ("A cat.", "A cat.")


async def test_what_a_person_changes_holds_everywhere(another):
    one, other = (await another()).descriptions, (await another()).descriptions
    await one.put(draft())
    await other.edit(name_of(1), "My cat.")
    await other.pin(name_of(1), pinned=True)
    held = await one.get(name_of(1))
    assert (held.text, held.edited, held.pinned) == ("My cat.", True, True)
    await one.describe_again(name_of(1))
    assert (await other.put(draft(text="A tabby."))).text == "A tabby."
    assert (await one.get(name_of(1))).text == "A tabby."


async def test_a_deleted_one_does_not_come_back_from_anybodys_files(another):
    one, other = (await another()).descriptions, (await another()).descriptions
    await one.put(draft())
    await other.find([name_of(1)])
    assert await one.delete(name_of(1))
    assert await other.find([name_of(1)]) == {}
    assert await one.list() == await other.list() == ()
    assert (await other.put(draft(text="New."))).text == "New."
    assert (await one.get(name_of(1))).text == "New."


async def test_the_list_has_those_of_everybody(another):
    one, other = (await another()).descriptions, (await another()).descriptions
    await one.put(draft(1))
    await other.put(draft(2, "A dog."))
    assert {held.text for held in await one.list()} == {"A cat.", "A dog."}
    assert [held.text for held in await one.list("dog")] == ["A dog."]
    assert (await one.size()).pictures == 1


async def test_left_alone_it_goes_on_and_hands_in_what_it_made_meanwhile(server, another):
    one, other = (await another()).descriptions, (await another()).descriptions
    await one.put(draft(1))
    await other.find([name_of(1)])
    server.kill()
    assert (await other.find([name_of(1)]))[name_of(1)].text == "A cat."
    await other.put(draft(2, "A dog."))
    await other.edit(name_of(1), "My cat.")
    await server.start()

    async def is_handed_in():
        held = await one.get(name_of(1)), await one.get(name_of(2))
        return [one and one.text for one in held] == ["My cat.", "A dog."]

    await expect_soon(is_handed_in)


@pytest.mark.parametrize(
    "value",
    [
        b"\x00\xff",
        b"[]",
        orjson.dumps({"digest": name_of(2), "text": "Another picture's."}),
        orjson.dumps({"digest": name_of(1), "text": "x" * 30_000}),
        orjson.dumps({"digest": name_of(1), "text": ["no text"]}),
        pickle.dumps({"digest": name_of(1), "text": "A trap."}),
    ],
    ids=["bytes", "list", "other", "long", "type", "pickle"],
)
async def test_a_damaged_value_is_set_aside(server, another, value):
    one = (await another()).descriptions
    await server.do("SET", KEY, value)
    assert await one.find([name_of(1)]) == {}

    async def lies_aside():
        return await server.do("GET", f"{KEY}:damaged") == value and await server.do("GET", KEY) is None

    await expect_soon(lies_aside)
    assert (await one.put(draft())).text == "A cat."


async def test_a_key_of_another_kind_is_replaced(server, another):
    one, other = (await another()).descriptions, (await another()).descriptions
    await server.do("RPUSH", KEY, "a list")
    assert await one.find([name_of(1)]) == {}
    await one.put(draft())
    assert (await other.get(name_of(1))).text == "A cat."


async def test_one_at_a_time_may_describe_a_picture(server, another):
    one, other = await another(), await another()
    assert await one.descriptions.claim(name_of(1))
    assert not await other.descriptions.claim(name_of(1))
    await other.descriptions.unclaim(name_of(1))
    await one.descriptions.unclaim(name_of(1))

    async def may():
        return await other.descriptions.claim(name_of(1))

    await expect_soon(may)
    server.kill()
    assert await one.descriptions.claim(name_of(1))


async def test_the_claim_of_a_killed_proxy_ends_and_that_of_a_living_one_does_not(server, another):
    one = await another()
    await one.descriptions.claim(name_of(1))
    key = f"{PREFIX}describing:{name_of(1)}"
    await server.do("PEXPIRE", key, 1000)

    async def is_renewed():
        return int(await server.do("PTTL", key)) > 1000

    await expect_soon(is_renewed)
    assert await server.do("GET", key) == one.link.name.encode()
