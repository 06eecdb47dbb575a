"""Looks at a picture and says what can be said without a model: size, format, colour. Slow; call it in a thread."""

from __future__ import annotations

import base64
import binascii
import io

from PIL import Image as Pillow
from PIL import UnidentifiedImageError

from proxy_core.chat import Image

_MAX_PIXELS = 50_000_000
_SAMPLE = 48
_UNREADABLE = (
    binascii.Error,
    UnidentifiedImageError,
    Pillow.DecompressionBombError,
    Pillow.DecompressionBombWarning,
    OSError,
    ValueError,
    SyntaxError,  # Pillow's word for a broken PNG
)
_COLOURS: dict[str, tuple[int, int, int]] = {
    "black": (0, 0, 0),
    "white": (255, 255, 255),
    "grey": (128, 128, 128),
    "red": (220, 30, 30),
    "dark red": (120, 0, 0),
    "orange": (255, 150, 0),
    "yellow": (250, 230, 40),
    "green": (30, 170, 60),
    "dark green": (0, 90, 30),
    "cyan": (0, 200, 220),
    "blue": (40, 80, 220),
    "dark blue": (0, 0, 110),
    "light blue": (150, 200, 250),
    "purple": (130, 50, 180),
    "pink": (250, 150, 190),
    "brown": (130, 80, 40),
}


def describe_picture(picture: Image) -> str:
    """One sentence about a picture; also about one that cannot be looked at."""
    if not picture.data:
        return f"A picture behind the address {picture.url}, which the demo server does not fetch."
    try:
        return _describe(base64.b64decode(picture.data, validate=True))
    except _UNREADABLE:
        return "A picture that could not be decoded."


def _describe(data: bytes) -> str:
    with Pillow.open(io.BytesIO(data)) as opened:
        width, height = opened.size
        if width * height > _MAX_PIXELS:
            return f"A {opened.format} picture of {width} by {height} pixels, too large to look at here."
        # Drafting lets a large JPEG be decoded at a fraction of its size.
        opened.draft("RGB", (_SAMPLE, _SAMPLE))
        colours = _colours_of(opened)
        format_name = opened.format or "unknown"
    shape = "square" if width == height else "wide" if width > height else "tall"
    return f"A {shape} {format_name} picture of {width} by {height} pixels, mostly {colours}."


def _colours_of(picture: Pillow.Image) -> str:
    """The one or two commonest named colours; transparent areas count as white."""
    small = picture.convert("RGBA").resize((_SAMPLE, _SAMPLE), Pillow.Resampling.NEAREST)
    paper = Pillow.new("RGBA", small.size, (255, 255, 255, 255))
    flat = Pillow.alpha_composite(paper, small).convert("RGB").tobytes()
    counts: dict[str, int] = {}
    for start in range(0, len(flat), 3):
        name = _colour_name(flat[start], flat[start + 1], flat[start + 2])
        counts[name] = counts.get(name, 0) + 1
    ranked = sorted(counts, key=lambda name: (-counts[name], name))
    has_second = len(ranked) > 1 and counts[ranked[1]] * 5 >= _SAMPLE * _SAMPLE
    return f"{ranked[0]} and {ranked[1]}" if has_second else ranked[0]


def _colour_name(red: int, green: int, blue: int) -> str:
    def distance(name: str) -> int:
        r, g, b = _COLOURS[name]
        return (red - r) ** 2 + (green - g) ** 2 + (blue - b) ** 2

    return min(_COLOURS, key=distance)
