"""Whatever goes wrong in a run that logs all it can: no key, no access key and no picture in any file or on stderr."""

from __future__ import annotations

import asyncio
import base64
import gzip
import io
import random
import re
import signal
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import orjson
import pytest

from app.demo.faults import FAULTS, anthropic_envelope, openai_envelope
from tests.app.programs import LIMIT_S, program
from tests.fake_upstream import FakeUpstream, Reply

SERVER_KEY = "0123456789abcdef0123456789abcdef.AbCdEfGh12345678"
CLIENT_KEY = "fedcba9876543210fedcba9876543210.ZyXwVuTs87654321"
ACCESS_KEY = "correct-horse-battery"
SECRETS = (SERVER_KEY, CLIENT_KEY, ACCESS_KEY)
NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
PICTURE = base64.b64encode(b"\x89PNG\r\n\x1a\n" + random.Random(7).randbytes(30_000)).decode()
SHARD = 24
ECHO = f"bad key {SERVER_KEY} for {CLIENT_KEY}, {ACCESS_KEY}, picture {PICTURE}"
TALK = {"model": "glm-4.6", "max_tokens": 5}
ANTHROPIC_PICTURE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PICTURE}}
OPENAI_PICTURE = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PICTURE}"}}
DOORS = ("/v1/messages", "/v1/chat/completions")

REPLIES = [
    Reply(),
    *[
        Reply(status=400, body=envelope(fault, NOON))
        for fault in FAULTS.values()
        for envelope in (anthropic_envelope, openai_envelope)
    ][:40],
    Reply(status=401, body={"error": {"message": ECHO, "code": "1002"}}),
    Reply(status=200, body={"error": {"message": ECHO}}),
    Reply(status=500, body=ECHO.encode()),
    Reply(status=502, body=b"<html>" + ECHO.encode() + b"</html>", headers={"content-type": "text/html"}),
    Reply(status=302, headers={"location": f"http://127.0.0.1:9/?key={SERVER_KEY}"}),
    Reply(body=ECHO.encode()),
    Reply(body=base64.b64decode(PICTURE)),
    Reply(body={"content": ECHO.replace("/", "\\/")}),
    Reply(cut_at=0, ending="abort"),
    Reply(cut_at=30, ending="abort"),
    Reply(cut_at=200, ending="close"),
    Reply(cut_at=200),
    Reply(
        body=b"data: " + orjson.dumps({"error": {"message": ECHO}}) + b"\n\n",
        headers={"content-type": "text/event-stream"},
    ),
    Reply(body=orjson.dumps({"error": {"message": ECHO * 10}}), status=400),
]


def visits() -> list[tuple[str, dict[str, object]]]:
    """One after the other: each door, whole and streamed, with a fresh picture and with an old one."""
    found: list[tuple[str, dict[str, object]]] = []
    for door, picture in zip(DOORS, (ANTHROPIC_PICTURE, OPENAI_PICTURE), strict=True):
        text = [{"role": "user", "content": "hi"}]
        shown = [{"role": "user", "content": [{"type": "text", "text": "look"}, picture]}]
        later = [*shown, *[{"role": role, "content": "so"} for role in ("assistant", "user") * 3]]
        found += [
            (door, TALK | {"stream": stream, "messages": m}) for stream in (False, True) for m in (text, shown, later)
        ]
    return found


@pytest.fixture
async def url(upstream: FakeUpstream) -> AsyncIterator[str]:
    upstream.is_checking = False
    server = await upstream.start()
    yield server.endpoint


async def provoke(port: int, upstream: FakeUpstream) -> None:
    """Everything that can go wrong, before and behind the door."""
    headers = {"x-api-key": CLIENT_KEY, "authorization": f"Bearer {ACCESS_KEY}", "user-agent": f"agent {CLIENT_KEY}"}
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}", headers=headers) as session:
        for number, reply in enumerate(REPLIES):
            upstream.reply = reply
            for path, body in visits() if number % 4 == 0 else visits()[number % 3 :: 3]:
                await send(session, path, body)
        upstream.reply = Reply()
        await send(session, "/v1/messages", TALK | {"model": CLIENT_KEY, "messages": ECHO})
        await send(session, f"/v1/{ACCESS_KEY}/x?key={SERVER_KEY}", TALK)
        for key in SECRETS:
            await send(session, f"/v1/models/{key}", {})
        huge = [{"role": "user", "content": [{"type": "text", "text": "word " * 10**6}, *[ANTHROPIC_PICTURE] * 100]}]
        await send(session, "/v1/messages", TALK | {"messages": huge})
        await send(session, "/v1/messages", TALK, authorization=f"Bearer {CLIENT_KEY}", **{"x-api-key": ""})
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"POST /v1/messages HTTP/1.1\r\nx-api-key {SERVER_KEY} {ACCESS_KEY}\r\n{PICTURE}\r\n\r\n".encode())
    await writer.drain()
    writer.close()


async def send(session: aiohttp.ClientSession, path: str, body: object, **headers: str) -> None:
    try:
        async with session.post(path, data=io.BytesIO(orjson.dumps(body)), headers=headers) as response:
            await response.read()
    except aiohttp.ClientError:
        pass  # a broken stream is what was asked for


def written(logs: Path) -> str:
    texts = [gzip.decompress(p.read_bytes()) if p.suffix == ".gz" else p.read_bytes() for p in logs.iterdir()]
    return b"\n".join(texts).decode()


async def test_no_log_holds_a_secret_or_a_picture(tmp_path: Path, url: str, upstream: FakeUpstream) -> None:
    bases = {"UPSTREAM_BASE": f"{url}/api/anthropic", "OPENAI_UPSTREAM_BASE": f"{url}/api/paas/v4"}
    keys = {"SERVER_API_KEY": SERVER_KEY, "PROXY_ACCESS_KEY": ACCESS_KEY}
    wishes = {"DEBUG": "1", "LOG_UPSTREAM_BODIES": "1", "MAX_RETRIES": "0", "IMAGE_AGE_THRESHOLD": "2"}
    with program(
        tmp_path, "--headless", "--port", "0", **bases, **keys, **wishes, IMAGE_DESCRIPTION_TIMEOUT="2"
    ) as process:
        stderr = asyncio.create_task(asyncio.to_thread(process.stderr.read))
        line = await asyncio.to_thread(process.stdout.readline)
        await provoke(int(re.search(r":(\d+) ", line)[1]), upstream)
        process.send_signal(signal.SIGTERM)
        await asyncio.to_thread(process.wait, LIMIT_S)
        said = line + await stderr
    text = written(tmp_path / ".anthropic-proxy" / "logs")
    assert (text.count('"exchange"') > 100, text.count('"body"') > 100, "Traceback" in said) == (True, True, False)
    assert [secret for secret in SECRETS if secret in text + said] == []
    shards = {PICTURE[place : place + SHARD] for place in range(0, len(PICTURE) - SHARD, SHARD)}
    assert [shard for shard in shards if shard in text or shard in said] == []
