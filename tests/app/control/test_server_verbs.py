from __future__ import annotations

import pytest

from app.control.client import ControlError

KEY = "0123456789abcdef0123456789abcdef.AbCdEf"
OWN = {"endpoint": "http://127.0.0.1:9", "region": "Home"}


async def test_servers_come_with_key_breaker_and_distance(host, ask):
    await ask(lambda client: client.put_server("own", OWN))
    rows = {row["name"]: row for row in (await ask(lambda client: client.servers()))["servers"]}
    demo, own = rows["demo"], rows["own"]
    assert (demo["current"], demo["key"], demo["breaker"], rows["cn"]["builtin"]) == (True, "given", "closed", True)
    assert (own["endpoint"], own["key"], own["builtin"]) == (OWN["endpoint"], "none", False)


async def test_distance_is_measured_without_a_request(host, ask):
    for name in ("international", "cn"):
        await ask(lambda client, name=name: client.put_server(name, OWN))
    rows = {row["name"]: row["reach"] for row in (await ask(lambda client: client.servers(reach=True)))["servers"]}
    assert (rows["demo"]["ok"], rows["cn"]["ok"]) == (True, False)
    assert "cannot be reached" in rows["cn"]["message"]


async def test_a_server_is_changed_field_by_field_and_removed(host, ask):
    await ask(lambda client: client.put_server("own", OWN))
    changed = await ask(lambda client: client.put_server("own", {"plan": "payg"}))
    assert (changed["added"], host.runtime.servers.get("own").region) == (False, "Home")
    await ask(lambda client: client.remove_server("own"))
    assert "own" not in host.runtime.servers.names()


@pytest.mark.parametrize(
    ("verb", "status", "words"),
    [
        (lambda client: client.put_server("own", {"plan": "free"}), 400, "plan"),
        (lambda client: client.put_server("own", {"endpoint": "ftp://x"}), 400, "http"),
        (lambda client: client.put_server("a/b", {"endpoint": "http://x"}), 400, "name"),
        (lambda client: client.remove_server("demo"), 400, "in use"),
        (lambda client: client.remove_server("cnn"), 404, "Did you mean cn?"),
        (lambda client: client.put_key("cn", "two words"), 400, "not a key"),
        (lambda client: client.test_key("mars"), 404, "no server"),
        (lambda client: client.examine_key("demo"), 409, "vendor"),
    ],
)
async def test_refusals_come_in_words(ask, verb, status, words):
    with pytest.raises(ControlError) as refused:
        await ask(verb)
    assert (refused.value.status, words in str(refused.value)) == (status, True)


async def test_a_key_goes_in_and_never_comes_out(host, ask):
    stored = await ask(lambda client: client.put_key("cn", KEY))
    everything = [await ask(lambda client: client.servers()), await ask(lambda client: client.settings()), stored]
    assert (stored["key"], await host.runtime.keys.key_of("cn")) == ("stored", KEY)
    assert KEY not in str(everything)
    deleted = await ask(lambda client: client.delete_key("cn"))
    assert (deleted["key"], await host.runtime.has_key("cn")) == ("none", False)


async def test_a_key_is_tried(ask):
    trial = await ask(lambda client: client.test_key("demo"))
    none = await ask(lambda client: client.test_key("cn"))
    assert (trial["ok"], trial["status"], none["ok"], "no key" in none["message"]) == (True, 200, False, True)


async def test_keys_in_clear_are_imported(tmp_path, host, ask):
    assert await ask(lambda client: client.import_keys()) == {"imported": [], "left": 0, "reasons": []}
