"""What goes into the installed program and what stays out. Read by build.spec, and by the tests.

Whatever PyInstaller collects goes in, but for this: of Qt only what is named here; the graphical libraries of the
Linux system, which must fit the user's desktop and are named as dependencies of the package instead; and modules
that only development needs.
"""

from __future__ import annotations

import sysconfig
from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution, distribution, packages_distributions
from pathlib import Path, PurePosixPath

QT_MODULES = ("QtCore", "QtGui", "QtWidgets", "QtOpenGL", "QtOpenGLWidgets")
"""The Python side. The two of OpenGL are imported by pyqtgraph, which plots without it."""

QT_LIBRARIES = (*(name.removeprefix("Qt") for name in QT_MODULES), "DBus", "Svg", "XcbQpa", "WaylandClient")
"""libQt6… on Linux, Qt6….dll on Windows, Qt….framework on macOS."""

QT_PLUGINS = frozenset({
    *("platforms/qxcb", "platforms/qwayland", "platforms/qoffscreen", "platforms/qwindows", "platforms/qcocoa"),
    *("xcbglintegrations/qxcb-glx-integration", "xcbglintegrations/qxcb-egl-integration"),
    *("wayland-shell-integration/xdg-shell", "wayland-decoration-client/adwaita", "wayland-decoration-client/bradient"),
    *("platformthemes/qgtk3", "platformthemes/qxdgdesktopportal"),
    *(f"platforminputcontexts/{name}platforminputcontextplugin" for name in ("compose", "ibus")),
    *("styles/qmodernwindowsstyle", "styles/qmacstyle"),
    *("iconengines/qsvgicon", "imageformats/qsvg"),
    *(f"imageformats/q{name}" for name in ("gif", "ico", "jpeg", "webp")),
})  # fmt: skip
"""Folder and name, without "lib" and the suffix."""

SYSTEM_FOLDERS = ("/lib/", "/lib64/", "/usr/lib/", "/usr/lib64/")
PYTHON_LIBRARIES = (
    *("libssl", "libcrypto", "libsqlite3", "libffi", "libbz2", "liblzma", "libz", "libzstd", "libexpat", "libuuid"),
    *("libreadline", "libncursesw", "libtinfo", "libmpdec", "libpython3"),
)
"""Libraries of the system that Python's own modules stand on: they come along."""

PROGRAM_RESOURCES = ("icons", "locale", "theme.qss", "tokenizers")
"""What the program reads; the rest of resources/ is for people."""

LEFT_OUT = (
    *(f"PySide6.{name}" for name in ("QtNetwork", "QtSvg", "QtSvgWidgets", "QtTest", "QtPrintSupport", "QtQml")),
    *("PIL._avif", "PIL._imagingtk", "PIL.ImageTk", "tkinter", "_tkinter", "turtledemo", "idlelib", "lib2to3"),
    *("IPython", "matplotlib", "scipy", "pandas", "cupy", "numba", "h5py", "OpenGL", "pyqtgraph.examples"),
    *("mypy", "pytest", "_pytest", "hypothesis", "setuptools", "pip", "wheel", "PyInstaller", "babel", "uv"),
    *("anthropic", "openai", "psutil", "textual.demo", "tests"),
)


def is_needed(target: str, source: str, languages: tuple[str, ...]) -> bool:
    """Whether a collected file goes in.

    target: its path in the program's folder; source: where it was found; languages: codes that we speak.
    """
    path = PurePosixPath(target.replace("\\", "/"))
    if "PySide6" in path.parts:
        return _is_needed_of_qt(path, languages)
    return path.name.startswith(PYTHON_LIBRARIES) or not source.startswith(SYSTEM_FOLDERS)


def _is_needed_of_qt(path: PurePosixPath, languages: tuple[str, ...]) -> bool:
    stem = path.name.partition(".")[0]
    if "qml" in path.parts:
        return False
    if "plugins" in path.parts:
        return f"{path.parent.name}/{stem.removeprefix('lib')}" in QT_PLUGINS
    if "translations" in path.parts:
        return stem in {f"qtbase_{code}" for code in languages}
    if stem.startswith(("libQt6", "Qt6")):
        return stem.removeprefix("lib").removeprefix("Qt6") in QT_LIBRARIES
    if ".abi3." in path.name and stem.startswith("Qt"):
        return stem in QT_MODULES
    if stem.startswith("Qt"):
        return stem.removeprefix("Qt") in QT_LIBRARIES or stem in QT_MODULES
    return True


def licences(modules: Iterable[str]) -> list[tuple[str, str, str]]:
    """The terms of everything that comes along, as files below licences/: (target, source, "DATA").

    modules: names of modules and paths of extensions that go in.
    """
    tops = {name.replace("/", ".").partition(".")[0] for name in modules}
    owners = packages_distributions()
    names = sorted({owner for top in tops for owner in owners.get(top, ())} - {"anthropic-proxy"})
    found = [(f"licences/Python/{file.name}", str(file), "DATA") for file in _pythons_terms()]
    for name in names:
        found += [(f"licences/{name}/{target}", source, "DATA") for target, source in _terms(distribution(name))]
    return found


def _pythons_terms() -> Iterator[Path]:
    file = Path(sysconfig.get_path("stdlib"), "LICENSE.txt")
    if file.is_file():
        yield file


def _terms(owner: Distribution) -> Iterator[tuple[str, str]]:
    """What says under which terms it may be passed on; its METADATA names them where no text is enclosed."""
    for file in owner.files or ():
        is_terms = file.name.upper().startswith(("LICEN", "COPYING", "NOTICE", "AUTHORS")) or file.name == "METADATA"
        if is_terms and any(part.endswith(".dist-info") for part in file.parts):
            inside = PurePosixPath(*file.parts[1:])
            yield str(inside), str(owner.locate_file(file))
