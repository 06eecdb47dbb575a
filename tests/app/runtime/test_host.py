from __future__ import annotations

import asyncio

import aiohttp
import pytest
import pytest_asyncio

from app.logs.hidden import without_secrets
from app.runtime.keychain import KeySource
from app.secrets import MemoryStore
from app.settings.book import UnknownServerError
from app.settings.problems import SettingsRefusedError
from proxy_core.facts import ModelFacts
from proxy_core.server.runner import OpenListenerError, PortInUseError
from proxy_core.settings import DialectName, Server
from tests.app.runtimes import BrokenStore, ask, free_port, make_runtime, taken_port


@pytest_asyncio.fixture
async def demo(tmp_path):
    """A started runtime with the demo as its current server."""
    runtime = make_runtime(tmp_path, demo=True)
    await runtime.start()
    yield runtime
    await runtime.stop()


def config_text(runtime) -> str:
    return (runtime.home / "config.yaml").read_text()


def no_space(*_: object) -> None:
    raise OSError(28, "No space left on device")


async def test_it_serves_and_counts(demo):
    status, _ = await ask(demo)
    seen = demo.state.snapshot()
    assert (status, seen.totals.requests, seen.in_flight, seen.last_error) == (200, 1, 0, "")
    assert (seen.server, seen.servers) == ("demo", ("international", "cn", "demo"))
    assert demo.base_url(DialectName.OPENAI) == f"http://{seen.address}/v1"
    assert demo.base_url(DialectName.ANTHROPIC) == f"http://{seen.address}"


async def test_stopping_twice_at_once_ends_everything_once(demo):
    await asyncio.gather(demo.stop(), demo.stop())
    assert (demo.proxy.address, demo.state.snapshot().address, demo.base_url("openai")) == (None, "", "")
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_stopping_what_never_started_is_fine(tmp_path):
    runtime = make_runtime(tmp_path, demo=True)
    await runtime.stop()
    assert runtime.proxy.address is None


async def test_cut_ends_the_wait_for_streams(tmp_path):
    runtime = make_runtime(tmp_path, demo=True, config="shutdown_grace: 600\n")
    await runtime.start()
    asking = asyncio.gather(ask(runtime, text="error slow"), return_exceptions=True)
    async with asyncio.timeout(10):
        while not runtime.proxy.in_flight:
            await asyncio.sleep(0.01)
        stopping = asyncio.gather(runtime.stop())
        await asyncio.sleep(0.05)
        runtime.cut()
        await stopping
        await asking
    assert runtime.proxy.in_flight == 0


async def test_the_meter_is_read_every_second(tmp_path, monkeypatch):
    monkeypatch.setattr("app.runtime.host.STEP_S", 0.01)
    runtime = make_runtime(tmp_path)
    await runtime.start()
    async with asyncio.timeout(10):
        while len(runtime.meter.series) < 2:
            await asyncio.sleep(0.01)
    await runtime.stop()
    assert len(runtime.meter.series) >= 2


async def test_a_taken_port_is_told_and_another_may_be_tried(tmp_path):
    holder, port = taken_port()
    runtime = make_runtime(tmp_path, demo=True, config=f"port: {port}\n")
    with holder, pytest.raises(PortInUseError):
        await runtime.start()
    await runtime.start(port=0)
    status, _ = await ask(runtime)
    await runtime.switch_server("cn")
    await runtime.stop()
    assert (status, config_text(runtime)) == (200, f"port: {port}\ncurrent_server: cn\n")


async def test_after_a_failed_start_another_port_may_be_applied(tmp_path):
    holder, port = taken_port()
    runtime = make_runtime(tmp_path, demo=True, config=f"port: {port}\n", dotenv="FOREIGN=1\n")
    with holder:
        for attempt in (runtime.start(), runtime.apply({"port": port})):
            with pytest.raises(PortInUseError):
                await attempt
        await runtime.apply({"debug": False})
    unsaid = runtime.state.snapshot().notices
    await runtime.apply({"port": 0})
    status, _ = await ask(runtime)
    said = runtime.state.snapshot().notices
    await runtime.stop()
    assert (status, unsaid, len(said), config_text(runtime)) == (200, (), 1, "port: 0\n")


@pytest.mark.parametrize(
    ("sources", "is_let_in"),
    [
        ({"environ": {"PROXY_ACCESS_KEY": "access-key-1"}}, True),
        ({"config": "require_access_key: true\n"}, True),
        ({}, False),
    ],
)
async def test_an_open_address_needs_an_access_key(tmp_path, sources, is_let_in):
    config = f"host: 0.0.0.0\n{sources.pop('config', '')}"
    runtime = make_runtime(tmp_path, config=config, **sources)
    if is_let_in:
        await runtime.start()
        assert runtime.state.snapshot().address.startswith("127.0.0.1:")
    else:
        with pytest.raises(OpenListenerError, match="PROXY_ACCESS_KEY"):
            await runtime.start()
    await runtime.stop()


async def test_an_open_address_cannot_lose_its_access_key(tmp_path):
    runtime = make_runtime(tmp_path, config="host: 0.0.0.0\nrequire_access_key: true\n")
    await runtime.start()
    key = runtime.access_key
    with pytest.raises(OpenListenerError):
        await runtime.apply({"require_access_key": False})
    assert (runtime.access_key, runtime.store.current.require_access_key) == (key, True)
    await runtime.stop()


async def test_the_access_key_is_demanded_from_the_next_request_on(demo):
    await demo.apply({"require_access_key": True})
    refused, _ = await ask(demo)
    served, _ = await ask(demo, key=demo.access_key)
    await demo.apply({"require_access_key": False})
    again, _ = await ask(demo)
    assert (refused, served, again) == (401, 200, 200)


@pytest.mark.parametrize("name", ["cn", "inter"])
async def test_switching_lasts(tmp_path, name):
    runtime = make_runtime(
        tmp_path, config="current_server: own # mine\n", servers="own:\n  endpoint: https://a\ncn: {}\ninter: {}\n"
    )
    await runtime.start()
    await runtime.switch_server(name)
    seen = runtime.state.snapshot()
    await runtime.stop()
    expected = {"cn": "cn", "inter": "international"}[name]
    assert (seen.server, seen.notices) == (expected, ())
    assert config_text(runtime).split() == f"port: 0 current_server: {expected} # mine".split()


async def test_switching_away_from_what_the_command_line_said_is_remembered(tmp_path):
    runtime = make_runtime(tmp_path, flags={"current_server": "cn"})
    await runtime.start()
    await runtime.switch_server("international")
    seen = runtime.state.snapshot()
    await runtime.stop()
    assert (seen.server, seen.notices) == ("international", ())
    assert config_text(runtime) == "port: 0\ncurrent_server: international\n"


async def test_switching_what_the_environment_fixed_holds_for_this_run_and_says_so(tmp_path):
    runtime = make_runtime(tmp_path, environ={"CURRENT_SERVER": "cn"})
    await runtime.start()
    await runtime.switch_server("international")
    seen = runtime.state.snapshot()
    await runtime.stop()
    assert (seen.server, config_text(runtime)) == ("international", "port: 0\n")
    assert seen.notices == (
        "current_server = international holds for this run only: CURRENT_SERVER (environment) "
        "decides at the next start.",
    )


async def test_switching_takes_effect_for_the_next_request_and_the_demo_is_not_written(tmp_path):
    runtime = make_runtime(tmp_path, demo=True, flags={"current_server": "cn"}, environ={"FORWARD_CLIENT_KEY": "no"})
    await runtime.start()
    before, _ = await ask(runtime)
    await runtime.switch_server("demo")
    after, _ = await ask(runtime)
    await runtime.stop()
    assert (before, after, config_text(runtime)) == (401, 200, "port: 0\n")


async def test_an_unknown_server_is_refused(demo):
    with pytest.raises(UnknownServerError, match="Did you mean demo"):
        await demo.switch_server("demmo")
    with pytest.raises(UnknownServerError):
        await demo.apply({"current_server": "nowhere", "theme": "dark"})
    assert (demo.store.current.current_server, demo.store.current.theme) == ("demo", "auto")


async def test_pausing(demo):
    demo.pause()
    paused, _ = await ask(demo)
    shown = demo.state.snapshot().paused
    demo.resume()
    resumed, _ = await ask(demo)
    assert (paused, shown, resumed, demo.state.snapshot().paused) == (503, True, 200, False)


async def test_a_new_port_is_bound_and_written(demo):
    port = free_port()
    await demo.apply({"port": port, "theme": "dark"})
    status, _ = await ask(demo)
    assert (status, demo.state.snapshot().address) == (200, f"127.0.0.1:{port}")
    assert config_text(demo) == f"port: {port}\ntheme: dark\n"


async def test_a_taken_port_takes_everything_back(demo):
    holder, port = taken_port()
    address, settings = demo.proxy.address, demo.store.current
    with holder, pytest.raises(PortInUseError):
        await demo.apply({"port": port, "theme": "dark"})
    assert (demo.proxy.address is not None, demo.store.current == settings) == (True, True)
    assert (config_text(demo), address is not None) == ("port: 0\n", True)
    assert (await ask(demo))[0] == 200


async def test_a_file_that_cannot_be_written_takes_everything_back(demo, monkeypatch):
    port = demo.proxy.address[1]
    await demo.apply({"port": free_port()})
    settings, address = demo.store.current, demo.proxy.address
    monkeypatch.setattr("app.settings.yamlfile.write_private", no_space)
    with pytest.raises(OSError, match="No space"):
        await demo.apply({"port": port})
    assert (demo.store.current, demo.proxy.address) == (settings, address)
    assert (await ask(demo))[0] == 200


async def test_a_bad_value_changes_nothing(demo):
    settings = demo.store.current
    with pytest.raises(SettingsRefusedError, match="a whole number from 0 to 65535"):
        await demo.apply({"port": 70_000, "theme": "dark"})
    assert (demo.store.current, config_text(demo)) == (settings, "port: 0\n")


async def test_keys_are_kept_used_and_forgotten(tmp_path):
    store = MemoryStore()
    runtime = make_runtime(tmp_path, secrets=store)
    had = await runtime.has_key("cn")
    await runtime.set_key("cn", " 0123.Secret\n")
    kept = (await runtime.has_key("cn"), await store.get("cn"), await runtime.key_source("cn"))
    await runtime.delete_key("cn")
    assert (had, kept, await runtime.has_key("cn")) == (False, (True, "0123.Secret", KeySource.STORED), False)
    assert runtime.key_problem is None


@pytest.mark.parametrize("key", ["", "  ", "two words", "schlüssel"])
async def test_what_is_no_key_is_refused(tmp_path, key):
    runtime = make_runtime(tmp_path)
    with pytest.raises(SettingsRefusedError, match="this is not a key"):
        await runtime.set_key("cn", key)
    assert not await runtime.has_key("cn")


async def test_without_a_keyring_keys_work_for_this_run_and_that_is_said(tmp_path):
    runtime = make_runtime(tmp_path, secrets=BrokenStore())
    await runtime.set_key("cn", "0123.Secret")
    assert (await runtime.key_source("cn"), runtime.key_problem) == (KeySource.HELD, "The system keyring is locked.")
    assert runtime.state.snapshot().notices == ("The system keyring is locked.",)


async def test_a_key_from_the_environment_is_for_the_server_that_is_current_at_start(tmp_path):
    environ = {"SERVER_API_KEY": "from-environ-1", "CURRENT_SERVER": "cn"}
    runtime = make_runtime(tmp_path, environ=environ, secrets=MemoryStore({"cn": "stored-key-1"}))
    await runtime.set_key("cn", "stored-key-2")
    assert (await runtime.keys.key_of("cn"), await runtime.key_source("international")) == (
        "from-environ-1",
        KeySource.NONE,
    )
    assert "SERVER_API_KEY (environment) is set and is used for cn" in runtime.state.snapshot().notices[0]


async def test_the_keyring_problem_is_said_at_start(tmp_path):
    runtime = make_runtime(tmp_path, secrets=BrokenStore())
    await runtime.start()
    async with asyncio.timeout(5):
        while not runtime.state.snapshot().notices:
            await asyncio.sleep(0.01)
    await runtime.stop()
    assert runtime.state.snapshot().notices == ("The system keyring is locked.",)


async def test_trying_keys(demo):
    good = await demo.try_key("demo", "any-key")
    used = await demo.try_key("demo", None)
    wrong = await demo.try_key("demo", "wrong-key")
    none = await demo.try_key("cn", None)
    assert [good.ok, used.ok, wrong.ok, none.ok] == [True, True, False, False]
    assert (wrong.status, none.message) == (401, "There is no key for cn.")


async def test_only_keys_of_the_vendor_are_examined(demo, monkeypatch):
    examined = []

    async def examine(key):
        examined.append(key)

    monkeypatch.setattr(demo.proxy, "examine_key", examine)
    await demo.put_server(Server(name="mine", endpoint="https://mine.example"))
    for server, key in [("demo", "a"), ("mine", "b"), ("cn", " c "), ("international", None)]:
        await demo.examine_key(server, key)
    assert examined == ["c"]


async def test_servers_are_added_changed_and_removed(demo):
    await demo.put_server(Server(name="mine", endpoint="https://mine.example"))
    added = demo.state.snapshot().servers
    await demo.remove_server("mine")
    with pytest.raises(SettingsRefusedError, match="is in use"):
        await demo.remove_server("demo")
    assert ("mine" in added, "mine" in demo.state.snapshot().servers) == (True, False)


async def test_the_first_start_writes_servers_yaml(tmp_path):
    runtime = make_runtime(tmp_path)
    await runtime.start()
    await runtime.stop()
    assert (runtime.home / "servers.yaml").stat().st_mode & 0o777 == 0o600


async def test_what_was_found_at_loading_is_said(tmp_path):
    runtime = make_runtime(tmp_path, servers="cn:\n  api_key: 0123456789abcdef.cn\n", dotenv="FOREIGN=1\n")
    await runtime.start()
    notices = runtime.state.snapshot().notices
    await runtime.stop()
    assert ["names no setting" in notices[0], "holds keys in clear" in notices[1]] == [True, True]


async def test_models_that_only_the_server_knows_are_listed(tmp_path, monkeypatch):
    monkeypatch.setattr("app.demo.upstream.MODELS", (ModelFacts("house-7b"),))
    runtime = make_runtime(tmp_path, demo=True)
    await runtime.start()
    async with asyncio.timeout(5), aiohttp.ClientSession() as session:
        names = []
        while "house-7b" not in names:
            async with session.get(f"{runtime.base_url('openai')}/models") as response:
                names = [entry["id"] for entry in (await response.json())["data"]]
    await runtime.stop()
    assert "glm-5.3" in names


async def test_a_fail_over_server_must_exist_and_stays_while_it_is_named(demo):
    with pytest.raises(UnknownServerError):
        await demo.apply({"failover_server": "nowhere"})
    await demo.apply({"failover_server": "cn"})
    with pytest.raises(SettingsRefusedError, match="is in use"):
        await demo.remove_server("cn")
    assert demo._current_setup().failover == demo.servers.get("cn")
    await demo.apply({"failover_server": "demo"})
    assert demo._current_setup().failover is None


@pytest.mark.parametrize("by_hand", ["same", "other"])
async def test_a_switch_by_hand_trusts_every_server_again(demo, monkeypatch, by_hand):
    resets = []
    monkeypatch.setattr(demo.proxy, "reset_breakers", lambda: resets.append(1))
    await demo.apply({"fast_model": "glm-4.7"})
    assert resets == []
    await demo.switch_server("demo" if by_hand == "same" else "cn")
    assert resets


async def test_a_shared_store_that_is_not_there_is_said_without_its_password(tmp_path):
    environ = {"SHARED_STORE": f"redis://:hunter2-password@127.0.0.1:{free_port()}/0"}
    runtime = make_runtime(tmp_path, demo=True, environ=environ)
    await runtime.start()
    status, _ = await ask(runtime)
    (notice,) = [said for said in runtime.state.snapshot().notices if "shared store" in said]
    await runtime.stop()
    assert status == 200
    assert "goes on by itself" in notice
    assert "hunter2" not in notice
    assert "hunter2" not in without_secrets("a line that says hunter2-password")
