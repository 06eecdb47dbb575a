"""What goes wrong around the edits costs nobody a request: broken folders, odd pictures, two proxies, hostile input."""

from __future__ import annotations

import asyncio
import errno
import json
import logging
import random
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from proxy_core.chat import Image
from proxy_core.context.pictures import PLACEHOLDER
from tests.corridor import STORED_KEY, Corridor, call
from tests.fake_upstream import Reply
from tests.legs import Leg, anthropic_body, ask, openai_body, seen
from tests.proxy_core.context.talks import SUMMARY
from tests.proxy_core.context_rig import PATHS, SEEN, House, open_house, shown, worked
from tests.proxy_core.pipeline.describers import red

CLIENTS = pytest.mark.parametrize("client", ["anthropic", "openai"])
BODIES = {"anthropic": anthropic_body, "openai": openai_body}


@pytest_asyncio.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path / "stores") as house:
        house.settings = {"real_text_model_tokens": 20_000}
        yield house


def told(house: House) -> str:
    return str(seen(house.upstream.talks[-1]).turns)


async def serve_both(house: House, corridor: Corridor, turns: int = 3) -> None:
    """A request with an old picture and one that is too long: both have what they need."""
    leg = Leg("anthropic", "anthropic")
    await ask(corridor, leg, shown(red(), turns=turns), stream=False)
    assert SEEN in told(house)
    await ask(corridor, leg, worked(15 + turns), stream=False)
    assert "<conversation_summary>" in told(house)


def a_file(folder: Path) -> None:
    folder.write_bytes(b"in the way")


def files_in_it(folder: Path) -> None:
    folder.mkdir()
    for name in ("pictures", "summaries"):
        (folder / name).write_bytes(b"in the way")
    (folder / "ratios.json").mkdir()


@pytest.mark.parametrize("spoil", [a_file, files_in_it])
async def test_a_folder_that_cannot_be_used(house: House, spoil: object, caplog: pytest.LogCaptureFixture) -> None:
    spoil(house.folder)
    corridor = await house.open()
    for turns in (3, 4):
        await serve_both(house, corridor, turns)
    assert (len(house.upstream.sights), len(house.upstream.summaries)) == (1, 1)
    await house.restart(corridor)
    for word in ("Descriptions of pictures", "Summaries are"):
        assert sum(word in line for line in caplog.messages) <= 2


@pytest.mark.parametrize("fault", [errno.ENOSPC, errno.EROFS, errno.EIO])
async def test_a_disk_that_takes_nothing(house: House, monkeypatch: pytest.MonkeyPatch, fault: int) -> None:
    def refuse(self: Path, data: bytes) -> int:
        raise OSError(fault, "no")

    monkeypatch.setattr(Path, "write_bytes", refuse)
    corridor = await house.open()
    for turns in (3, 4):
        await serve_both(house, corridor, turns)
    assert (len(house.upstream.sights), len(house.upstream.summaries)) == (1, 1)


DAMAGE = [b"", b"{", b"null", b"[]", b'{"digest": 5}', b"\x00" * 5000, b"\xff\xfe{}", b"[" * 100_000]


@pytest.mark.parametrize("data", DAMAGE, ids=range(len(DAMAGE)))
async def test_damaged_files_are_made_anew(house: House, data: bytes) -> None:
    corridor = await house.open()
    await serve_both(house, corridor)
    await corridor.stop()
    house.proxies.clear()
    (house.folder / "ratios.json").write_bytes(data)
    for path in house.folder.glob("*/*.json"):
        path.write_bytes(data)
    corridor = await house.open()
    for turns in (4, 5):
        await ask(corridor, Leg("anthropic", "anthropic"), shown(red(), turns=turns), stream=False)
        await ask(corridor, Leg("anthropic", "anthropic"), worked(15 + turns), stream=False)
    await serve_both(house, corridor, 6)
    assert (len(house.upstream.sights), len(house.upstream.summaries)) == (2, 2)


async def test_two_proxies_share_what_was_paid_for(house: House) -> None:
    one, other = await house.open(), await house.open()
    await serve_both(house, one, 3)
    await serve_both(house, other, 4)
    assert (len(house.upstream.sights), len(house.upstream.summaries)) == (1, 1)


async def test_two_proxies_at_once(house: House) -> None:
    proxies = [await house.open() for _ in range(2)]
    async with asyncio.TaskGroup() as group:
        for turns in (3, 4, 5):
            for corridor in proxies:
                group.create_task(ask(corridor, Leg("openai", "openai"), shown(red(), turns=turns), stream=False))
    assert len(house.upstream.sights) <= 2
    assert all(SEEN in str(seen(one).turns) for one in house.upstream.talks)


def noise(size: int) -> bytes:
    return random.Random(7).randbytes(size)


PNG = b64decode(red(64).data)
ODD = {
    "truncated": PNG[: len(PNG) // 2],
    "head only": PNG[:20],
    "huge by its header": PNG[:16] + b"\x7f\xff\xff\xff" * 2 + PNG[24:],
    "no pixels": PNG[:16] + bytes(8) + PNG[24:],
    "20 MB": PNG + noise(20 * 2**20),
    "no picture": b"hello",
}


@pytest.mark.parametrize("data", ODD.values(), ids=ODD.keys())
@CLIENTS
async def test_odd_pictures_that_are_old(house: House, client: str, data: bytes) -> None:
    house.upstream.is_checking = False
    corridor = await house.open()
    asked = shown(Image("image/png", b64encode(data).decode()), model="glm-4.6-anthropic")
    got = await call(corridor, "POST", PATHS[client], BODIES[client](asked), {"x-api-key": "k" * 9})
    assert got.status == 200
    assert SEEN in told(house) or PLACEHOLDER in told(house)


ODD_BASE64 = ["!!!", "====", "AAA", "A", "ü" * 9, " \n", "data:image/png;base64,AAAA"]


@pytest.mark.parametrize("data", ODD_BASE64, ids=range(len(ODD_BASE64)))
async def test_what_is_no_base64(house: House, data: str) -> None:
    house.upstream.is_checking = False
    corridor = await house.open()
    body = anthropic_body(shown(Image("image/png", "@@@@"), model="glm-4.6"))
    raw = json.dumps(body).replace("@@@@", json.dumps(data)[1:-1]).encode()
    got = await call(corridor, "POST", "/v1/messages", raw, {"x-api-key": "k" * 9, "content-type": "application/json"})
    assert (got.status, PLACEHOLDER in told(house) or SEEN in told(house)) == (200, True)


@CLIENTS
async def test_no_log_holds_what_was_said(house: House, client: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    corridor = await house.open()
    for turns, sight, summary in ((3, house.upstream.sight, Reply()), (4, Reply(body={}), house.upstream.summary)):
        house.upstream.sight, house.upstream.summary = sight, summary
        await ask(corridor, Leg(client, "anthropic"), shown(red(turns), turns=turns), stream=False)
        await ask(corridor, Leg(client, "anthropic"), worked(15 + turns, words=780 + turns), stream=False)
        corridor = await house.restart(corridor)
    said = [SEEN, SUMMARY[:40], "Build a parser", "word word", "Look:", STORED_KEY, "Hello, world"]
    ours = "\n".join(record.getMessage() for record in caplog.records if record.name.startswith("proxy_core"))
    assert "No summary could be had" in ours
    assert [words for words in said if words in ours] == []
