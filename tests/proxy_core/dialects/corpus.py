"""The corpus of upstream streams: one quirk a file, and what each client is told of it.

`tests/data/streams/<dialect>/<quirk>.sse` holds the bytes as an upstream of that dialect sends them;
`<quirk>.expected.json` beside it the events of each client dialect, as pairs of SSE name and parsed data. A lone
comment is told as [":", its text].

    python -m tests.proxy_core.dialects.corpus --write [quirk…]

writes the expectations anew from what the translators do now. Read the difference before you commit it: a wrong
event is a fault to mend, not an expectation. What is wrong or in doubt now stands in `OPEN`, is null in the file and
is compared with nothing; whoever mends it takes the line out and writes the expectation.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from proxy_core.chat import Delta, Failed, Finished
from proxy_core.dialects.base import Dialect, ReplyContext, StreamRelay, Target
from proxy_core.dialects.crossing import Crossing
from proxy_core.dialects.restraint import Restraints
from proxy_core.dialects.table import CLIENT_DIALECTS, DIALECTS
from proxy_core.jsontypes import JsonObject
from proxy_core.routing.catalogue import model_facts
from proxy_core.wire.sse import SseDecoder

STREAMS = Path(__file__).parents[2] / "data" / "streams"
CLIENTS = ("anthropic", "openai", "responses")
Told = list[list[object]]

# Ids, times and the prompt's size, where they are ours and not the upstream's, are the same in every run.
CONTEXT = ReplyContext(model="asked", fresh_id="fresh", created=7, wants_usage=True, estimate_prompt=lambda: 12)
OPEN: dict[str, dict[str, str]] = {}
_MODEL = re.compile(rb'"model": ?"([^"]+)"')
_LINE_END = re.compile(r"\r\n|\r|\n")


def stream_files() -> list[Path]:
    """Every stream of the corpus."""
    return sorted(STREAMS.glob("*/*.sse"))


def name_of(stream: Path) -> str:
    """`<dialect>/<quirk>`."""
    return f"{stream.parent.name}/{stream.stem}"


def clients_of(stream: Path) -> list[str]:
    """The clients for which it is settled what they are told of this stream."""
    return [client for client in CLIENTS if client not in OPEN.get(name_of(stream), {})]


def expectation_of(stream: Path) -> Path:
    """Where the events are that clients are told of a stream."""
    return stream.with_suffix(".expected.json")


def relayed(stream: Path, client: str, chunk_bytes: int) -> bytes:
    """What a client is sent when the stream comes in pieces of this size; read as `pipeline.stream` does."""
    data = stream.read_bytes()
    decoder, relay, sent = SseDecoder(), _open(stream, client, data), b""
    for start in range(0, len(data), chunk_bytes):
        for event in decoder.feed(data[start : start + chunk_bytes]):
            out, deltas = relay.relay(event)
            sent += out
            if _has_ended(deltas):
                return sent
    for event in decoder.flush():
        out, deltas = relay.relay(event)
        sent += out
        if _has_ended(deltas):
            return sent
    return sent + relay.close()[0]


def _has_ended(deltas: Iterable[Delta]) -> bool:
    return any(isinstance(delta, Finished | Failed) for delta in deltas)


def _open(stream: Path, client: str, data: bytes) -> StreamRelay:
    upstream = DIALECTS[stream.parent.name]
    found = _MODEL.search(data)
    restraints = _restraints(upstream, found[1].decode() if found else "glm-4.6")
    if client == upstream.name and not restraints.is_needed:
        return upstream.open_relay(CONTEXT)
    return Crossing(upstream.open_reader(), CLIENT_DIALECTS[client].open_writer(CONTEXT), restraints)


def _restraints(upstream: Dialect, model: str) -> Restraints:
    """What this model's answers need, by the writer of the requests to it."""
    body: JsonObject = {"model": model, "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]}
    return upstream.write_request(upstream.read_request(body), Target(model, model_facts(model))).restraints


def told(sent: bytes) -> Told:
    """The events in a client's bytes, read by the standard and not by the proxy's own decoder."""
    return list(_events(_LINE_END.split(sent.decode())))


def _events(lines: Iterable[str]) -> Iterator[list[object]]:
    name = ""
    data: list[str] = []
    comment: list[str] = []
    for line in lines:
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if line and not field:
            comment.append(value)
        elif field == "event":
            name = value
        elif field == "data":
            data.append(value)
        elif not line:
            if data:
                yield [name, _parsed("\n".join(data))]
            elif comment or name:
                yield [name or ":", "\n".join(comment)]
            name, data, comment = "", [], []
    assert not (name or data or comment), "the last event is not complete"


def _parsed(data: str) -> object:
    return data if data.strip() == "[DONE]" else json.loads(data)


def expected_text(stream: Path) -> str:
    """An expectation as it stands in its file: one event a line."""
    clients = [f"{json.dumps(client)}: null" for client in OPEN.get(name_of(stream), {})]
    for client in clients_of(stream):
        lines = ",\n".join(json.dumps(event, ensure_ascii=False) for event in told(relayed(stream, client, 1 << 20)))
        clients.append(f"{json.dumps(client)}: [\n{lines}\n]")
    return "{\n" + ",\n".join(clients) + "\n}\n"


def main(arguments: list[str]) -> int:
    """Write the expectations of all quirks, or of those named."""
    if arguments[:1] != ["--write"]:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    for stream in stream_files():
        if not arguments[1:] or stream.stem in arguments[1:]:
            expectation_of(stream).write_text(expected_text(stream), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
