"""`anthropic-proxy --self-test`: does the program as it is installed here work? One line a check, on stdout.

It uses a data folder of its own, a port of its own and the demo upstream: nothing of the user's is read or changed,
and nothing leaves the computer. What fails says so in its line; the reason is raised.
"""

from __future__ import annotations

import asyncio
import importlib
import sqlite3
import ssl
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import aiohttp
import orjson
import truststore
from PIL import features

from app.logs import setup_logging
from app.paths import ensure_home, resources
from app.runtime import Runtime
from app.secrets import MemoryStore
from app.settings.load import has_display, load
from proxy_core.jsontypes import JsonObject
from proxy_core.tokens.tables import load_encoder
from proxy_core.version import __version__

_WITHIN_S = 60.0
_TEXT = "Hello, how are you?"
_CJK_TEXT = "你好，今天怎么样？"
_KEYRING_PARTS = {
    "linux": ("keyring.backends.SecretService", "secretstorage", "jeepney.io.blocking"),
    "darwin": ("keyring.backends.macOS.api",),
    "win32": ("keyring.backends.Windows", "win32ctypes.pywin32.win32cred"),
}
_PICTURE_FORMATS = ("jpg", "webp", "zlib")


class SelfTestError(Exception):
    """A part is there but does not do its work."""


def demand(holds: object, fault: str) -> None:
    """Raise SelfTestError with these words unless something is true."""
    if not holds:
        raise SelfTestError(fault)


def run(*, headless: bool) -> int:
    """All checks; the exit code. headless: leave the window out. Raises what made a check fail."""
    _say("", f"anthropic-proxy {__version__} on Python {sys.version.partition(' ')[0]}, {sys.platform}")
    _check_parts()
    with tempfile.TemporaryDirectory(prefix="anthropic-proxy-") as folder:
        runtime = _make_runtime(Path(folder))
        if headless or find_spec("PySide6") is None:
            why = "left out, as asked" if headless else "PySide6 is not installed: headless only"
            _say("skip", f"desktop: {why}")
            asyncio.run(_serve(runtime))
        else:
            _show(runtime)
    _say("", "All is well.")
    return 0


def _make_runtime(home: Path) -> Runtime:
    home = home / "data"
    ensure_home(home)
    flags = {"port": "0", "log_level": "WARNING"}
    loaded = load(home, flags, cwd=home, demo=True, environ={})
    setup_logging("WARNING", structured=False)
    return Runtime(home, loaded, demo=True, secrets=MemoryStore())


def _check_parts() -> None:
    with _check("resources") as seen:
        seen.append(_look_at_resources())
    with _check("token tables") as seen:
        encode = load_encoder(resources() / "tokenizers")
        seen += [f"{text!r} has {encode(text)} tokens" for text in (_TEXT, _CJK_TEXT)]
    with _check("keyring") as seen:
        seen.append(_look_at_keyring())
    with _check("libraries") as seen:
        seen.append(_look_at_libraries())


def _look_at_resources() -> str:
    wanted = ("theme.qss", "icons/app.svg", "locale/zh_CN/LC_MESSAGES/app.mo")
    missing = [name for name in wanted if not (resources() / name).is_file()]
    demand(not missing, f"{resources()} lacks {', '.join(missing)}")
    return str(resources())


def _look_at_keyring() -> str:
    parts = _KEYRING_PARTS.get(sys.platform, ())
    for name in parts:
        importlib.import_module(name)
    keyring = importlib.import_module("keyring")
    return f"{', '.join(parts)}; in use here: {keyring.get_keyring().name}"


def _look_at_libraries() -> str:
    truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    lacking = [name for name in _PICTURE_FORMATS if not features.check(name)]
    demand(not lacking, f"Pillow was built without {', '.join(lacking)}")
    return f"{ssl.OPENSSL_VERSION}, SQLite {sqlite3.sqlite_version}, pictures"


async def _serve(runtime: Runtime) -> None:
    try:
        with _check("listening") as seen:
            await runtime.start()
            seen.append(runtime.base_url("anthropic"))
        await check_requests(runtime)
    finally:
        await runtime.stop()


def _show(runtime: Runtime) -> None:
    with _check("desktop libraries") as seen:
        from app.gui import rehearsal  # only now: Qt may be missing, or what Qt needs of the system

        seen.append("Qt can be loaded")
    rehearsal.run(runtime, _check, check_requests, is_screenless=not has_display())


async def check_requests(runtime: Runtime) -> None:
    """Ask the proxy as clients do: both dialects, one answer whole, one streamed, and a count."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(_WITHIN_S)) as session:
        asker = _Asker(session, runtime)
        with _check("OpenAI dialect") as seen:
            answer = orjson.loads(await asker.post("openai", "/chat/completions", stream=False))
            text = answer["choices"][0]["message"]["content"]
            demand(text and answer["usage"]["completion_tokens"], f"no text or no usage in {answer}")
            seen.append(f"answered with {answer['usage']['completion_tokens']} tokens")
        with _check("Anthropic dialect, streamed") as seen:
            events = (await asker.post("anthropic", "/v1/messages", stream=True)).count(b"event: ")
            seen.append(f"{events} events")
        with _check("counting") as seen:
            counted = orjson.loads(await asker.post("anthropic", "/v1/messages/count_tokens", stream=False))
            demand(counted["input_tokens"] > 0, f"nothing was counted: {counted}")
            seen.append(f"{counted['input_tokens']} tokens")


class _Asker:
    """A client of the proxy."""

    def __init__(self, session: aiohttp.ClientSession, runtime: Runtime) -> None:
        self._session = session
        self._runtime = runtime

    async def post(self, dialect: str, door: str, *, stream: bool) -> bytes:
        """The whole body of an answer. Raises SelfTestError where it is none, or a stream that was cut."""
        body: JsonObject = {"model": "glm-4.6", "messages": [{"role": "user", "content": _TEXT}], "max_tokens": 20}
        body |= {"stream": True} if stream else {}
        async with self._session.post(self._runtime.base_url(dialect) + door, json=body) as response:
            answer = await response.read()
        demand(response.status == 200, f"{door}: {response.status} {answer[:500]!r}")
        demand(not stream or (b"text_delta" in answer and b"message_stop" in answer), f"{door}: cut off {answer!r}")
        return answer


@contextmanager
def _check(name: str) -> Iterator[list[str]]:
    """One line for what happens inside; it may put into the list what it saw."""
    seen: list[str] = []
    try:
        yield seen
    except BaseException as fault:
        _say("FAIL", f"{name}: {type(fault).__name__}: {fault}")
        raise
    _say("ok", f"{name}: {', '.join(seen)}")


def _say(mark: str, text: str) -> None:
    sys.stdout.write(f"{mark:4} {text}\n" if mark else f"{text}\n")
    sys.stdout.flush()
