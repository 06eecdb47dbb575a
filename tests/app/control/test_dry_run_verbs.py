from __future__ import annotations

import pytest

from app.control.client import ControlError

BODY = {"model": "claude-sonnet-4", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}


async def test_a_request_is_shown_as_it_would_go(ask):
    found = await ask(lambda client: client.dry_run("anthropic", BODY))
    assert (found["body"]["messages"], "demo/anthropic/glm-4.6" in found["route"]) == (BODY["messages"], True)
    assert found["ledger"]["cuts"] == []


async def test_bodies_as_large_as_requests_are_taken(ask):
    body = BODY | {"messages": [{"role": "user", "content": "a " * 700_000}]}
    found = await ask(lambda client: client.dry_run("openai", body))
    assert found["ledger"]["tokens_before"] > 100_000


@pytest.mark.parametrize(
    ("dialect", "body", "status"),
    [("klingon", BODY, 400), ("anthropic", {"model": "glm-4.6"}, 400), ("anthropic", BODY | {"model": "nobody"}, 404)],
)
async def test_what_would_be_refused_is(ask, dialect, body, status):
    with pytest.raises(ControlError) as refused:
        await ask(lambda client: client.dry_run(dialect, body))
    assert refused.value.status == status


async def test_other_bodies_stay_small(ask):
    with pytest.raises(ControlError) as refused:
        await ask(lambda client: client.put_key("cn", "x" * 2**21))
    assert refused.value.status == 413
