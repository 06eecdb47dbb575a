"""The upstream of the bench: a raw asyncio protocol with canned replies in both dialects, light enough not to count.

A request says what it wants by a mark in its text, `[[bench CHUNKS PACE_MS]]`; without one it gets a short plain
answer. Each text chunk of a stream carries the monotonic time at which it was written, `@NANOSECONDS@`, so that the
client can tell how long it was on its way.

usage: python -m tests.bench.upstream  → prints its port and serves until it is ended
"""

from __future__ import annotations

import asyncio
import re
import sys
import time

MARK = re.compile(rb"\[\[bench (\d+) (\d+)\]\]")
EDGE_BYTES = 8192  # the mark stands near either end of a body, so that 2 MB need no search

HEAD_PLAIN = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s"
HEAD_STREAM = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
WORDS = b"The quick brown fox jumps over the lazy dog and keeps on running through the wood. " * 4

ANTHROPIC_ANSWER = (
    b'{"id":"msg_1","type":"message","role":"assistant","model":"glm-4.6","content":[{"type":"text","text":"%s"}],'
    b'"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":120,"output_tokens":64}}' % WORDS
)
ANTHROPIC_START = (
    b'event: message_start\ndata: {"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant",'
    b'"model":"glm-4.6","content":[],"stop_reason":null,"stop_sequence":null,'
    b'"usage":{"input_tokens":120,"output_tokens":1}}}\n\n'
    b'event: content_block_start\ndata: {"type":"content_block_start","index":0,'
    b'"content_block":{"type":"text","text":""}}\n\n'
)
ANTHROPIC_CHUNK = (
    b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,'
    b'"delta":{"type":"text_delta","text":"@%d@ word"}}\n\n'
)
ANTHROPIC_END = (
    b'event: content_block_stop\ndata: {"type":"content_block_stop","index":0}\n\n'
    b'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},'
    b'"usage":{"output_tokens":64}}\n\n'
    b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
)

OPENAI_ANSWER = (
    b'{"id":"c1","object":"chat.completion","created":1760000000,"model":"glm-4.6","choices":[{"index":0,'
    b'"message":{"role":"assistant","content":"%s"},"finish_reason":"stop"}],'
    b'"usage":{"prompt_tokens":120,"completion_tokens":64,"total_tokens":184}}' % WORDS
)
OPENAI_BASE = b'data: {"id":"c1","object":"chat.completion.chunk","created":1760000000,"model":"glm-4.6","choices":'
OPENAI_START = OPENAI_BASE + b'[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}\n\n'
OPENAI_CHUNK = OPENAI_BASE + b'[{"index":0,"delta":{"content":"@%d@ word"},"finish_reason":null}]}\n\n'
OPENAI_END = (
    OPENAI_BASE + b'[{"index":0,"delta":{},"finish_reason":"stop"}],'
    b'"usage":{"prompt_tokens":120,"completion_tokens":64,"total_tokens":184}}\n\ndata: [DONE]\n\n'
)


class Upstream(asyncio.Protocol):
    """One connection; requests on it come one after the other, as aiohttp's client sends them."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport
        self.head = b""
        self.body = bytearray()
        self.missing = -1  # bytes of the body still to come; -1: the head is not whole yet

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.body += data
        if self.missing < 0:
            end = self.body.find(b"\r\n\r\n")
            if end < 0:
                return
            self.head = bytes(self.body[:end]).lower()
            del self.body[: end + 4]
            self.missing = content_length(self.head)
        if len(self.body) >= self.missing:
            self.answer()

    def answer(self) -> None:
        """The whole request is here."""
        openai = b"/chat/completions" in self.head.split(b"\r\n", 1)[0]
        mark = MARK.search(self.body[-EDGE_BYTES:]) or MARK.search(self.body[:EDGE_BYTES])
        self.body = bytearray()
        self.missing = -1
        if mark is None:
            answer = OPENAI_ANSWER if openai else ANTHROPIC_ANSWER
            self.transport.write(HEAD_PLAIN % (len(answer), answer))
            return
        stream = (
            (OPENAI_START, OPENAI_CHUNK, OPENAI_END) if openai else (ANTHROPIC_START, ANTHROPIC_CHUNK, ANTHROPIC_END)
        )
        self.transport.write(HEAD_STREAM + chunked(stream[0]))
        self.step(stream, int(mark[1]), int(mark[2]) / 1000)

    def step(self, stream: tuple[bytes, bytes, bytes], left: int, pace_s: float) -> None:
        """Write the next chunk (without a pace: all of them), then the end."""
        if self.transport.is_closing():
            return
        if pace_s and left:
            self.transport.write(chunked(stream[1] % time.monotonic_ns()))
            asyncio.get_running_loop().call_later(pace_s, self.step, stream, left - 1, pace_s)
            return
        rest = b"".join(chunked(stream[1] % time.monotonic_ns()) for _ in range(left))
        self.transport.write(rest + chunked(stream[2]) + b"0\r\n\r\n")


def content_length(head: bytes) -> int:
    """The body's length by the head's own word; 0 without one (the proxies under test always send one)."""
    found = re.search(rb"\r\ncontent-length: *(\d+)", head)
    return int(found[1]) if found else 0


def chunked(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


async def serve() -> None:
    """Serve on any free loopback port until the process is ended."""
    server = await asyncio.get_running_loop().create_server(Upstream, "127.0.0.1", 0, backlog=512)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    sys.exit(asyncio.run(serve()))
