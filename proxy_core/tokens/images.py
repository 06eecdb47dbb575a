"""What a picture costs, from its size in pixels, and the size from the head of the file.

The size is read out of the base64 text in place: a 5 MB picture is never decoded to count it.
"""

from __future__ import annotations

import math
from base64 import b64decode
from collections.abc import Callable
from typing import TypeAlias

from proxy_core.chat import Image

UNKNOWN_TOKENS = 1_600
"""A picture whose size cannot be seen (a URL, a format without a reader, a broken head)."""

_CELL = 28
"""Pixels per side of what becomes one token: patches of 14, merged two by two (GLM 4.x vision)."""
_MIN_TOKENS = 8
_MAX_TOKENS = 7_500
_FRAME_TOKENS = 2
"""The marks around a picture."""
_MAX_ASPECT = 200

_HEAD_BYTES = 30
_MAX_JPEG_SEGMENTS = 200
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_LONE_MARKERS = frozenset(range(0xD0, 0xD8)) | {0x01}
_JPEG_ENDS = frozenset({0xD9, 0xDA})

Size: TypeAlias = tuple[int, int]
"""Width and height in pixels."""


def image_tokens(image: Image) -> int:
    """Tokens of one picture. A picture behind a URL is not fetched to be counted."""
    size = picture_size(image.data) if image.data else None
    return UNKNOWN_TOKENS if size is None else size_tokens(*size)


def size_tokens(width: int, height: int) -> int:
    """Tokens by the rule of GLM 4.x: sides to multiples of 28, shrunk or grown into the budget.

    Turning a picture by 90 degrees changes nothing here, so EXIF orientation is not looked at.
    """
    if max(width, height) > _MAX_ASPECT * min(width, height):
        return UNKNOWN_TOKENS  # the upstream refuses it; whatever it costs, it is not this rule
    if min(width, height) < _CELL:
        scale = _CELL / min(width, height)
        width, height = int(width * scale), int(height * scale)
    columns, rows = round(width / _CELL), round(height / _CELL)
    if columns * rows > _MAX_TOKENS:
        columns, rows = _fit(width, height, _MAX_TOKENS, math.floor)
    elif columns * rows < _MIN_TOKENS:
        columns, rows = _fit(width, height, _MIN_TOKENS, math.ceil)
    return max(columns, 1) * max(rows, 1) + _FRAME_TOKENS


def _fit(width: int, height: int, tokens: int, to_cells: Callable[[float], int]) -> tuple[int, int]:
    side = math.sqrt(width * height / tokens)  # of one cell, in pixels of the picture as it came
    return to_cells(width / side), to_cells(height / side)


def picture_size(data: str) -> Size | None:
    """Width and height of a PNG, JPEG, GIF or WebP given as base64; None where it cannot be told."""
    if len(data[:100].split()) > 1:
        data = "".join(data.split())  # wrapped lines would shift every offset
    head = _read(data, 0, _HEAD_BYTES)
    if len(head) < _HEAD_BYTES:
        return None
    for magic, read_size in _READERS:
        if head.startswith(magic):
            size = read_size(data, head)
            return size if size is not None and min(size) > 0 else None
    return None


def _read(data: str, offset: int, count: int) -> bytes:
    """`count` bytes of the file at `offset` (fewer at its end), decoding only the groups they stand in."""
    group = data[offset // 3 * 4 : (offset + count + 2) // 3 * 4]
    try:
        decoded = b64decode(group + "=" * (-len(group) % 4), altchars=b"-_" if "-" in group or "_" in group else None)
    except ValueError:  # not base64
        return b""
    return decoded[offset % 3 : offset % 3 + count]


def _png_size(data: str, head: bytes) -> Size | None:
    if head[12:16] != b"IHDR":
        return None
    return int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")


def _gif_size(data: str, head: bytes) -> Size:
    return int.from_bytes(head[6:8], "little"), int.from_bytes(head[8:10], "little")


def _webp_size(data: str, head: bytes) -> Size | None:
    match head[8:16]:
        case b"WEBPVP8 ":
            return int.from_bytes(head[26:28], "little") & 0x3FFF, int.from_bytes(head[28:30], "little") & 0x3FFF
        case b"WEBPVP8L":
            bits = int.from_bytes(head[21:25], "little")
            return (bits & 0x3FFF) + 1, ((bits >> 14) & 0x3FFF) + 1
        case b"WEBPVP8X":
            return int.from_bytes(head[24:27], "little") + 1, int.from_bytes(head[27:30], "little") + 1
        case _:
            return None


def _jpeg_size(data: str, head: bytes) -> Size | None:
    """The frame header comes after any number of segments (EXIF with its own preview, colour profiles)."""
    position = 2
    for _ in range(_MAX_JPEG_SEGMENTS):
        segment = _read(data, position, 9)
        if len(segment) < 9 or segment[0] != 0xFF or segment[1] in _JPEG_ENDS:
            return None
        if segment[1] in _JPEG_FRAMES:
            return int.from_bytes(segment[7:9], "big"), int.from_bytes(segment[5:7], "big")
        position += _segment_bytes(segment)
    return None


def _segment_bytes(segment: bytes) -> int:
    if segment[1] == 0xFF:  # padding before a marker
        return 1
    return 2 if segment[1] in _JPEG_LONE_MARKERS else 2 + int.from_bytes(segment[2:4], "big")


_READERS: tuple[tuple[bytes, Callable[[str, bytes], Size | None]], ...] = (
    (b"\x89PNG\r\n\x1a\n", _png_size),
    (b"\xff\xd8\xff", _jpeg_size),
    (b"GIF8", _gif_size),
    (b"RIFF", _webp_size),
)
