"""The store of descriptions: kept over restarts, in people's hands, within its bounds, by several proxies at once."""

from __future__ import annotations

import asyncio
import io
import json
from dataclasses import replace

import pytest
from PIL import Image as Pixels

from proxy_core.chat import Image
from tests.proxy_core.stores.shelves import Clock, draft, name_of, open_store

ONE = name_of(1)


async def test_what_is_put_is_found_again_after_a_restart(tmp_path):
    clock = Clock()
    kept = await open_store(tmp_path / "new" / "folder", clock).put(draft())
    again = open_store(tmp_path / "new" / "folder", clock)
    assert await again.get(ONE) == kept
    assert await again.list() == (kept,)
    assert (kept.text, kept.model, kept.context, kept.made_at) == ("A cat.", "glm-4.6v", "Look at this", 1000.0)
    assert (kept.width, kept.height, kept.media_type, kept.hits) == (30, 20, "image/png", 0)
    assert kept.picture_bytes > 50


async def test_a_picture_is_one_json_and_one_small_picture(tmp_path):
    store = open_store(tmp_path)
    await store.put(draft(noise=300))
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"{ONE}.jpg", f"{ONE}.json"]
    assert json.loads((tmp_path / f"{ONE}.json").read_text())["text"] == "A cat."
    assert await store.thumbnail(ONE) == (tmp_path / f"{ONE}.jpg").read_bytes()
    with Pixels.open(io.BytesIO(await store.thumbnail(ONE))) as small:
        assert small.size == (256, 256)


@pytest.mark.parametrize("image", [Image(url="https://x/y.png"), Image("image/png", draft(noise=90).image.data[:400])])
async def test_a_picture_that_cannot_be_opened_has_no_thumbnail(tmp_path, image):
    store = open_store(tmp_path)
    kept = await store.put(replace(draft(), image=image))
    assert (kept.text, await store.thumbnail(ONE)) == ("A cat.", None)


async def test_the_first_description_stays(tmp_path):
    first, second = open_store(tmp_path), open_store(tmp_path)
    await first.put(draft(text="first"))
    assert (await second.put(draft(text="second"))).text == "first"
    assert (await first.get(ONE)).text == "first"


async def test_use_is_counted_and_written_later(tmp_path):
    clock = Clock()
    store, other = open_store(tmp_path, clock), open_store(tmp_path, clock)
    await store.put(draft())
    for hits, moved, written in ((1, 10, 0), (2, 10, 0), (3, 60, 3)):
        clock.now += moved
        assert (await store.find([ONE, name_of(9)]))[ONE].hits == hits
        assert (await other.get(ONE)).hits == written
    assert (await other.get(ONE)).last_used_at == 1080.0


async def test_two_proxies_add_their_uses(tmp_path):
    stores = [open_store(tmp_path), open_store(tmp_path)]
    await stores[0].put(draft())
    for store in (*stores, *stores, stores[0]):
        await store.find([ONE])
    for store in stores:
        await store.close()
    assert (await open_store(tmp_path).get(ONE)).hits == 5


@pytest.mark.parametrize(
    ("change", "field", "value"),
    [
        (lambda store: store.edit(ONE, "A dog."), "text", "A dog."),
        (lambda store: store.edit(ONE, "A dog."), "edited", True),
        (lambda store: store.edit(ONE, "x" * 30_000), "text", "x" * 20_000),
        (lambda store: store.edit(ONE, "a\ud800b"), "text", "ab"),
        (lambda store: store.pin(ONE, pinned=True), "pinned", True),
        (lambda store: store.describe_again(ONE), "is_to_be_made_again", True),
    ],
)
async def test_a_change_is_seen_by_all_and_after_a_restart(tmp_path, change, field, value):
    store, other = open_store(tmp_path), open_store(tmp_path)
    await store.put(draft())
    await other.find([ONE])
    revision = store.revision
    assert getattr(await change(store), field) == value
    assert store.revision > revision
    for one in (store, other, open_store(tmp_path)):
        assert getattr((await one.find([ONE]))[ONE], field) == value


async def test_what_is_not_there_cannot_be_changed(tmp_path):
    store = open_store(tmp_path)
    assert await store.edit(ONE, "x") is await store.pin(ONE, pinned=True) is await store.describe_again(ONE) is None
    assert (await store.delete(ONE), await store.thumbnail(ONE)) == (False, None)
    assert not list(tmp_path.iterdir())


async def test_words_changed_in_the_file_are_found(tmp_path):
    store = open_store(tmp_path)
    await store.put(draft(text="A cat."))
    path = tmp_path / f"{ONE}.json"
    path.write_text(path.read_text().replace("A cat.", "A dog."))
    assert (await store.find([ONE]))[ONE].text == "A dog."


async def test_made_again_it_is_replaced_and_keeps_its_place(tmp_path):
    store = open_store(tmp_path)
    await store.put(draft())
    await store.find([ONE])
    await store.pin(ONE, pinned=True)
    await store.edit(ONE, "mine")
    await store.describe_again(ONE)
    made = await store.put(draft(text="again"))
    assert (made.text, made.hits, made.pinned, made.edited, made.is_to_be_made_again) == (
        "again",
        1,
        True,
        False,
        False,
    )
    assert await open_store(tmp_path).get(ONE) == made


@pytest.mark.parametrize("by", ["the store", "another proxy", "a person"])
async def test_what_is_deleted_is_gone(tmp_path, by):
    store = open_store(tmp_path)
    await store.put(draft())
    if by == "a person":
        for path in tmp_path.iterdir():
            path.unlink()
    else:
        assert await (store if by == "the store" else open_store(tmp_path)).delete(ONE)
    assert (await store.find([ONE]), await store.list(), list(tmp_path.iterdir())) == ({}, (), [])
    assert (await store.put(draft(text="new"))).text == "new"


async def test_the_last_used_come_first_and_words_choose(tmp_path):
    clock = Clock()
    store = open_store(tmp_path, clock)
    for number, text in ((1, "a cat"), (2, "a dog"), (3, "a cat and a dog")):
        clock.now += 1
        await store.put(draft(number, text))
    clock.now += 1
    await store.find([ONE])
    assert [one.digest for one in await store.list()] == [ONE, name_of(3), name_of(2)]
    assert [one.digest for one in await store.list("DOG cat")] == [name_of(3)]


async def test_a_full_store_loses_what_was_not_used_for_longest_and_nothing_pinned(tmp_path):
    clock = Clock()
    first = open_store(tmp_path, clock, bound_mb=1)
    await first.put(draft(0, noise=300))
    for number in range(1, 2**20 // (await first.size()).stored_bytes):
        clock.now += 1
        await first.put(draft(number, noise=300))
    await first.pin(name_of(0), pinned=True)
    await first.find([name_of(1)])
    await first.close()
    clock.now += 1
    later = open_store(tmp_path, clock, bound_mb=1)
    await later.put(draft(999, noise=300))
    await later.put(draft(998, noise=300))
    size, left = await later.size(), {one.digest for one in await later.list()}
    assert size.stored_bytes <= size.bound_bytes == 2**20
    assert (size.pictures, size.pinned) == (len(left), 1)
    assert {name_of(0), name_of(1), name_of(999), name_of(998)} <= left
    assert name_of(2) not in left


async def test_many_at_once_are_all_kept(tmp_path):
    stores = [open_store(tmp_path), open_store(tmp_path)]
    await asyncio.gather(*(store.put(draft(number)) for number in range(12) for store in stores))
    for store in stores:
        assert len(await store.list()) == 12
    assert len(list(tmp_path.iterdir())) == 24
