"""The key doctor: eight keys as the vendor's addresses answer to them, and what is said about each."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping

import orjson
import pytest
import pytest_asyncio
from aiohttp import web

from proxy_core.settings import BUILTIN_SERVERS, ProxySettings, Server
from proxy_core.upstream.client import UpstreamClient
from proxy_core.upstream.doctor import EXAMINATION_S, Examination, Finding, VerdictKind, examine_key, is_vendors

KEY = "0123456789abcdef0123456789abcdef.SeCreTSeCreT0123"
OK = "200"
SILENT = "silent"
# international: anthropic, coding, payg; then the same of cn. 401 is 1000; other codes come with 429.
KINDS: Mapping[str, tuple[str, VerdictKind, str]] = {
    "coding plan of z.ai": ("200 200 1113 1000 1000 1000", VerdictKind.CODING, "international coding"),
    "pay as you go of z.ai": ("200 1113 200 1000 1000 1000", VerdictKind.PAYG, "international payg"),
    "coding plan of bigmodel": ("1000 1000 1000 200 200 1113", VerdictKind.CODING, "cn coding"),
    "pay as you go of bigmodel": ("1000 1000 1000 200 1000 200", VerdictKind.PAYG, "cn payg"),
    "nobody's": ("1000 1000 1000 1000 1000 1000", VerdictKind.REFUSED, ""),
    "window used up": ("1308 1308 1113 1000 1000 1000", VerdictKind.LIMITED, "international coding"),
    "coding address silent": ("200 silent 1113 1000 1000 1000", VerdictKind.LOOKS_CODING, "international coding"),
    "account empty": ("1000 1000 1000 1113 1113 1113", VerdictKind.NO_BALANCE, ""),
    "plan expired": ("1309 1309 1113 1000 1000 1000", VerdictKind.EXPIRED, ""),
    "text side only": ("200 500 500 1000 1000 1000", VerdictKind.PLAN_UNKNOWN, "international coding"),
    "one region in trouble": ("500 500 500 1000 1000 1000", VerdictKind.UNCLEAR, ""),
    "nobody answers": ("silent silent silent silent silent silent", VerdictKind.SILENT, ""),
}


class Vendor:
    """Both regions on one loopback port. answers: by path. asked: bodies and paths as they came."""

    def __init__(self) -> None:
        self.answers: dict[str, str] = {}
        self.asked: list[tuple[str, dict[str, object]]] = []
        self.runner: web.AppRunner | None = None
        self.regions: tuple[Server, ...] = ()

    async def start(self) -> None:
        app = web.Application()
        app.router.add_post("/{path:.*}", self.answer)
        self.runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.01, access_log=None)
        await self.runner.setup()
        await web.TCPSite(self.runner, "127.0.0.1", 0).start()
        origin = f"http://127.0.0.1:{self.runner.addresses[0][1]}"
        self.regions = tuple(s.model_copy(update={"endpoint": f"{origin}/{s.name}"}) for s in BUILTIN_SERVERS)

    def set_answers(self, codes: str) -> None:
        paths = ("anthropic/v1/messages", "coding/paas/v4/chat/completions", "paas/v4/chat/completions")
        places = [f"/{server.name}/api/{path}" for server in BUILTIN_SERVERS for path in paths]
        self.answers = dict(zip(places, codes.split(), strict=True))

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append((request.path, orjson.loads(await request.read())))
        code = self.answers[request.path]
        if code == SILENT:
            await asyncio.Event().wait()
        if code != OK:
            said = f"No: {request.headers.get('x-api-key') or request.headers.get('authorization')}"
            status = {"1000": 401, "500": 500}.get(code, 429)
            return web.json_response({"error": {"code": code, "message": said}}, status=status)
        if "anthropic" in request.path:
            return web.json_response(ANTHROPIC_YES)
        return web.json_response(OPENAI_YES)


ANTHROPIC_YES = {
    "id": "m",
    "type": "message",
    "role": "assistant",
    "model": "glm-4.6",
    "content": [{"type": "text", "text": "ok"}],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 5, "output_tokens": 1},
}
OPENAI_YES = {
    "id": "c",
    "model": "glm-4.6",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "ok"}, "finish_reason": "stop"}],
}


@pytest_asyncio.fixture
async def vendor() -> AsyncIterator[Vendor]:
    vendor = Vendor()
    await vendor.start()
    yield vendor
    assert vendor.runner is not None
    await vendor.runner.cleanup()


@pytest_asyncio.fixture
async def client() -> AsyncIterator[UpstreamClient]:
    client = UpstreamClient()
    await client.open()
    yield client
    await client.close()


async def examine(client: UpstreamClient, regions: tuple[Server, ...], limit_s: float = 0.5) -> Examination:
    return await examine_key(client, ProxySettings(), KEY, regions=regions, limit_s=limit_s)


@pytest.mark.parametrize("kind", KINDS)
async def test_every_kind_of_key_gets_its_verdict(client: UpstreamClient, vendor: Vendor, kind: str) -> None:
    codes, verdict_kind, fits = KINDS[kind]
    vendor.set_answers(codes)
    verdict = (await examine(client, vendor.regions)).verdict
    server = f"{verdict.server.name} {verdict.server.plan}" if verdict.server else ""
    assert (verdict.kind, server) == (verdict_kind, fits)
    assert "{" not in verdict.words
    assert all(name in verdict.words for name in fits.split()[:1])


async def test_each_address_is_asked_once_and_little(client: UpstreamClient, vendor: Vendor) -> None:
    vendor.set_answers(KINDS["coding plan of z.ai"][0])
    rows = (await examine(client, vendor.regions)).rows
    assert sorted(path for path, _ in vendor.asked) == sorted(vendor.answers)
    assert all(body["max_tokens"] == 8 for _, body in vendor.asked)
    assert [(row.status, row.code) for row in rows[:4]] == [(200, ""), (200, ""), (429, "1113"), (401, "1000")]


async def test_silence_is_a_row_like_any_other(client: UpstreamClient, vendor: Vendor) -> None:
    vendor.set_answers(KINDS["coding address silent"][0])
    rows = (await examine(client, vendor.regions)).rows
    assert [row.finding for row in rows].count(Finding.SILENT) == 1
    assert (rows[1].status, rows[1].words) == (0, "no answer in time")


def test_whoever_pressed_the_button_waits_three_seconds_at_most() -> None:
    assert EXAMINATION_S < 3


async def test_the_key_is_in_no_log_and_no_word(client, vendor, caplog) -> None:
    caplog.set_level(logging.DEBUG)
    vendor.set_answers("1000 1113 1308 500 1000 1113")
    examination = await examine(client, vendor.regions)
    assert KEY.split(".")[1] not in caplog.text + repr(examination) + examination.verdict.words


async def test_without_a_network_it_says_so(client: UpstreamClient, unused_tcp_port: int) -> None:
    regions = (Server(name="gone", endpoint=f"http://127.0.0.1:{unused_tcp_port}"),)
    examination = await examine(client, regions)
    assert examination.verdict.kind is VerdictKind.NO_NETWORK
    assert {row.finding for row in examination.rows} == {Finding.UNREACHABLE}


@pytest.mark.parametrize(
    ("changes", "is_own"),
    [
        ({}, True),
        ({"plan": "payg"}, True),
        ({"anthropic_base": "https://api.z.ai/api/anthropic/"}, True),
        ({"openai_base": "https://gateway.example/v4"}, False),
        ({"endpoint": "https://gateway.example"}, False),
    ],
)
def test_keys_of_other_servers_do_not_travel(changes: dict[str, str], is_own: bool) -> None:
    assert is_vendors(BUILTIN_SERVERS[0].model_copy(update=changes)) is is_own
