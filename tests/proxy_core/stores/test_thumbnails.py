"""Small pictures of large ones; nothing that is not one breaks anything."""

from __future__ import annotations

import io
import struct
import zlib
from base64 import b64encode

import pytest
from PIL import Image as Pixels

from proxy_core.stores.thumbnails import make_thumbnail


def picture(kind: str, size: tuple[int, int], mode: str = "RGB", color: object = "red") -> str:
    file = io.BytesIO()
    Pixels.new(mode, size, color).save(file, kind)
    return b64encode(file.getvalue()).decode()


def bomb() -> str:
    """A head that promises 3,600 million pixels."""
    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + b"IHDR" + head + struct.pack(">I", zlib.crc32(b"IHDR" + head))
    return b64encode(b"\x89PNG\r\n\x1a\n" + chunk).decode()


@pytest.mark.parametrize(
    ("data", "size"),
    [
        (picture("PNG", (1024, 512)), (256, 128)),
        (picture("JPEG", (100, 3000)), (9, 256)),
        (picture("WEBP", (10, 20)), (10, 20)),
        (picture("GIF", (10, 20), "P", 0), (10, 20)),
        (picture("PNG", (10, 20), "LA", (0, 0)), (10, 20)),
        (picture("PNG", (10, 20)).rstrip("=").replace("+", "-").replace("/", "_"), (10, 20)),
        ("\n".join(picture("PNG", (10, 20))), (10, 20)),
    ],
)
def test_a_thumbnail_is_a_small_jpeg(data, size):
    with Pixels.open(io.BytesIO(make_thumbnail(data))) as small:
        assert (small.format, small.mode, small.size) == ("JPEG", "RGB", size)


def test_what_is_transparent_becomes_white():
    with Pixels.open(io.BytesIO(make_thumbnail(picture("PNG", (8, 8), "RGBA", (0, 0, 0, 0))))) as small:
        assert min(small.getpixel((4, 4))) > 250


@pytest.mark.parametrize(
    "data",
    [
        "",
        "a",
        "\xe9",
        "no base64",
        b64encode(b"text").decode(),
        picture("PNG", (99, 99))[:80],
        picture("TIFF", (9, 9)),
        bomb(),
        picture("PNG", (8000, 8000), "1", 0),
    ],
    ids=["nothing", "a letter", "no ASCII", "no base64", "no picture", "truncated", "another kind", "bomb", "large"],
)
def test_what_cannot_be_opened_has_none(data):
    assert make_thumbnail(data) is None
