"""The requests of the bench, as the bytes that go over the wire."""

from __future__ import annotations

import base64
import functools
import io
import json
import random

from PIL import Image

MESSAGES = "/v1/messages"
CHAT = "/v1/chat/completions"
PARAGRAPH = (
    "def walk(tree): return [leaf for branch in tree for leaf in branch]  # as the file says, line by line\n" * 20
)


def http(path: str, body: dict[str, object]) -> bytes:
    """One request with a JSON body."""
    data = json.dumps(body).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer bench\r\nanthropic-version: 2023-06-01\r\n"
    )
    return f"{head}content-type: application/json\r\ncontent-length: {len(data)}\r\n\r\n".encode() + data


def small(path: str) -> bytes:
    """A question of one line."""
    return http(path, {"model": "glm-4.6", "max_tokens": 512, "messages": [{"role": "user", "content": "Say hello."}]})


def long_talk(path: str) -> bytes:
    """200 KB of conversation, as a coding agent has after some turns."""
    roles = ("user", "assistant")
    talk: list[object] = [{"role": roles[i % 2], "content": f"{i}: {PARAGRAPH}"} for i in range(98)]
    talk.append({"role": "user", "content": "Go on."})
    return http(path, {"model": "glm-4.6", "max_tokens": 512, "messages": talk})


@functools.cache
def picture() -> str:
    """A PNG of noise in base64, about 2 MB."""
    side = 715
    image = Image.frombytes("RGB", (side, side), random.Random(1).randbytes(side * side * 3))
    data = io.BytesIO()
    image.save(data, "PNG", compress_level=1)
    return base64.b64encode(data.getvalue()).decode()


def with_picture(path: str) -> bytes:
    """A question about a picture of 2 MB."""
    part: dict[str, object] = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{picture()}"}}
    if path == MESSAGES:
        part = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": picture()}}
    content = [part, {"type": "text", "text": "What is this?"}]
    return http(path, {"model": "glm-4.6v", "max_tokens": 512, "messages": [{"role": "user", "content": content}]})


def stream(path: str, chunks: int, pace_ms: int) -> bytes:
    """A streamed answer of so many text chunks, one each pace_ms (0: all at once)."""
    question = f"Tell me. [[bench {chunks} {pace_ms}]]"
    body = {"model": "glm-4.6", "max_tokens": 512, "stream": True, "messages": [{"role": "user", "content": question}]}
    return http(path, body)
