"""What can be known of the container without an engine; `python -m tests.container` does its steps for real."""

from __future__ import annotations

import json
import re
import subprocess

import pytest
from ruamel.yaml import YAML

from app.settings.describe import env_example
from app.settings.load import load
from app.settings.schema import Settings
from app.settings.sources import KNOWN_NAMES
from proxy_core.version import __version__
from tests import packages
from tests.container import DOCKERFILE, Step, copied_files, ignore_rules, is_sent, read_steps
from tests.source import ROOT

STEPS = read_steps(DOCKERFILE.read_text(encoding="utf-8"))
COMPOSE = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
EXAMPLE = (ROOT / ".env.example").read_text(encoding="utf-8")
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
COPIES = [step for step in STEPS if step.word == "COPY" and "--from" not in step.text]


def last(word: str) -> Step:
    return [step for step in STEPS if step.word == word][-1]


def test_it_runs_as_nobody_in_particular_and_hears_signals_itself():
    assert (last("USER").stage, last("USER").text) == (1, "10001")
    assert (last("CMD").listed, last("STOPSIGNAL").text) == (["anthropic-proxy", "--headless"], "SIGTERM")
    assert json.loads(last("HEALTHCHECK").text.partition("CMD ")[2]) == ["anthropic-proxy", "--health"]
    assert {step.text for step in STEPS if step.word == "FROM"} == {"python:3.11-slim AS build", "python:3.11-slim"}


def test_what_is_installed_is_pinned():
    installs = [step.text for step in STEPS if "pip install" in step.text]
    assert all("--require-hashes" in text or "--no-index" in text for text in installs)
    assert not re.search(r"apt|curl|wget", " ".join(step.text for step in STEPS if step.word == "RUN"))


@pytest.mark.parametrize("step", COPIES, ids=lambda step: step.text)
def test_what_is_copied_is_there_and_is_sent_to_the_engine(step):
    files = [path for path in copied_files(step) if not path.endswith(".pyc")]
    assert files
    assert [path for path in files if not is_sent(path, ignore_rules()) and "screenshots" not in path] == []


@pytest.mark.parametrize("path", [".env", ".git/config", "tests/container.py", "app/__pycache__/x.pyc", "build/x"])
def test_what_is_private_or_of_no_use_is_not_sent(path):
    assert not is_sent(path, ignore_rules())


@pytest.mark.parametrize("name", packages.LISTS)
def test_the_lists_of_packages_are_current(name):
    listed = (packages.FOLDER / name).read_text(encoding="utf-8").split()
    assert listed == packages.closure(packages.LISTS[name]), "run: python -m tests.packages --write"
    assert not [word for word in listed if word.startswith(("pyside", "shiboken", "pytest", "qasync", "mypy"))]


@pytest.mark.parametrize("name", packages.LISTS)
def test_the_lock_is_picked_apart_by_them(name):
    command = ["awk", "-f", packages.FOLDER / "pick.awk", packages.FOLDER / name, ROOT / "requirements.lock"]
    picked = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert picked in LOCK or all(line in LOCK.splitlines() for line in picked.splitlines())
    blocks = re.findall(r"(?m)^([a-z0-9-]+)==.*\\\n(?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+", picked)
    assert sorted(set(blocks)) == (packages.FOLDER / name).read_text(encoding="utf-8").split()
    assert len(blocks) == picked.count("==") - picked.count("== '") - len(re.findall(r"[a-z_] == \"", picked))


def test_the_environment_of_the_container_is_understood():
    names = re.findall(r"([A-Z_]+)=", last("ENV").text)
    assert {name for name in names if not name.startswith("PYTHON")} - KNOWN_NAMES == {"PATH"}


def compose(text: str) -> dict[str, object]:
    found = YAML(typ="safe").load(text)
    assert set(found["volumes"]) == {"data", "logs", "cache"}
    return found


def test_compose_demands_an_access_key_and_keeps_what_matters():
    service = compose(COMPOSE)["services"]["anthropic-proxy"]
    environment = service["environment"]
    assert environment["PROXY_ACCESS_KEY"].startswith("${PROXY_ACCESS_KEY:?")
    assert set(environment) - KNOWN_NAMES == set()
    assert [volume.split(":") for volume in service["volumes"]] == [
        ["data", "/data"],
        ["logs", "/data/logs"],
        ["cache", "/data/cache"],
    ]
    assert (service["read_only"], service["cap_drop"], service["tmpfs"]) == (True, ["ALL"], ["/tmp"])
    made = last("RUN").text
    assert all(volume.split(":")[1] in made for volume in service["volumes"])


def test_the_part_about_secrets_works_once_it_is_taken_out_of_its_comment():
    found = compose(re.sub(r"(?m)^( *)# (?=SERVER|secrets|  )", r"\1", COMPOSE))
    service = found["services"]["anthropic-proxy"]
    (secret,) = service["secrets"]
    assert service["environment"]["SERVER_API_KEY_FILE"] == f"/run/secrets/{secret}"
    assert (set(found["secrets"]), service["environment"]["SERVER_API_KEY"]) == ({secret}, "")


def test_the_example_of_the_environment_is_current():
    assert env_example() == EXAMPLE, "run: make readme"


def test_the_example_names_all_there_is_and_says_the_defaults(tmp_path):
    text = re.sub(r"(?m)^#(?=[A-Z_]+=)", "", EXAMPLE)
    text = re.sub(r"(?m)^\w+_FILE=.*\n", "", text)
    (tmp_path / ".env").write_text(text, encoding="utf-8")
    loaded = load(tmp_path / "home", cwd=tmp_path, environ={})
    names = set(re.findall(r"(?m)^([A-Z_]+)=", re.sub(r"(?m)^#(?=[A-Z_]+=)", "", EXAMPLE)))
    assert (loaded.problems, loaded.settings) == ((), Settings())
    assert {field for field in Settings.model_fields if not names & set(names_of(field))} == set()
    assert names - KNOWN_NAMES == set()
    assert __version__


def names_of(field: str) -> tuple[str, ...]:
    from app.settings.schema import environment_names

    return environment_names(field)
