"""The names of the packages that the container gets, found by following the metadata of what is installed.

usage: python -m tests.packages --write
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, requires

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.source import ROOT

FOLDER = ROOT / "resources" / "packaging"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LISTS = {
    "base-packages.txt": PROJECT["project"]["dependencies"],
    "build-packages.txt": PROJECT["build-system"]["requires"],
}
LINUX = {**default_environment(), "sys_platform": "linux", "platform_system": "Linux", "os_name": "posix"}
PYTHONS = [{**LINUX, "python_full_version": f"{version}.0", "python_version": version} for version in ("3.11", "3.13")]


def closure(wanted: Iterable[str]) -> list[str]:
    """These requirements and all that they need on Linux."""
    found: set[str] = set()
    waiting = [(Requirement(text), "") for text in wanted]
    while waiting:
        requirement, extra = waiting.pop()
        name = canonicalize_name(requirement.name)
        marker = requirement.marker
        if marker and not any(marker.evaluate({**python, "extra": extra}) for python in PYTHONS):
            continue
        is_new = name not in found
        found.add(name)
        for part in (requirement.extras or set()) | ({""} if is_new else set()):
            waiting += [(Requirement(text), part) for text in _needs(name)]
    return sorted(found)


def _needs(name: str) -> list[str]:
    try:
        return requires(name) or []
    except PackageNotFoundError:  # only another Python needs it, and nothing more with it
        return []


def write() -> None:
    """The lists of today."""
    for name, wanted in LISTS.items():
        (FOLDER / name).write_text("\n".join(closure(wanted)) + "\n", encoding="utf-8")


if __name__ == "__main__" and "--write" in sys.argv:
    write()
