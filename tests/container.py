"""The Dockerfile without an engine: read it, and do what it says in a folder of its own.

usage: python -m tests.container [PYTHON]

Builds under a temporary folder with that Python (one that everybody may run), starts the result as another user (needs
root for that) who can write nothing but the data folder, asks for its health, ends it by SIGTERM, says how large it is.
"""

from __future__ import annotations

import fnmatch
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.source import ROOT

DOCKERFILE = ROOT / "Dockerfile"
PORT = "5017"
LIMIT_S = 30
STRANGER = 10_001


@dataclass(frozen=True)
class Step:
    """One instruction. stage: counted from 0."""

    stage: int
    word: str
    text: str

    @property
    def listed(self) -> list[str]:
        """The exec form: a JSON array."""
        return json.loads(self.text)


def read_steps(text: str) -> list[Step]:
    """All instructions, continued lines joined."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    steps, stage = [], -1
    for line in filter(str.strip, joined.splitlines()):
        word, _, rest = line.partition(" ")
        stage += word == "FROM"
        steps.append(Step(stage, word, rest.strip()))
    return steps


def is_sent(path: str, rules: list[str]) -> bool:
    """Whether .dockerignore lets this file go to the engine: the last rule that matches decides."""
    sent = True
    folders = [path, *map(str, list(Path(path).parents)[:-1])]
    for rule in rules:
        pattern = rule.removeprefix("!")
        names = [Path(folder).name for folder in folders] if pattern.startswith("**/") else folders
        if any(fnmatch.fnmatch(name, pattern.removeprefix("**/")) for name in names):
            sent = rule.startswith("!")
    return sent


def ignore_rules() -> list[str]:
    """The lines of .dockerignore that say something."""
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def copied_files(step: Step) -> list[str]:
    """The files of the checkout that a COPY takes."""
    *sources, _ = step.text.split()
    found = []
    for source in sources:
        path = ROOT / source
        files = [path] if path.is_file() else [item for item in path.rglob("*") if item.is_file()]
        found += [str(item.relative_to(ROOT)) for item in files]
    return found


def build(folder: Path, python: str) -> Path:
    """Do the first stage's steps below `folder`; the virtual environment that comes of it."""
    source, venvs = folder / "src", folder / "opt"
    source.mkdir()
    rules = ignore_rules()
    for step in (step for step in read_steps(DOCKERFILE.read_text(encoding="utf-8")) if step.stage == 0):
        if step.word == "COPY":
            copy(step, source, rules)
        elif step.word == "RUN":
            command = step.text.replace("/opt/", f"{venvs}/").replace("python -m", f"{python} -m")
            environment = {"PATH": os.environ["PATH"], "HOME": str(folder), **pip_environment()}
            subprocess.run(["/bin/sh", "-ec", command], cwd=source, env=environment, check=True)
    return venvs / "anthropic-proxy"


def pip_environment() -> dict[str, str]:
    """Where this machine gets its packages from."""
    return {name: value for name, value in os.environ.items() if name.startswith("PIP_")}


def copy(step: Step, target: Path, rules: list[str]) -> None:
    """COPY into the working folder: files flat, folders whole."""
    *_, place = step.text.split()
    for path in filter(lambda path: is_sent(path, rules), copied_files(step)):
        local = Path(path).name if place == "./" else path
        (target / local).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, target / local)


def try_it(venv: Path, home: Path) -> None:
    """Start it as a stranger to whom the whole tree is read-only."""
    home.mkdir()
    os.chown(home, STRANGER, STRANGER)
    environment = {"PATH": f"{venv}/bin:/usr/bin:/bin", "HOME": "/nonexistent", "ANTHROPIC_PROXY_HOME": str(home)}
    environment |= {"HOST": "0.0.0.0", "PORT": PORT, "PROXY_ACCESS_KEY": "key-of-the-container"}
    environment |= {"PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring", "TMPDIR": str(home)}
    who = {"user": STRANGER, "group": STRANGER, "extra_groups": [], "cwd": "/", "env": environment}
    steps = {step.word: step for step in read_steps(DOCKERFILE.read_text(encoding="utf-8"))}
    process = subprocess.Popen(steps["CMD"].listed, stdout=subprocess.PIPE, text=True, **who)
    try:
        said = process.stdout.readline()
        asked = steps["HEALTHCHECK"].text.partition("CMD ")[2]
        health = subprocess.run(json.loads(asked), timeout=LIMIT_S, check=True, capture_output=True, text=True, **who)
        process.send_signal(signal.SIGTERM)
        code = process.wait(LIMIT_S)
    finally:
        process.kill()
        process.wait()
    after = subprocess.run(json.loads(asked), timeout=LIMIT_S, capture_output=True, text=True, check=False, **who)
    sys.stdout.write(f"{said}{health.stdout}exit code {code}; asked afterwards: {after.returncode} {after.stderr}")
    sys.stdout.write(f"in the data folder: {sorted(str(p.relative_to(home)) for p in home.rglob('*'))}\n")
    if (code, after.returncode) != (0, 1):
        raise SystemExit(1)


def main() -> None:
    """Build, measure, start."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        venv = build(folder, sys.argv[1] if len(sys.argv) > 1 else sys.executable)
        size = sum(path.stat().st_size for path in venv.rglob("*") if path.is_file() and not path.is_symlink())
        qt = [path for path in venv.rglob("*") if "pyside" in path.name.lower()]
        sys.stdout.write(f"{size / 1e6:.0f} MB, Qt: {qt}\n")
        try_it(venv, folder / "data")


if __name__ == "__main__":
    main()
