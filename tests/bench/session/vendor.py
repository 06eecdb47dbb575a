"""An upstream that models what the bill depends on: a prefix cache per model, and the vendor's price table.

A prompt is told as one text in the order in which a model reads it (tools, system, messages). What it shares at its
beginning with one of the last prompts of the same model was cached. Tokens are counted by length; pictures by their
pixels.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

import orjson
from aiohttp import web

from proxy_core.chat import Image, Usage
from proxy_core.context.summary_prompt import SECTIONS
from proxy_core.jsontypes import JsonObject
from proxy_core.routing.pricing import price_of
from proxy_core.settings import Server
from proxy_core.tokens.images import image_tokens

CHARS_PER_TOKEN = 3.4
_LEAST_CACHED = 1024
_BLOCK = 64
_SUMMARY = "\n\n".join(
    f"## {heading}\n" + "The importer reads rows in blocks; src/parse.py was split; tests/test_parse.py passes. " * 4
    for heading in SECTIONS
)
_DESCRIPTION = "A window with a table of twelve blue bars that grow to the right; the right column is cut off."


@dataclass(frozen=True)
class Billed:
    """One answered request. purpose: "turn", "description" or "summary", by what was asked for."""

    model: str
    purpose: str
    usage: Usage
    cost: Decimal

    @property
    def cached_share(self) -> float:
        """Of the prompt."""
        return self.usage.cached_tokens / max(self.usage.prompt_tokens, 1)


@dataclass
class Vendor:
    """Counts and bills. bills: everything so far, in order."""

    bills: list[Billed] = field(default_factory=list)
    _seen: defaultdict[str, deque[str]] = field(default_factory=lambda: defaultdict(lambda: deque(maxlen=6)))

    def bill(self, body: JsonObject, purpose: str, output_tokens: int) -> Usage:
        """What the upstream reports for this prompt, which it knows from now on."""
        model = str(body["model"])
        told = "".join(_told(body))
        prompt = round(len(told) / CHARS_PER_TOKEN)
        shared = max((_common(told, other) for other in self._seen[model]), default=0)
        cached = int(shared / CHARS_PER_TOKEN) // _BLOCK * _BLOCK
        cached = min(cached, prompt - 1) if cached >= _LEAST_CACHED else 0
        self._seen[model].append(told)
        usage = Usage(prompt - cached, cached, 0, output_tokens)
        cost = price_of(model, usage, "USD")
        assert cost is not None, f"no price for {model}"
        self.bills.append(Billed(model, purpose, usage, cost))
        return usage


def _told(body: JsonObject) -> Iterator[str]:
    yield orjson.dumps(body.get("tools") or []).decode()
    for value in (body.get("system"), body.get("messages")):
        yield from _told_value(value)


def _told_value(value: object) -> Iterator[str]:
    """Texts in order; a picture as so many signs of its own as it costs."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _told_value(item)
    elif isinstance(value, dict):
        data = _picture(value)
        if data:
            signs = round(image_tokens(Image(data=data)) * CHARS_PER_TOKEN)
            yield (data[-64:] * (signs // 64 + 1))[:signs]
            return
        for key, item in value.items():
            if key not in {"type", "cache_control"}:
                yield from _told_value(item)


def _picture(value: Mapping[str, object]) -> str:
    source, url = value.get("source"), value.get("image_url")
    if isinstance(source, dict) and source.get("type") == "base64":
        return str(source["data"])
    address = str(url["url"]) if isinstance(url, dict) else ""
    return address.partition("base64,")[2]


def _common(left: str, right: str) -> int:
    """Length of the common beginning."""
    low, high = 0, min(len(left), len(right))
    while low < high:
        middle = (low + high + 1) // 2
        if left[low:middle] == right[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def purpose_of(body: JsonObject) -> str:
    """What a request is for: a description shows a picture and little else, a summary asks for one at its end."""
    last = orjson.dumps(body["messages"][-1]).decode() if isinstance(body["messages"], list) else ""
    if "summar" in last.lower():
        return "summary"
    is_small = isinstance(body["messages"], list) and len(body["messages"]) <= 2
    return "description" if is_small and ("image_url" in last or '"source"' in last) else "turn"


ANSWERS = {"turn": ("Done.", 90), "description": (_DESCRIPTION, 60), "summary": (_SUMMARY, 700)}


class VendorServer:
    """The vendor behind HTTP, in both dialects, unstreamed."""

    def __init__(self) -> None:
        self.vendor = Vendor()
        self._runner: web.AppRunner | None = None

    async def start(self) -> Server:
        """Listen on a free port of loopback."""
        application = web.Application(client_max_size=2**28)
        application.router.add_post("/anthropic/v1/messages", self._anthropic)
        application.router.add_post("/openai/chat/completions", self._openai)
        self._runner = web.AppRunner(application)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0][:2]
        root = f"http://{host}:{port}"
        return Server(name="vendor", endpoint=root, anthropic_base=f"{root}/anthropic", openai_base=f"{root}/openai")

    async def stop(self) -> None:
        """Close."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> tuple[str, str, Usage]:
        body = orjson.loads(await request.read())
        text, tokens = ANSWERS[purpose := purpose_of(body)]
        usage = await asyncio.to_thread(self.vendor.bill, body, purpose, tokens)
        return str(body["model"]), text, usage

    async def _anthropic(self, request: web.Request) -> web.Response:
        model, text, usage = await self._answer(request)
        told = {"input_tokens": usage.input_tokens, "cache_read_input_tokens": usage.cached_tokens}
        content = [{"type": "text", "text": text}]
        answer = {"id": "msg_1", "type": "message", "role": "assistant", "model": model, "content": content}
        ending = {"stop_reason": "end_turn", "stop_sequence": None}
        return web.json_response({**answer, **ending, "usage": {**told, "output_tokens": usage.output_tokens}})

    async def _openai(self, request: web.Request) -> web.Response:
        model, text, usage = await self._answer(request)
        message = {"role": "assistant", "content": text}
        told = {
            "prompt_tokens": usage.prompt_tokens,
            "completion_tokens": usage.output_tokens,
            "total_tokens": usage.prompt_tokens + usage.output_tokens,
            "prompt_tokens_details": {"cached_tokens": usage.cached_tokens},
        }
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        answer = {"id": "c1", "object": "chat.completion", "created": 1, "model": model}
        return web.json_response({**answer, "choices": [choice], "usage": told})
