"""Hands and eyes on a real X screen: xdotool to act and to look for windows, import to take pictures."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
PATIENCE_S = 30.0


def run(*command: str) -> str:
    """What a command says; nothing if it fails (xdotool fails where it finds nothing)."""
    return subprocess.run(command, capture_output=True, text=True, timeout=20).stdout.strip()


def wait_for(look: Callable[[], T | None], what: str) -> T:
    """The first truthy thing that `look` sees."""
    ends = time.monotonic() + PATIENCE_S
    while time.monotonic() < ends:
        seen = look()
        if seen:
            return seen
        time.sleep(0.1)
    raise AssertionError(f"never seen: {what}")


@dataclass(frozen=True)
class Place:
    """A window and where it is, in pixels."""

    window: str
    x: int
    y: int
    width: int
    height: int

    def holds(self, other: Place) -> bool:
        """Whether the other one lies inside."""
        across = self.x <= other.x and other.x + other.width <= self.x + self.width
        return across and self.y <= other.y and other.y + other.height <= self.y + self.height


def places(*search: str) -> list[Place]:
    """The windows that `xdotool search` finds."""
    return [place_of(window) for window in run("xdotool", "search", *search).split()]


def place_of(window: str) -> Place:
    """Where a window is."""
    said = run("xdotool", "getwindowgeometry", "--shell", window).splitlines()
    values = {name: int(value) for name, value in (line.split("=") for line in said)}
    return Place(window, values["X"], values["Y"], values["WIDTH"], values["HEIGHT"])


def click(place: Place, mouse_button: int) -> None:
    """Press a mouse button in the middle of a window."""
    middle = (place.x + place.width // 2, place.y + place.height // 2)
    run("xdotool", "mousemove", *map(str, middle), "click", str(mouse_button))


def press(*keys: str) -> None:
    """Press keys, one after the other, as a person would."""
    for key in keys:
        run("xdotool", "key", key)
        time.sleep(0.15)


def type_text(text: str) -> None:
    """Type into whatever has the focus."""
    run("xdotool", "type", "--delay", "5", text)


def colours_at(place: Place) -> int:
    """How many colours a window shows: one means that nothing was drawn."""
    area = f"{place.width}x{place.height}+{place.x}+{place.y}"
    return int(run("import", "-window", "root", "-crop", area, "-format", "%k", "info:-"))


def take_picture(file: Path) -> None:
    """The whole screen as a PNG file."""
    file.parent.mkdir(parents=True, exist_ok=True)
    run("import", "-window", "root", str(file))
    assert file.stat().st_size, f"no picture: {file}"
