"""usage: python -m tests.agents [--tray] [--keep] [--openai | --anthropic]

Installs the agents into build/agents, starts the proxy before a demo server that checks what it is sent, lets each
agent write a file and prints a table. Ends with 1 if one did not, or if the proxy sent anything illegal for it.
--keep leaves logs and projects behind. --openai and --anthropic force that side of the server.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from proxy_core.settings import Server
from tests.agents.agents import AGENTS, LOCAL_KEY, WRITTEN, Agent, Target
from tests.agents.checking import Check, CheckingUpstream

HERE = Path(__file__).parent
BUILD = Path("build/agents").absolute()
START_LIMIT_S = 30.0
AGENT_LIMIT_S = 180.0
INSTALL_LIMIT_S = 600.0
STOP_LIMIT_S = 20.0
UPSTREAM_KEY = "a-key-between-proxy-and-upstream"


@dataclass(frozen=True)
class Trial:
    """What became of one agent."""

    agent: str
    version: str
    exit_code: int
    written: str
    took_s: float
    output: str
    checks: tuple[Check, ...]

    @property
    def is_written(self) -> bool:
        return self.exit_code == 0 and self.written.strip() == WRITTEN

    @property
    def broken(self) -> tuple[str, ...]:
        """The rules that the proxy broke towards the upstream; to have sent nothing is no proof of anything."""
        if not self.checks:
            return ("no request arrived",)
        return tuple(f"{check.dialect}: {rule}" for check in self.checks for rule in check.broken)

    @property
    def requests(self) -> str:
        """For example "2 anthropic, 1 openai"; with how many of them were illegal."""
        counts = Counter(check.dialect for check in self.checks)
        told = ", ".join(f"{count} {dialect}" for dialect, count in sorted(counts.items()))
        illegal = sum(bool(check.broken) for check in self.checks)
        return f"{told or 'NONE'}{f' ({illegal} ILLEGAL)' if illegal else ''}"

    @property
    def is_good(self) -> bool:
        return self.is_written and not self.broken


def install() -> None:
    """The agents of package.json, unless they are there already."""
    wanted = (HERE / "package.json").read_text()
    stamp = BUILD / "installed.json"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    BUILD.mkdir(parents=True, exist_ok=True)
    shutil.copy(HERE / "package.json", BUILD)
    command = ["npm", "install", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel", "error"]
    subprocess.run(command, cwd=BUILD, check=True, timeout=INSTALL_LIMIT_S, stdin=subprocess.DEVNULL)
    stamp.write_text(wanted)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


@contextlib.contextmanager
def running_proxy(folder: Path, server: Server, tray: bool) -> Iterator[int]:
    """The proxy before this server, in a home of its own; gives its port."""
    port = free_port()
    home = folder / "home"
    home.mkdir(mode=0o700)
    (home / "servers.yaml").write_text(json.dumps({server.name: server.model_dump()}))  # JSON is YAML
    command = [sys.executable, "-m", "app", "--server", server.name, *([] if tray else ["--headless"])]
    environment = os.environ | {
        "ANTHROPIC_PROXY_HOME": str(home),
        "SERVER_API_KEY": UPSTREAM_KEY,
        "PORT": str(port),
    }
    with (
        (folder / "proxy.log").open("w") as log,
        subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
        ) as process,
    ):
        try:
            wait_for_health(port, process)
            yield port
        finally:
            process.terminate()
            try:
                process.wait(STOP_LIMIT_S)
            except subprocess.TimeoutExpired:
                process.kill()
    if process.returncode != 0:
        raise SystemExit(f"the proxy ended with {process.returncode}:\n{(folder / 'proxy.log').read_text()[-3000:]}")


def wait_for_health(port: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until the proxy answers. Raises RuntimeError if it ends or does not come up."""
    began = time.monotonic()
    while process.poll() is None and time.monotonic() - began < START_LIMIT_S:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
                health = json.load(answer)
            if health.get("server") == "demo":  # and nobody else who had the port for a moment
                print(f"proxy: {health}", file=sys.stderr)
                return
        except OSError:
            pass  # not yet
        time.sleep(0.1)
    raise RuntimeError("the proxy did not come up")


def try_agent(agent: Agent, target: Target, folder: Path, checks: list[Check]) -> Trial:
    """Run one agent in an empty project. checks: grows with each request that reaches the upstream."""
    slug = re.sub(r"\W+", "-", agent.name.lower()).strip("-")
    project = folder / slug
    home = folder / f"{slug}-home"
    project.mkdir()
    home.mkdir()
    agent.set_up(project, home, target)
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), **agent.environment(target)}
    program = str(BUILD / "node_modules" / ".bin" / agent.command)
    checked = len(checks)
    began = time.monotonic()
    code, output = run([program, *agent.asked(target)], project, environment)
    took_s = time.monotonic() - began
    _, said = run([program, "--version"], project, environment)
    version = re.search(r"\d+\.\d+\.\d+", said)
    file = project / "hello.txt"
    written = file.read_text() if file.exists() else ""
    return Trial(agent.name, version[0] if version else "", code, written, took_s, output, tuple(checks[checked:]))


def run(command: list[str], folder: Path, environment: dict[str, str]) -> tuple[int, str]:
    """Exit code (-1: it took too long) and everything it wrote."""
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=AGENT_LIMIT_S,
        )
    except subprocess.TimeoutExpired as late:
        return -1, str(late.stdout)
    return done.returncode, done.stdout


def report(trials: list[Trial]) -> None:
    """The table, and what is known of those that failed."""
    print(f"{'agent':14} {'version':10} {'exit':>4} {'s':>6}  {'requests legal':32} hello.txt")
    for trial in trials:
        legal = f"{'NO' if trial.broken else 'yes'}: {trial.requests}"
        verdict = "as asked" if trial.is_written else f"WRONG: {trial.written!r}"
        print(f"{trial.agent:14} {trial.version:10} {trial.exit_code:>4} {trial.took_s:>6.1f}  {legal:32} {verdict}")
    for trial in trials:
        for rule in trial.broken:
            print(f"\n{trial.agent}: {rule}", file=sys.stderr)
        if not trial.is_written:
            print(f"\n{trial.agent} said:\n{trial.output[-3000:]}", file=sys.stderr)


def try_all(folder: Path, server: Server, checks: list[Check]) -> list[Trial]:
    """Each agent in turn, on the side and with the face that the command line asks for."""
    side = next((side for side in ("-openai", "-anthropic") if f"-{side}" in sys.argv), "")
    with running_proxy(folder, server, "--tray" in sys.argv) as port:
        return [try_agent(agent, Target(port, side), folder, checks) for agent in AGENTS]


async def try_all_checked(folder: Path) -> list[Trial]:
    """The upstream on this loop, everything that waits for processes on a thread."""
    upstream = CheckingUpstream(secrets=(LOCAL_KEY,))
    server = await upstream.start()
    try:
        return await asyncio.to_thread(try_all, folder, server, upstream.checks)
    finally:
        await upstream.stop()


def main() -> int:
    install()
    # Outside of the checkout: agents look for a repository and for instructions in the folders above.
    folder = Path(tempfile.mkdtemp(prefix="agents-"))
    try:
        trials = asyncio.run(try_all_checked(folder))
    finally:
        if "--keep" in sys.argv:
            print(f"kept: {folder}", file=sys.stderr)
        else:
            shutil.rmtree(folder, ignore_errors=True)
    report(trials)
    return 0 if all(trial.is_good for trial in trials) else 1


if __name__ == "__main__":
    sys.exit(main())
