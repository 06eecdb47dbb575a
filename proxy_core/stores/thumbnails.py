"""Small pictures for people to recognise large ones by. Slow for large ones: call it in a thread."""

from __future__ import annotations

import binascii
import io
import struct
from base64 import b64decode

from PIL import Image as Pixels
from PIL import ImageOps

MOST_SIDE = 256
MOST_PIXELS = 50_000_000
"""A picture of more is not opened: a few kilobytes of file can stand for gigabytes of pixels."""

_READABLE = ("PNG", "JPEG", "GIF", "WEBP", "BMP")
_QUALITY = 80
_PLAIN_ALPHABET = str.maketrans("-_", "+/", " \t\r\n")
# All that Pillow's readers raise on odd files; its warning where warnings are errors.
_READERS_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    ArithmeticError,
    LookupError,
    TypeError,
    struct.error,
    binascii.Error,
    Pixels.DecompressionBombError,
    Pixels.DecompressionBombWarning,
)


def make_thumbnail(data: str) -> bytes | None:
    """A JPEG of at most 256 pixels a side, upright, on white; None for what cannot be opened. data: base64."""
    text = data.translate(_PLAIN_ALPHABET).rstrip("=")
    try:
        with Pixels.open(io.BytesIO(b64decode(text + "=" * (-len(text) % 4))), formats=_READABLE) as opened:
            if opened.width * opened.height > MOST_PIXELS:
                return None
            opened.thumbnail((MOST_SIDE, MOST_SIDE))  # a JPEG is decoded smaller to begin with
            return _as_jpeg(ImageOps.exif_transpose(opened).convert("RGBA"))
    except _READERS_ERRORS:
        return None


def _as_jpeg(pixels: Pixels.Image) -> bytes:
    page = Pixels.new("RGBA", pixels.size, "white")
    file = io.BytesIO()
    Pixels.alpha_composite(page, pixels).convert("RGB").save(file, "JPEG", quality=_QUALITY)
    return file.getvalue()
