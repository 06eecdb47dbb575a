"""How long counting takes, and for how long it holds up the loop.

usage: python -m tests.bench.counting [--rounds N]

Prints milliseconds (medians): for prompts of several sizes the first count, the same prompt again (read anew from JSON,
as a client sends it), and one turn more; then /v1/messages/count_tokens over HTTP, and the longest pause of the
loop while a prompt of 1 MB is counted for the first time, beside its longest pause while nothing is counted.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import pathlib
import statistics
import time
from collections.abc import Awaitable, Callable, Iterator
from functools import partial

import aiohttp
import orjson

from proxy_core.chat import Conversation
from proxy_core.dialects.table import CLIENT_DIALECTS
from proxy_core.events import EventBus
from proxy_core.jsontypes import JsonObject
from proxy_core.pipeline.prompt_count import PromptCounter
from proxy_core.pipeline.setup import Setup
from proxy_core.server.proxy import Proxy
from proxy_core.settings import ProxySettings, Server
from proxy_core.tokens.count import Encoder
from proxy_core.tokens.tables import load_encoder

ROOT = pathlib.Path(__file__).parents[2]
SIZES = {"10 KB": 10_000, "200 KB": 200_000, "1 MB": 1_000_000, "5 MB": 5_000_000}
TURN_CHARS = 3_000
TICK_S = 0.001


def load() -> Encoder:
    return load_encoder(ROOT / "resources" / "tokenizers")


def turns(words: Iterator[str]) -> Iterator[list[JsonObject]]:
    """An agent at work: a call and what it reads, over and over. Real source files, no turn like another."""
    for number in itertools.count():
        call = {"type": "tool_use", "id": f"c{number}", "name": "read", "input": {"path": f"src/part_{number}.py"}}
        result = {"type": "tool_result", "tool_use_id": f"c{number}", "content": f"# {number}\n{next(words)}"}
        asked = {"type": "text", "text": f"Next I look at part {number}, since the one before calls it."}
        yield [{"role": "assistant", "content": [asked, call]}, {"role": "user", "content": [result]}]


def sources() -> Iterator[str]:
    """Pieces of this program's source, again and again."""
    text = "".join(path.read_text() for path in sorted((ROOT / "proxy_core").rglob("*.py")))
    places = range(0, len(text) - TURN_CHARS, TURN_CHARS)
    return (text[place : place + TURN_CHARS] for place in itertools.cycle(places))


def body(size: int, more_turns: int = 0) -> bytes:
    """A request of so many bytes, and some turns beyond."""
    messages: list[JsonObject] = [{"role": "user", "content": "Find out why the tests fail, please."}]
    made, coming = 0, turns(sources())
    while made < size or more_turns > 0:
        more_turns -= made >= size
        turn = next(coming)
        made += len(orjson.dumps(turn))
        messages += turn
    return orjson.dumps({"model": "glm-4.6", "max_tokens": 1_000, "messages": messages})


def read(data: bytes) -> Conversation:
    return CLIENT_DIALECTS["anthropic"].read_request(orjson.loads(data))


async def took_ms(wait: Callable[[], Awaitable[object]]) -> float:
    began = time.perf_counter()
    await wait()
    return (time.perf_counter() - began) * 1000


async def count_times(encode: Encoder, size: int, rounds: int) -> list[float]:
    """First count, the same again, one turn more; each by a counter that knew nothing before the first."""
    data, grown = body(size), body(size, 1)
    found: list[list[float]] = [[], [], []]
    for _ in range(rounds):
        counter = PromptCounter(lambda: encode)
        for times, request in zip(found, (data, data, grown), strict=True):
            times.append(await took_ms(partial(counter.count, read(request))))
        counter.close()
    return [statistics.median(times) for times in found]


async def longest_pause_ms(encode: Encoder, size: int, rounds: int) -> float:
    """Of the loop, while a prompt is counted for the first time (size 0: while nothing is)."""
    pauses = []
    for _ in range(rounds):
        counter = PromptCounter(lambda: encode)
        counting = asyncio.get_running_loop().create_task(counter.count(read(body(size))) if size else nothing())
        longest, before = 0.0, time.perf_counter()
        while not counting.done():
            await asyncio.sleep(TICK_S)
            longest, before = max(longest, time.perf_counter() - before - TICK_S), time.perf_counter()
        pauses.append(longest * 1000)
        counter.close()
    return statistics.median(pauses)


async def nothing() -> int:
    await asyncio.sleep(0.1)
    return 0


async def door_times(encode: Encoder, size: int, rounds: int) -> list[float]:
    """count_tokens over HTTP: the first time, and the median of the times after it."""
    settings, nowhere = ProxySettings(port=0), Server(name="none", endpoint="http://127.0.0.1:9")

    async def no_key(_: str) -> None:
        return None

    proxy = Proxy(setup=lambda: Setup(settings, nowhere), key_of=no_key, bus=EventBus(), encoder=lambda: encode)
    await proxy.start()
    try:
        assert proxy.address is not None
        url, data = f"http://127.0.0.1:{proxy.address[1]}/v1/messages/count_tokens", body(size)
        async with aiohttp.ClientSession() as session:
            times = [await took_ms(partial(ask, session, url, data)) for _ in range(rounds + 1)]
    finally:
        await proxy.stop(0.0)
    return [times[0], statistics.median(times[1:])]


async def ask(session: aiohttp.ClientSession, url: str, data: bytes) -> int:
    async with session.post(url, data=data, headers={"content-type": "application/json"}) as response:
        answer = await response.json()
        assert response.status == 200, answer
        return int(answer["input_tokens"])


async def measure(rounds: int) -> None:
    began = time.perf_counter()
    encode = load()
    encode("warm")
    print(f"loading the tables, in the thread: {(time.perf_counter() - began) * 1000:.0f} ms\n")
    print(f"{'':14}{'tokens':>10}{'first, ms':>12}{'again, ms':>12}{'a turn more, ms':>18}")
    for name, size in SIZES.items():
        counter = PromptCounter(lambda: encode)
        tokens = await counter.count(read(body(size)))
        counter.close()
        first, again, grown = await count_times(encode, size, rounds)
        print(f"{name:14}{tokens:10}{first:12.2f}{again:12.2f}{grown:18.2f}")
    first, again = await door_times(encode, SIZES["200 KB"], 5 * rounds)
    print(f"\ncount_tokens over HTTP, 200 KB: first {first:.1f} ms, then {again:.1f} ms (goal < 20 ms)")
    pause, idle = [await longest_pause_ms(encode, size, rounds) for size in (SIZES["1 MB"], 0)]
    print(
        f"longest pause of the loop while 1 MB is counted first: {pause:.1f} ms; with nothing to count: {idle:.1f} ms"
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="tests.bench.counting")
    parser.add_argument("--rounds", type=int, default=5)
    asyncio.run(measure(max(1, parser.parse_args().rounds)))


if __name__ == "__main__":
    main()
