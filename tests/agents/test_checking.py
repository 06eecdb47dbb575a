"""The check of `make agents` sees what it should, and answers all the same."""

from __future__ import annotations

import aiohttp
import pytest

from tests.agents.checking import CheckingUpstream

GOOD = b'{"model":"glm-4.6","messages":[{"role":"user","content":"Hello"}]}'


@pytest.mark.parametrize(
    ("body", "key", "rules"),
    [
        pytest.param(GOOD, "upstream", [], id="legal"),
        pytest.param(GOOD, "local", ["[secret"], id="local key"),
        pytest.param(GOOD.replace(b"Hello", b""), "upstream", ["[empty text"], id="empty message"),
        pytest.param(b"{", "upstream", ["[json"], id="no JSON"),
    ],
)
async def test_each_request_is_checked_and_answered(body: bytes, key: str, rules: list[str]) -> None:
    upstream = CheckingUpstream(secrets=("local",))
    server = await upstream.start()
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    try:
        address = f"{server.openai_base}/chat/completions"
        async with aiohttp.ClientSession() as client, client.post(address, data=body, headers=headers) as answer:
            said = await answer.json()
    finally:
        await upstream.stop()
    assert {"choices", "error"} & said.keys()
    (check,) = upstream.checks
    assert check.dialect == "openai"
    assert [rule.split("]")[0] for rule in check.broken] == rules


@pytest.mark.parametrize(("role", "status"), [("system", 422), ("assistant", 200)])
async def test_a_system_message_among_the_others_is_refused(role: str, status: int) -> None:
    upstream = CheckingUpstream(secrets=())
    server = await upstream.start()
    says = [{"role": who, "content": "Hello"} for who in ("user", role, "user")]
    body = {"model": "glm-4.6", "max_tokens": 9, "messages": says}
    headers = {"x-api-key": "upstream", "anthropic-version": "2023-06-01"}
    try:
        address = f"{server.anthropic_base}/v1/messages"
        async with aiohttp.ClientSession() as client, client.post(address, json=body, headers=headers) as answer:
            said = await answer.json()
    finally:
        await upstream.stop()
    assert answer.status == status
    assert said.get("detail", [{}])[0].get("loc") == (["body", "messages", 1, "role"] if status == 422 else None)
    assert [check.broken for check in upstream.checks] == [()]
