"""The thread that makes pictures fit: nobody's leaving stops it, and nothing of theirs goes on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from threading import Event

import pytest

from proxy_core import pictures
from proxy_core.chat import Conversation, Image, Message
from proxy_core.errors import BadRequestError
from proxy_core.pipeline.picture_fitting import PictureFitter

Fit = Callable[[Image, str], Image]


class Bench:
    """Pictures that take until `go` is set; `done` are those that were begun."""

    def __init__(self) -> None:
        self.begun, self.go = Event(), Event()
        self.done: list[str] = []

    def fit(self, image: Image, path: str) -> Image:
        self.done.append(image.data)
        self.begun.set()
        self.go.wait(10)
        if image.data == "broken":
            raise BadRequestError("Broken.", param=path)
        return Image("image/png", "fit")


def talk(*data: str) -> Conversation:
    return Conversation("d", "m", tuple(Message("user", (Image("image/x", one),)) for one in data))


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    made = Bench()
    monkeypatch.setattr(pictures, "fit_picture", made.fit)
    return made


@pytest.fixture
async def fitter(bench: Bench) -> AsyncIterator[PictureFitter]:
    made = PictureFitter()
    yield made
    bench.go.set()
    made.close()


@pytest.mark.parametrize("left", [1, 3])
async def test_who_leaves_frees_the_thread_after_the_picture_in_work(
    bench: Bench, fitter: PictureFitter, left: int
) -> None:
    async with asyncio.TaskGroup() as tasks:
        leaving = [tasks.create_task(fitter.fit(talk(f"{place}a", f"{place}b"))) for place in range(left)]
        await asyncio.to_thread(bench.begun.wait, 10)
        for one in leaving:
            one.cancel()
        staying = tasks.create_task(fitter.fit(talk("last")))
        await asyncio.sleep(0)
        assert bench.done == ["0a"]
        bench.go.set()
    assert (bench.done, staying.result().messages[0].parts) == (["0a", "last"], (Image("image/png", "fit"),))


async def test_a_broken_picture_is_told_and_the_next_is_served(bench: Bench, fitter: PictureFitter) -> None:
    bench.go.set()
    with pytest.raises(BadRequestError, match="Broken"):
        await fitter.fit(talk("fine", "broken"))
    assert (await fitter.fit(talk("next"))).messages[0].parts == (Image("image/png", "fit"),)


async def test_closing_waits_for_nobody(bench: Bench, fitter: PictureFitter) -> None:
    async with asyncio.TaskGroup() as tasks:
        waiting = [tasks.create_task(fitter.fit(talk(one, "more"))) for one in ("a", "b")]
        await asyncio.to_thread(bench.begun.wait, 10)
        fitter.close()
    assert [one.cancelled() for one in waiting] == [True, True]
    assert bench.done == ["a"]
    with pytest.raises(RuntimeError, match="closed"):
        await fitter.fit(talk("late"))
