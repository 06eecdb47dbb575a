"""usage: python -m tests.agents [--tray] [--keep]

Installs the agents into build/agents, starts the proxy with its demo server, lets each agent write a file and prints
a table. Ends with 1 if one did not. --keep leaves logs and projects behind.
"""

from __future__ import annotations

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
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.agents.agents import AGENTS, WRITTEN, Agent

HERE = Path(__file__).parent
BUILD = Path("build/agents").absolute()
START_LIMIT_S = 30.0
AGENT_LIMIT_S = 180.0
INSTALL_LIMIT_S = 600.0
STOP_LIMIT_S = 20.0


@dataclass(frozen=True)
class Trial:
    """What became of one agent."""

    agent: str
    version: str
    exit_code: int
    written: str
    took_s: float
    output: str

    @property
    def is_good(self) -> bool:
        return self.exit_code == 0 and self.written.strip() == WRITTEN


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
def demo_proxy(folder: Path, tray: bool) -> Iterator[int]:
    """The proxy as a newcomer starts it, in a home of its own; gives its port."""
    port = free_port()
    command = [sys.executable, "-m", "app", "--demo", *([] if tray else ["--headless"])]
    environment = os.environ | {
        "ANTHROPIC_PROXY_HOME": str(folder / "home"),
        "CURRENT_SERVER": "demo",
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


def try_agent(agent: Agent, port: int, folder: Path) -> Trial:
    """Run one agent in an empty project."""
    slug = re.sub(r"\W+", "-", agent.name.lower()).strip("-")
    project = folder / slug
    home = folder / f"{slug}-home"
    project.mkdir()
    home.mkdir()
    agent.set_up(project, home, port)
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), **agent.environment(port)}
    program = str(BUILD / "node_modules" / ".bin" / agent.command)
    began = time.monotonic()
    code, output = run([program, *agent.arguments], project, environment)
    took_s = time.monotonic() - began
    _, said = run([program, "--version"], project, environment)
    version = re.search(r"\d+\.\d+\.\d+", said)
    file = project / "hello.txt"
    written = file.read_text() if file.exists() else ""
    return Trial(agent.name, version[0] if version else "", code, written, took_s, output)


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
    """The table, and the last words of those that failed."""
    print(f"{'agent':14} {'version':10} {'exit':>4} {'s':>6}  hello.txt")
    for trial in trials:
        verdict = "as asked" if trial.is_good else f"WRONG: {trial.written!r}"
        print(f"{trial.agent:14} {trial.version:10} {trial.exit_code:>4} {trial.took_s:>6.1f}  {verdict}")
    for trial in trials:
        if not trial.is_good:
            print(f"\n{trial.agent} said:\n{trial.output[-3000:]}", file=sys.stderr)


def main() -> int:
    install()
    # Outside of the checkout: agents look for a repository and for instructions in the folders above.
    folder = Path(tempfile.mkdtemp(prefix="agents-"))
    try:
        with demo_proxy(folder, "--tray" in sys.argv) as port:
            trials = [try_agent(agent, port, folder) for agent in AGENTS]
    finally:
        if "--keep" in sys.argv:
            print(f"kept: {folder}", file=sys.stderr)
        else:
            shutil.rmtree(folder, ignore_errors=True)
    report(trials)
    return 0 if all(trial.is_good for trial in trials) else 1


if __name__ == "__main__":
    sys.exit(main())
