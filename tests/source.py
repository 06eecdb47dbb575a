"""The product's source as data, for the tests that keep the house in order."""

from __future__ import annotations

import ast
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGES = ("app", "proxy_core")
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Module:
    """One product module: dotted name, path from the top of the checkout, text and syntax tree."""

    name: str
    path: Path
    text: str
    tree: ast.Module


def read_modules() -> tuple[Module, ...]:
    """Every product module, packages under their own name."""
    found = []
    for path in (path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))):
        local = path.relative_to(ROOT)
        parts = local.with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        text = path.read_text(encoding="utf-8")
        found.append(Module(name, local, text, ast.parse(text)))
    return tuple(found)


MADE_HERE = {".venv", ".git", "build", "dist", "__pycache__", ".hypothesis", ".env"}


def own_files() -> list[Path]:
    """What git knows of, from the top of the checkout; without git, all but what our commands make."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        found = (path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file())
        return [path for path in found if not {part for part in path.parts if part in MADE_HERE or "_cache" in part}]
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True)
    return [Path(name) for name in listed.stdout.split("\0") if name and (ROOT / name).exists()]


def functions(tree: ast.AST) -> Iterator[Function]:
    """All functions and methods, nested ones too."""
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def public_definitions(tree: ast.Module) -> Iterator[Function | ast.ClassDef]:
    """Classes and functions at the top, and the methods of those classes, that carry no underscore."""
    for node in tree.body:
        if isinstance(node, Function | ast.ClassDef) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from (item for item in node.body if isinstance(item, Function) and not item.name.startswith("_"))


def runtime_imports(module: Module, known: frozenset[str]) -> set[str]:
    """The product modules that importing this one imports (nothing under TYPE_CHECKING, nothing inside functions)."""
    found: set[str] = set()
    for node in _run_on_import(module.tree.body):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            paths = [f"{node.module}.{alias.name}" for alias in node.names]
            found |= {path if path in known else node.module for path in paths}
    return {name for name in found if name in known and name != module.name}


def _run_on_import(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    for node in body:
        if isinstance(node, Function) or (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)):
            continue
        yield node
        yield from _run_on_import([child for child in ast.iter_child_nodes(node) if isinstance(child, ast.stmt)])


def find_cycle(graph: dict[str, set[str]]) -> list[str]:
    """One cycle of a graph, as the names along it; empty if there is none."""
    done: set[str] = set()

    def walk(name: str, above: list[str]) -> list[str]:
        if name in above:
            return [*above[above.index(name) :], name]
        if name in done:
            return []
        for following in sorted(graph.get(name, ())):
            if cycle := walk(following, [*above, name]):
                return cycle
        done.add(name)
        return []

    return next((cycle for name in sorted(graph) if (cycle := walk(name, []))), [])
