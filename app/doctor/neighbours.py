"""Probes of what is around: clients' settings, the desktop, what starts at login."""

from __future__ import annotations

import json
import shlex
import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from app.doctor.ground import Finding, Ground, fail, ok, skip, warn
from app.settings.load import has_display
from proxy_core.jsontypes import JsonObject
from proxy_core.server.access import is_loopback

_CLAUDE_SETTINGS = Path(".claude") / "settings.json"
_AUTOSTART = Path(".config") / "autostart" / "anthropic-proxy.desktop"


def client_settings(ground: Ground) -> Finding:
    """Clients that point at this computer point at where the proxy is."""
    wrong = [f"{where} says {address}" for where, address in _addresses(ground) if _misses(address, ground.port)]
    if wrong:
        return warn("; ".join(wrong) + f", the proxy is at port {ground.port}.", "Change it there, or this port.")
    return ok("No client points at another port of this computer.")


def dead_end(ground: Ground) -> Finding:
    """No client points at a proxy that does not run."""
    if ground.client is not None:
        return ok("The proxy runs.")
    waiting = [where for where, address in _addresses(ground) if _is_here(address)]
    if waiting:
        return fail(f"{', '.join(waiting)}: a client sends its requests here, but nothing runs.", "proxy-cli start")
    return ok("No client waits for it.")


def _addresses(ground: Ground) -> Iterator[tuple[str, str]]:
    """Where clients were told to send requests, as far as we know of it."""
    for name in ("ANTHROPIC_BASE_URL", "OPENAI_BASE_URL", "OPENAI_API_BASE"):
        if name in ground.environ:
            yield f"{name} (environment)", ground.environ[name]
    path = ground.user_home / _CLAUDE_SETTINGS
    environment = _read(path).get("env")
    if isinstance(environment, dict) and isinstance(environment.get("ANTHROPIC_BASE_URL"), str):
        yield f"ANTHROPIC_BASE_URL ({path})", str(environment["ANTHROPIC_BASE_URL"])


def _read(path: Path) -> JsonObject:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _is_here(address: str) -> bool:
    host = urlsplit(address).hostname
    return host is not None and is_loopback(host)


def _misses(address: str, port: int) -> bool:
    try:
        return _is_here(address) and (urlsplit(address).port or 80) != port
    except ValueError:
        return True


def desktop(ground: Ground) -> Finding:
    """The tray program could run here."""
    missing = [name for name in ("PySide6", "qasync", "pyqtgraph") if find_spec(name) is None]
    if missing:
        return skip("The desktop part is not installed; headless needs none.")
    if not has_display():
        return skip("There is no display here; headless needs none.")
    if ground.platform == "linux" and shutil.which("gdbus") and not _has_tray_host():
        said = "No tray host of the newer kind (StatusNotifier) is there: the icon may not be shown."
        return warn(said, "Do you miss it, install one (on GNOME: AppIndicator support), or: proxy-cli show")
    return ok("The tray program can run here.")


def _has_tray_host() -> bool:
    import subprocess  # only where there is a desktop

    service = "org.kde.StatusNotifierWatcher"
    command = ["gdbus", "call", "--session", "--dest", "org.freedesktop.DBus", "--object-path", "/"]
    command += ["--method", "org.freedesktop.DBus.NameHasOwner", service]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=3, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return "true" in done.stdout


def autostart(ground: Ground) -> Finding:
    """What starts at login is still there."""
    path = ground.user_home / _AUTOSTART
    try:
        lines = path.read_text("utf-8", "replace").splitlines()
    except OSError:
        return ok("Nothing starts at login.")
    command = next((line.removeprefix("Exec=") for line in lines if line.startswith("Exec=")), "")
    words = shlex.split(command) or [""]
    if shutil.which(words[0]):
        return ok(f"It starts at login: {command}")

    def remove() -> str:
        path.unlink(missing_ok=True)
        return f"{path} was removed."

    return warn(f"{path} starts {words[0]!r}, which is not there.", "Set it up again in the tray program.", remove)
