"""Streams as upstreams send them, quirk by quirk, and the exact events that each client is told (see corpus.py)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.proxy_core.dialects.corpus import (
    CLIENTS,
    OPEN,
    clients_of,
    expectation_of,
    name_of,
    relayed,
    stream_files,
    told,
)

WHOLE = 1 << 20
SETTLED = [
    pytest.param(stream, client, id=f"{name_of(stream)}-{client}")
    for stream in stream_files()
    for client in clients_of(stream)
]


@pytest.mark.parametrize("chunk_bytes", [WHOLE, 1], ids=["whole", "by-byte"])
@pytest.mark.parametrize(("stream", "client"), SETTLED)
def test_a_client_is_told_exactly(stream: Path, client: str, chunk_bytes: int) -> None:
    expected = json.loads(expectation_of(stream).read_text(encoding="utf-8"))
    assert told(relayed(stream, client, chunk_bytes)) == expected[client]


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("stream", stream_files(), ids=name_of)
def test_it_does_not_matter_where_the_bytes_are_cut(stream: Path, client: str) -> None:
    whole = relayed(stream, client, WHOLE)
    assert [relayed(stream, client, size) for size in (1, 2, 7)] == [whole] * 3


def test_each_stream_has_its_expectation() -> None:
    streams = stream_files()
    assert set(streams[0].parents[1].glob("*/*.json")) == {expectation_of(stream) for stream in streams}
    assert set(OPEN) <= {name_of(stream) for stream in streams}
