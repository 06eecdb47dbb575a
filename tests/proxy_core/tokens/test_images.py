"""Pictures: the cost rule against the figures of protocols, and sizes read from real files."""

from __future__ import annotations

import base64
import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow

from proxy_core.chat import Image
from proxy_core.tokens.images import UNKNOWN_TOKENS, image_tokens, picture_size, size_tokens


def picture(kind: str, size: tuple[int, int] = (640, 427), mode: str = "RGB", **options: Any) -> str:
    target = io.BytesIO()
    Pillow.new(mode, size).save(target, kind, **options)
    return base64.b64encode(target.getvalue()).decode()


FRAME = b"\xff\xc0\0\x11\x08\x01\xab\x02\x80" + bytes(30)
"""The frame header of a JPEG of 640 by 427."""


def jpeg_of(*segments: bytes) -> str:
    return base64.b64encode(b"\xff\xd8" + b"".join(segments)).decode()


@pytest.mark.parametrize(
    ("width", "height", "cells"),
    [
        (512, 512, 324),
        (1000, 1000, 1296),
        (1024, 768, 999),
        (1920, 1080, 2691),
        (1080, 1920, 2691),
        (3840, 2160, 7360),
        (6000, 6000, 7396),
        (28, 28, 9),
        (1, 1, 9),
        (10, 1000, 100),
    ],
)
def test_cost_by_size(width: int, height: int, cells: int) -> None:
    assert size_tokens(width, height) == cells + 2


@given(st.integers(1, 2**32), st.integers(1, 2**32))
def test_cost_stays_in_the_budget(width: int, height: int) -> None:
    tokens = size_tokens(width, height)
    assert 8 <= tokens <= 7_502
    assert tokens == size_tokens(height, width)


@pytest.mark.parametrize(
    "data",
    [
        picture("PNG"),
        picture("PNG", mode="RGBA"),
        picture("GIF", mode="P"),
        picture("JPEG"),
        picture("JPEG", progressive=True),
        picture("JPEG", exif=b"Exif\0\0" + bytes(50_000), icc_profile=bytes(150_000)),
        picture("WEBP"),
        picture("WEBP", lossless=True),
        picture("WEBP", mode="RGBA", exif=b"Exif\0\0" + bytes(100)),
        base64.encodebytes(base64.b64decode(picture("JPEG", icc_profile=bytes(9_000)))).decode(),
        base64.urlsafe_b64encode(base64.b64decode(picture("JPEG"))).decode(),
        jpeg_of(b"\xff", FRAME),
        jpeg_of(b"\xff\x01", FRAME),
        jpeg_of(b"\xff\xc4\0\x0b" + b"\1" * 9, FRAME),
    ],
    ids=[
        "png",
        "png alpha",
        "gif",
        "jpeg",
        "progressive",
        "large segments",
        "vp8",
        "vp8l",
        "vp8x",
        "wrapped",
        "urlsafe",
        "padded marker",
        "lone marker",
        "tables first",
    ],
)
def test_size_is_read_from_the_head(data: str) -> None:
    assert picture_size(data) == (640, 427)


@pytest.mark.parametrize(
    "data",
    [
        "",
        "no base64 at all, é and more of it to be long enough for a head",
        picture("PNG")[:31],
        picture("JPEG")[:100],
        picture("BMP"),
        base64.b64encode(b"RIFF\0\0\0\0WAVEfmt " + bytes(40)).decode(),
        base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"\1" * 40).decode(),
        base64.b64encode(b"GIF89a" + bytes(40)).decode(),
        base64.b64encode(b"\xff\xd8" + b"\xff" * 1_000).decode(),
        jpeg_of(b"\xff\xd9\0\2", FRAME),
        jpeg_of(b"\xff\xe0\0\4ab", b"\0" + FRAME[1:]),
    ],
    ids=[
        "empty",
        "not base64",
        "cut png",
        "cut jpeg",
        "bmp",
        "wave",
        "no ihdr",
        "zero sides",
        "endless",
        "early end",
        "lost chain",
    ],
)
def test_unreadable_heads_cost_the_default(data: str) -> None:
    assert picture_size(data) is None
    assert image_tokens(Image("image/png", data)) == UNKNOWN_TOKENS


MAGICS = [b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", b"RIFF\0\0\0\0WEBPVP8 ", b"GIF8"]


@given(st.sampled_from(MAGICS), st.binary(min_size=26, max_size=200))
def test_no_head_breaks_the_reader(magic: bytes, rest: bytes) -> None:
    size = picture_size(base64.b64encode(magic + rest).decode())
    assert size is None or min(size) > 0


def test_a_picture_is_counted_by_its_pixels_and_a_link_by_default() -> None:
    assert image_tokens(Image("image/png", picture("PNG", (512, 512)))) == 326
    assert image_tokens(Image(url="https://example.org/a.png")) == UNKNOWN_TOKENS
