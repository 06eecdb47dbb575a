"""Rules of the house as assertions: what a reviewer would otherwise say twice."""

from __future__ import annotations

import ast
import random
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests import readme
from tests.source import (
    PACKAGES,
    ROOT,
    find_cycle,
    functions,
    own_files,
    public_definitions,
    read_modules,
    runtime_imports,
)

MODULES = read_modules()
TOOLS = Path(sys.executable).parent
LONGEST_FILE = 400
LONGEST_FUNCTION = 50

# Tests of more than one module, by their place under tests/.
WIDE_TESTS = ("test_house.py", "bench/", "agents/", "desktop/", "proxy_core/test_corridor_")

STRAY_READ = '"""Stray."""\n\nimport os\n\nSHELL = os.environ["SHELL"]\n'
OTHER_READ = '"""Stray."""\n\nfrom os import getenv\n\nSHELL = getenv("SHELL")\n'
BARE_TASK = '"""Stray."""\n\nimport asyncio\n\n\nasync def go() -> None:\n    asyncio.create_task(asyncio.sleep(0))\n'


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the product to plant faults in."""
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def lint(tree: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """One of the commands of `make lint`, in another tree."""
    return subprocess.run([TOOLS / command[0], *command[1:]], cwd=tree, capture_output=True, text=True, timeout=60)


FLOORS = ("lint-imports", "--no-cache")
RULES = ("ruff", "check", "--no-cache", "--output-format", "concise", ".")


@pytest.mark.parametrize("command", [FLOORS, RULES], ids=lambda command: command[0])
def test_the_house_as_it_stands_passes(tree, command):
    found = lint(tree, *command)
    assert found.returncode == 0, found.stdout


@pytest.mark.parametrize(
    ("command", "planted", "named"),
    [
        (FLOORS, {"proxy_core/stray.py": "import PySide6.QtCore\n"}, "Qt only in gui BROKEN"),
        (FLOORS, {"proxy_core/stray.py": ""}, "core floors BROKEN"),
        (FLOORS, {"app/stray.py": ""}, "house floors BROKEN"),
        (FLOORS, {"proxy_core/wire/stray.py": "import app.paths\n"}, "app above core BROKEN"),
        (FLOORS, {"proxy_core/wire/stray.py": "import asyncio\n"}, "pure rooms do no I/O BROKEN"),
        (FLOORS, {"proxy_core/server/stray.py": "import os\n"}, "core has no keyring, no environment BROKEN"),
        (FLOORS, {"app/settings/stray.py": "import keyring\n"}, "keyring only in secrets BROKEN"),
        (
            FLOORS,
            {
                "proxy_core/wire/ping.py": "import proxy_core.wire.pong\n",
                "proxy_core/wire/pong.py": "import proxy_core.wire.ping\n",
            },
            "no cycles, in rooms neither BROKEN",
        ),
        (RULES, {"app/stray.py": STRAY_READ}, "app/stray.py:5:9: TID251"),
        (RULES, {"app/settings/stray.py": OTHER_READ}, "TID251"),
        (RULES, {"app/stray.py": BARE_TASK}, "TID251"),
    ],
)
def test_a_planted_fault_makes_lint_fail(tree, command, planted, named):
    for path, text in planted.items():
        (tree / path).write_text(text)
    found = lint(tree, *command)
    assert found.returncode != 0
    assert named in found.stdout


def test_lint_is_what_make_lint_runs():
    rule = re.search(r"^lint:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert rule is not None
    for tool in ("ruff check .", "ruff format --check .", "mypy", "lint-imports"):
        assert f"$(BIN)/{tool}\n" in rule[1]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_modules_can_be_imported_in_any_order(seed):
    names = [module.name for module in MODULES if not module.name.endswith("__main__")]
    random.Random(seed).shuffle(names)
    code = "import importlib, sys\nfor name in sys.argv[1:]: importlib.import_module(name)"
    command = [sys.executable, "-W", "error", "-c", code, *names]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_imports_run_in_no_circle():
    known = frozenset(module.name for module in MODULES)
    assert find_cycle({module.name: runtime_imports(module, known) for module in MODULES}) == []


def test_a_circle_would_be_found():
    assert find_cycle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]


def test_each_test_file_mirrors_a_module():
    strangers = []
    for path in (ROOT / "tests").rglob("test_*.py"):
        local = path.relative_to(ROOT / "tests")
        subject = path.stem.removeprefix("test_")
        room = ROOT / local.parent
        names = {item.stem.lstrip("_") for item in room.glob("*")} if room.is_dir() else set()
        mirrored = any(subject == name or subject.startswith(f"{name}_") for name in names)
        if not mirrored and not local.as_posix().startswith(WIDE_TESTS):
            strangers.append(local.as_posix())
    assert strangers == []


def test_files_and_functions_are_short():
    texts = {path.relative_to(ROOT): path.read_text() for path in (ROOT / "tests").rglob("*.py")}
    texts |= {module.path: module.text for module in MODULES}
    long = [f"{path}: {text.count(chr(10))} lines" for path, text in texts.items() if text.count("\n") >= LONGEST_FILE]
    for module in MODULES:
        for function in functions(module.tree):
            lines = (function.end_lineno or 0) - function.lineno + 1
            if lines > LONGEST_FUNCTION:
                long.append(f"{module.path}:{function.lineno} {function.name}: {lines} lines")
    assert long == []


def test_what_is_public_says_what_it_is_for():
    silent = [str(module.path) for module in MODULES if not ast.get_docstring(module.tree)]
    for module in MODULES:
        for node in public_definitions(module.tree):
            if not ast.get_docstring(node) and not is_named_elsewhere(node):
                silent.append(f"{module.path}:{node.lineno} {node.name}")
    assert silent == []


def is_named_elsewhere(node: ast.AST) -> bool:
    """Overrides say nothing new (Qt's own are known by their capitals), nor do setters beside their property."""
    decorators = [ast.unparse(item) for item in getattr(node, "decorator_list", [])]
    is_qt = isinstance(node, ast.FunctionDef) and node.name != node.name.lower()
    return is_qt or any(name.endswith(("override", "overload", ".setter")) for name in decorators)


def test_no_fault_is_swallowed():
    swallowed = []
    for module in MODULES:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ExceptHandler) and is_broad(node.type) and all(map(says_nothing, node.body)):
                swallowed.append(f"{module.path}:{node.lineno}")
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("suppress"):
                swallowed += [f"{module.path}:{node.lineno}" for argument in node.args if is_broad(argument)]
    assert swallowed == []


def is_broad(caught: ast.expr | None) -> bool:
    return caught is None or ast.unparse(caught) in ("Exception", "BaseException")


def says_nothing(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Return):
        return statement.value is None or isinstance(statement.value, ast.Constant)
    return isinstance(statement, ast.Pass | ast.Continue)


def test_the_settings_table_in_the_readme_is_current():
    assert readme.current_table() == readme.settings_table(), "run: make readme"


# Written so that this file does not hold what it looks for.
MACHINE = re.compile(
    r"(?<![\w.])/(?:work|root|farm)/\w|/opt/(?:wheels|pypi)|https?://[^\s)\"']*"
    r"(?:registry\.np[m]|pypi\.or[g]/simple|pythonhoste[d]|deb\.debia[n]|pkg\.de[v])"
)


def test_no_file_tells_where_it_was_made():
    told = []
    for path in own_files():
        data = (ROOT / path).read_bytes()
        if b"\0" not in data:
            told += [f"{path}: {found[0]}" for found in MACHINE.finditer(data.decode("utf-8", "replace"))]
    assert told == []
