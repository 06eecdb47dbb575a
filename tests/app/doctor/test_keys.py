from __future__ import annotations

import pytest

from app.doctor import keys
from app.secrets import MemoryStore
from tests.app.doctor.grounds import NOWHERE, make_ground
from tests.app.runtimes import BrokenStore

KEY = "0123456789abcdef0123456789abcdef.AbCdEf"
IN_CLEAR = f"own:\n  endpoint: {NOWHERE}\n  api_key: {KEY}\n"


@pytest.fixture
def store(monkeypatch, request):
    made = request.param()
    monkeypatch.setattr(keys, "KeyringStore", lambda **_: made)
    return made


def holding() -> MemoryStore:
    return MemoryStore({"own": KEY, "proxy-access-key": KEY})


@pytest.mark.parametrize(
    ("probe", "store", "given", "grade"),
    [
        (keys.keyring, MemoryStore, {}, "pass"),
        (keys.keyring, BrokenStore, {}, "warn"),
        (keys.key, holding, {}, "pass"),
        (keys.key, MemoryStore, {}, "warn"),
        (keys.key, MemoryStore, {"config": "forward_client_key: false\n"}, "fail"),
        (keys.key, MemoryStore, {"status": {"server": "demo"}}, "pass"),
        (keys.key, MemoryStore, {"environ": {"SERVER_API_KEY": KEY}}, "pass"),
        (keys.accepted, MemoryStore, {}, "skip"),
        (keys.accepted, holding, {"online": False}, "skip"),
        (keys.accepted, holding, {}, "fail"),
        (keys.in_clear, MemoryStore, {}, "pass"),
        (keys.in_clear, MemoryStore, {"servers": IN_CLEAR}, "warn"),
        (keys.access_key, MemoryStore, {}, "pass"),
        (keys.access_key, holding, {"config": "require_access_key: true\n"}, "pass"),
        (keys.access_key, BrokenStore, {"config": "require_access_key: true\n"}, "warn"),
        (keys.access_key, MemoryStore, {"config": "require_access_key: true\n"}, "warn"),
    ],
    indirect=["store"],
)
def test_what_is_wrong_is_found(tmp_path, probe, store, given, grade):
    found = probe(make_ground(tmp_path, **given))
    assert (found.grade, bool(found.remedy), KEY in found.said) == (grade, grade in ("warn", "fail"), False)


@pytest.mark.parametrize("store", [MemoryStore], indirect=True)
def test_keys_in_clear_move_into_the_keyring(tmp_path, store):
    ground = make_ground(tmp_path, servers=IN_CLEAR)
    assert keys.in_clear(ground).fix().startswith("Moved into the keyring: own.")
    assert (store._secrets, KEY in (ground.home / "servers.yaml").read_text()) == ({"own": KEY}, False)
