"""A store of descriptions in a folder of the test, and pictures to describe."""

from __future__ import annotations

import io
from base64 import b64encode
from pathlib import Path

from PIL import Image as Pixels

from proxy_core.chat import Image
from proxy_core.stores.description_files import FileDescriptionStore
from proxy_core.stores.descriptions import Draft


class Clock:
    """Stands until a test moves it."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def open_store(folder: Path, clock: Clock | None = None, bound_mb: int = 200) -> FileDescriptionStore:
    """Another store on a folder is what another process has."""
    return FileDescriptionStore(folder, lambda: bound_mb, clock or Clock())


def name_of(number: int) -> str:
    """A digest."""
    return f"{number:064x}"


def draft(number: int = 1, text: str = "A cat.", *, noise: int = 0) -> Draft:
    """A description of a picture. noise: pixels a side that no thumbnail makes small."""
    file = io.BytesIO()
    pixels = Pixels.effect_noise((noise, noise), 90) if noise else Pixels.new("RGB", (30, 20), "red")
    pixels.save(file, "PNG")
    image = Image("image/png", b64encode(file.getvalue()).decode())
    return Draft(name_of(number), text, "glm-4.6v", image, "Look at this")
