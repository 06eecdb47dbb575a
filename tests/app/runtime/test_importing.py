from __future__ import annotations

from app.secrets import MemoryStore
from tests.app.homes import load_home
from tests.app.runtimes import BrokenStore, make_runtime

KEY = "0123456789abcdef.Secret"
SERVERS = f"cn:\n  api_key: {KEY}\n"


async def test_keys_move_into_the_keyring_and_out_of_the_file(tmp_path):
    store = MemoryStore()
    runtime = make_runtime(tmp_path, servers=SERVERS, secrets=store)
    report = await runtime.import_found_keys()
    assert (report.imported, report.left, runtime.found_keys) == (("cn",), (), ())
    assert await store.get("cn") == KEY
    assert load_home(tmp_path).found_keys == ()


async def test_without_a_keyring_the_file_stays_as_it_is_and_the_key_works(tmp_path):
    runtime = make_runtime(tmp_path, servers=SERVERS, secrets=BrokenStore())
    assert await runtime.keys.key_of("cn") == KEY
    report = await runtime.import_found_keys()
    assert (report.imported, [found.key for found in report.left], len(report.reasons)) == ((), [KEY], 1)
    assert (tmp_path / "home" / "servers.yaml").read_text() == SERVERS


async def test_another_key_in_the_keyring_is_not_overwritten(tmp_path):
    store = MemoryStore({"cn": "another"})
    runtime = make_runtime(tmp_path, servers=SERVERS, secrets=store)
    report = await runtime.import_found_keys()
    assert (await store.get("cn"), len(report.left)) == ("another", 1)
    assert KEY not in report.reasons[0] + repr(report)


async def test_a_file_that_cannot_be_changed_keeps_its_key(tmp_path):
    runtime = make_runtime(tmp_path, servers=SERVERS)
    path = tmp_path / "home" / "servers.yaml"
    path.write_text("[")
    report = await runtime.import_found_keys()
    assert "could not be changed" in report.reasons[0]
    assert path.read_text() == "["
