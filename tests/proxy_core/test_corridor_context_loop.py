"""Nothing of the context work holds up the loop: no file is touched and nothing waited for on it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from blockbuster import BlockBuster, BlockingError

from proxy_core.stores.files import write_whole
from tests.legs import Leg, ask
from tests.proxy_core.context_rig import finished, open_house, shown, worked
from tests.proxy_core.pipeline.describers import red


@pytest.fixture
def watch() -> Iterator[BlockBuster]:
    """Blocking calls of the product on the loop are errors."""
    guard = BlockBuster(["proxy_core"])
    yield guard
    guard.deactivate()


async def serve(folder: Path, leg: Leg, guard: BlockBuster | None) -> list[int]:
    """All that reads and writes stores, with a restart; how many calls of our own it took."""
    async with open_house(folder) as house:
        house.settings = {"real_text_model_tokens": 20_000}
        corridor = await house.open()
        if guard is not None:
            guard.activate()
        for turns in (3, 4):
            await ask(corridor, leg, shown(red(), turns=turns), stream=True)
            await ask(corridor, leg, worked(15 + turns), stream=True)
        descriptions = corridor.proxy.stores.descriptions
        (one,) = await descriptions.list()
        await descriptions.edit(one.digest, "Words of my own.")
        await descriptions.thumbnail(one.digest)
        assert await descriptions.delete(one.digest)
        await house.restart(corridor)
        if guard is not None:
            guard.deactivate()
    return [len(finished(corridor, own)) for own in ("pictures", "summary")]


@pytest.mark.parametrize("client", ["anthropic", "openai"])
async def test_nothing_blocks(watch: BlockBuster, tmp_path: Path, client: str) -> None:
    leg = Leg(client, "anthropic")
    await serve(tmp_path / "for what is imported late", leg, None)
    assert await serve(tmp_path / "stores", leg, watch) == [1, 1]


async def test_the_guard_sees(watch: BlockBuster, tmp_path: Path) -> None:
    watch.activate()
    with pytest.raises(BlockingError):
        write_whole(tmp_path / "a", b"")
