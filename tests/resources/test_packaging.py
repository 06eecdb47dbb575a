from __future__ import annotations

import ast
import importlib.util
import re
import shutil
import subprocess
import tomllib

import pytest

from proxy_core.version import __version__
from tests.source import ROOT, read_modules

PACKAGING = ROOT / "resources" / "packaging"
DEBIAN = PACKAGING / "debian"
SPEC = importlib.util.spec_from_file_location("parts", PACKAGING / "parts.py")
parts = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(parts)

WHEEL = "/venv/lib/python3.11/site-packages/"
QT = "PySide6/Qt"
NEEDED = [
    "PySide6/QtCore.abi3.so",
    f"{QT}/lib/libQt6XcbQpa.so.6",
    f"{QT}/lib/libicudata.so.73",
    f"{QT}/plugins/platforms/libqxcb.so",
    f"{QT}/plugins/iconengines/libqsvgicon.so",
    f"{QT}/translations/qtbase_zh_CN.qm",
    "PySide6/plugins/platforms/qwindows.dll",
    "PySide6/Qt6Core.dll",
    "numpy.libs/libscipy_openblas64_.so",
]
NOT_NEEDED = [
    "PySide6/QtNetwork.abi3.so",
    f"{QT}/lib/libQt6Quick.so.6",
    f"{QT}/plugins/platforms/libqvnc.so",
    f"{QT}/qml/QtQuick/qmldir",
    f"{QT}/translations/qtbase_de.qm",
    f"{QT}/translations/designer_zh_CN.qm",
    "PySide6/Qt6Quick.dll",
]


@pytest.mark.parametrize(("target", "is_needed"), [*((n, True) for n in NEEDED), *((n, False) for n in NOT_NEEDED)])
def test_of_qt_only_what_the_program_uses_goes_in(target, is_needed):
    assert parts.is_needed(target, WHEEL + target, ("zh_CN",)) is is_needed


@pytest.mark.parametrize(
    ("library", "is_needed"), [("libssl.so.3", True), ("libsqlite3.so.0", True), ("libxkbcommon.so.0", False)]
)
def test_of_the_systems_libraries_those_of_python_go_in(library, is_needed):
    assert parts.is_needed(library, f"/lib/x86_64-linux-gnu/{library}", ()) is is_needed


def imported() -> set[str]:
    """Every module that the product names in an import."""
    found: set[str] = set()
    for module in read_modules():
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                found |= {node.module or ""} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def test_nothing_that_the_program_imports_is_left_out():
    assert imported() & set(parts.LEFT_OUT) == set()
    used = {name.split(".")[1] for name in imported() if name.startswith("PySide6.Qt")}
    assert used and used <= set(parts.QT_MODULES)


def test_every_resource_that_the_program_reads_goes_in():
    read = {name for module in read_modules() for name in re.findall(r'resources\(\) / "([^"/]+)', module.text)}
    assert read and read <= set(parts.PROGRAM_RESOURCES)
    assert [name for name in parts.PROGRAM_RESOURCES if not (ROOT / "resources" / name).exists()] == []


def test_the_terms_of_what_comes_along_come_along():
    found = {target for target, _, _ in parts.licences(["aiohttp.web", "numpy/_core/x.so", "app.paths", "json"])}
    assert {"licences/aiohttp/METADATA", "licences/numpy/licenses/LICENSE.txt"} <= found
    assert not any("anthropic-proxy" in target for target in found)


@pytest.mark.parametrize("command", ["anthropic-proxy", "proxy-cli"])
def test_each_command_has_its_start_and_its_manual_page(command):
    entry = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"][command]
    start = (PACKAGING / "start" / f"{command.replace('-', '_')}.py").read_text()
    assert f"from {entry.replace(':', ' import ')}\n" in start
    assert f".SH NAME\n{command} ".replace("-", r"\-") in (DEBIAN / f"{command}.1").read_text()


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """A package of a program that is none: copies of `true`, under the names of what would be there."""
    if missing := [tool for tool in ("dpkg-deb", "dpkg-shlibdeps", "strip", "chrpath") if shutil.which(tool) is None]:
        pytest.skip(f"needs Debian's {', '.join(missing)}")
    folder = tmp_path_factory.mktemp("packaging")
    (folder / "program" / "_internal").mkdir(parents=True)
    for name in ("anthropic-proxy", "proxy-cli", "_internal/libz.so.1", "_internal/libpython3.11.so.1.0"):
        shutil.copy(shutil.which("true"), folder / "program" / name)
    command = [DEBIAN / "build", folder / "program", folder / "out"]
    made = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert made.returncode == 0, made.stderr
    return made.stdout.strip()


def ask_dpkg(*arguments: str) -> str:
    return subprocess.run(["dpkg-deb", *arguments], capture_output=True, text=True, check=True, timeout=60).stdout


def test_the_package_has_the_programs_version_and_depends_on_what_it_uses(package):
    fields = dict(line.split(": ", 1) for line in ask_dpkg("-f", package).splitlines() if ": " in line)
    assert (fields["Package"], fields["Version"]) == ("anthropic-proxy", __version__)
    assert {"libc6", "ca-certificates"} <= {part.split()[0] for part in fields["Depends"].split(", ")}


@pytest.mark.parametrize(
    "line",
    [
        "-rwxr-xr-x root/root ./opt/anthropic-proxy/anthropic-proxy",
        "-rw-r--r-- root/root ./opt/anthropic-proxy/_internal/libpython3.11.so.1.0",
        "lrwxrwxrwx root/root ./usr/bin/anthropic-proxy -> /opt/anthropic-proxy/anthropic-proxy",
        "lrwxrwxrwx root/root ./usr/bin/proxy-cli -> /opt/anthropic-proxy/proxy-cli",
        "-rw-r--r-- root/root ./usr/share/applications/anthropic-proxy.desktop",
        "-rw-r--r-- root/root ./usr/share/icons/hicolor/scalable/apps/anthropic-proxy.svg",
        "-rw-r--r-- root/root ./usr/share/doc/anthropic-proxy/copyright",
        "-rw-r--r-- root/root ./usr/lib/systemd/user/anthropic-proxy.service",
        "-rw-r--r-- root/root ./usr/share/man/man1/proxy-cli.1.gz",
    ],
)
def test_the_package_lays_out(package, line):
    listed = [re.sub(r" +\d+ [-\d]+ [:\d]+ ", " ", entry) for entry in ask_dpkg("-c", package).splitlines()]
    assert line in listed


def test_the_package_leaves_debians_libraries_to_debian(package):
    assert "libz.so" not in ask_dpkg("-c", package)


def test_the_package_does_nothing_at_login_nor_to_the_users_data(package, tmp_path):
    ask_dpkg("-e", package, str(tmp_path))
    assert {file.name for file in tmp_path.iterdir()} == {"control", "md5sums"}
    assert "autostart" not in ask_dpkg("-c", package)


def test_the_menu_entry_starts_what_is_installed():
    lines = (DEBIAN / "anthropic-proxy.desktop").read_text().splitlines()
    entry = dict(line.split("=", 1) for line in lines if "=" in line)
    assert (entry["Exec"], entry["TryExec"], entry["Icon"]) == ("anthropic-proxy",) * 3
    assert "ExecStart=/usr/bin/anthropic-proxy --headless\n" in (DEBIAN / "anthropic-proxy.service").read_text()
