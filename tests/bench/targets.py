"""The programs under test, each in a process of its own, stopped while another one is measured."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass

import psutil

from tests.bench import shapes
from tests.bench.wire import connect

START_LIMIT_S = 30.0
STOP_LIMIT_S = 15.0
# Without the bytecode switch a start is what users have: compiled once, at the installation or the first start.
NOT_INHERITED = (
    "DBUS_SESSION_BUS_ADDRESS",
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "HTTPS_PROXY",
    "https_proxy",
    "PYTHONDONTWRITEBYTECODE",
)


@dataclass(frozen=True)
class Target:
    """A running program that answers on a port."""

    name: str
    port: int
    process: psutil.Popen
    start_s: float

    def cpu_s(self) -> float:
        """CPU time of all its threads so far, in seconds; to the nanosecond where the kernel has a clock for it."""
        pid = int(self.process.pid)
        if sys.platform == "linux":
            return time.clock_gettime((~pid << 3) | 2)  # what clock_getcpuclockid() gives for a process
        times = self.process.cpu_times()
        return float(times.user + times.system)

    def rss_mib(self) -> float:
        return float(self.process.memory_info().rss) / 2**20

    def pause(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self.process.send_signal(signal.SIGCONT)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def command(name: str, upstream_port: int, port: int) -> list[str]:
    """How a target is started; ours read address and upstream from the environment."""
    python = [sys.executable, "-m"]
    return {
        "bare": [*python, "tests.bench.bare", str(upstream_port), str(port)],
        "bare-qt": [*python, "tests.bench.bare", str(upstream_port), str(port), "--qt"],
        "headless": [*python, "app", "--headless"],
        "tray": [*python, "app"],
    }[name]


def environment(home: pathlib.Path, upstream_port: int, port: int) -> dict[str, str]:
    """Ours, in a home of its own; no display, no session bus, so no keyring: the key stays in memory."""
    upstream = f"http://127.0.0.1:{upstream_port}/api"
    kept = {name: value for name, value in os.environ.items() if name not in NOT_INHERITED}
    return kept | {
        "ANTHROPIC_PROXY_HOME": str(home),
        "ANTHROPIC_PROXY_OPEN_WINDOW_AT_START": "true",
        "PORT": str(port),
        "SERVER_API_KEY": "bench",
        "UPSTREAM_BASE": f"{upstream}/anthropic",
        "OPENAI_UPSTREAM_BASE": f"{upstream}/coding/paas/v4",
        "QT_QPA_PLATFORM": "offscreen",
    }


async def start(name: str, upstream_port: int, folder: pathlib.Path) -> Target:
    """Start a target and wait for its first answer. Raises RuntimeError with what it wrote if that does not come."""
    port = free_port()
    log = folder / f"{name}.log"
    home = folder / f"{name}-home"
    began = time.perf_counter()
    with log.open("ab") as output:
        process = psutil.Popen(
            command(name, upstream_port, port),
            env=environment(home, upstream_port, port),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    while time.perf_counter() - began < START_LIMIT_S and process.poll() is None:
        with contextlib.suppress(ConnectionError):
            connection = await connect(port)
            await connection.ask(shapes.small(shapes.MESSAGES))
            connection.transport.close()
            return Target(name, port, process, time.perf_counter() - began)
        await asyncio.sleep(0.005)
    end(process)
    raise RuntimeError(f"{name} did not answer:\n{log.read_text()[-3000:]}")


@contextlib.asynccontextmanager
async def running(names: Iterable[str], upstream_port: int, folder: pathlib.Path) -> AsyncIterator[list[Target]]:
    """Start the targets, and end them whatever happens."""
    targets: list[Target] = []
    try:
        for name in names:
            targets.append(await start(name, upstream_port, folder))
        yield targets
    finally:
        for target in targets:
            end(target.process)


@contextlib.contextmanager
def upstream() -> Iterator[Target]:
    """The upstream, which is also the target `direct`."""
    with psutil.Popen([sys.executable, "-m", "tests.bench.upstream"], stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Target("direct", int(process.stdout.readline()), process, 0.0)
        finally:
            end(process)


@contextlib.contextmanager
def only(chosen: Target, targets: Iterable[Target]) -> Iterator[None]:
    """Stop all targets but the chosen one."""
    others = [target for target in targets if target is not chosen and target.name != "direct"]
    for other in others:
        other.pause()
    try:
        yield
    finally:
        for other in others:
            other.resume()


def end(process: psutil.Popen) -> None:
    """Ask it to end; kill it if it does not."""
    if process.poll() is None:
        process.send_signal(signal.SIGCONT)
        process.terminate()
        try:
            process.wait(STOP_LIMIT_S)
        except psutil.TimeoutExpired:
            process.kill()
            process.wait(STOP_LIMIT_S)
