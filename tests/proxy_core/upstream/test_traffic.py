"""What is told of upstream requests, and that it is told once, however they end."""

from __future__ import annotations

import logging

import pytest

from proxy_core.upstream.traffic import BODIES_LOG, TRAFFIC_LOG
from tests.corridor import STORED_KEY, Corridor, call
from tests.fake_upstream import Reply

TALK = {"model": "glm-4.6", "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}]}


@pytest.fixture
def bodies() -> object:
    logger = logging.getLogger(BODIES_LOG)
    before = logger.level
    logger.setLevel(logging.DEBUG)
    yield
    logger.setLevel(before)


def told(caplog: pytest.LogCaptureFixture) -> list[dict[str, object]]:
    return [record.fields for record in caplog.records if record.name.startswith(TRAFFIC_LOG)]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("reply", "status", "error"),
    [
        (Reply(), 200, None),
        (Reply(status=400, body={"error": {"message": "no"}}), 400, None),
        (Reply(cut_at=20, ending="abort"), 200, "ClientPayloadError"),
        (Reply(status=302, headers={"location": "/x"}), 302, "upstream"),
    ],
)
async def test_each_request_and_its_end_are_told_once(
    corridor: Corridor, caplog: pytest.LogCaptureFixture, reply: Reply, stream: bool, status: int, error: str | None
) -> None:
    caplog.set_level(logging.DEBUG)
    corridor.change(max_retries=0)
    corridor.upstream.reply = reply
    await call(corridor, "POST", "/v1/messages", TALK | {"stream": stream})
    request, response = told(caplog)
    assert (request["event"], request["bytes"], request["stream"]) == (
        "upstream_request",
        len(corridor.upstream.last.raw),
        stream,
    )
    assert (response["event"], response["status"], response["url"]) == ("upstream_response", status, request["url"])
    assert (response.get("error") is None) == (error is None)
    assert response["bytes"] == len(corridor.upstream.last.sent) if error is None else True
    assert "body" not in request | response


async def test_a_server_that_is_not_there_is_told_too(corridor: Corridor, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    corridor.change(max_retries=0)
    corridor.server = corridor.server.model_copy(update={"endpoint": "http://127.0.0.1:9"})
    await call(corridor, "POST", "/v1/messages", TALK)
    assert [(facts["event"], facts.get("status")) for facts in told(caplog)] == [
        ("upstream_request", None),
        ("upstream_response", 0),
    ]


@pytest.mark.usefixtures("bodies")
async def test_bodies_come_without_the_key_that_was_sent(corridor: Corridor, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    corridor.upstream.reply = Reply(status=400, body={"error": {"message": f"bad key {STORED_KEY}"}})
    await call(corridor, "POST", "/v1/messages", TALK)
    request, response = told(caplog)
    assert (b'"hi"' in request["body"], b"bad key stor" in response["body"]) == (True, True)
    assert STORED_KEY.encode() not in request["body"] + response["body"]
