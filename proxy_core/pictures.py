"""Pictures as upstreams take them: PNG or JPEG, at most 5 MB and 6000 pixels a side (protocols A.3).

Nothing but computing, and for large pictures seconds of it: call `fit_pictures` in a thread. Whether there is anything
to do is read from the heads of the files (`needs_fitting`), so that ordinary pictures cost nothing.
"""

from __future__ import annotations

import binascii
import io
import struct
from base64 import b64decode, b64encode
from collections.abc import Callable

from PIL import Image as Pixels
from PIL import ImageOps, UnidentifiedImageError

from proxy_core.chat import Conversation, Image, Message, Part, ResultPart, ToolResult, all_parts, with_messages
from proxy_core.errors import BadRequestError
from proxy_core.tokens.images import picture_size

MAX_BYTES = 5 * 2**20
MAX_SIDE = 6_000
MAX_PIXELS = 80_000_000
"""More than this is not opened: a few kilobytes of file can stand for gigabytes of pixels."""
MAX_PIXELS_IN_ALL = 200_000_000
"""More than this is not opened for one request: some 20 seconds of a processor."""

_TAKEN_AS_IT_IS = ("iVBORw0KGgo", "/9j/")  # PNG and JPEG, in base64
_READABLE = ("PNG", "JPEG", "GIF", "WEBP", "BMP")
_JPEG_QUALITY = 85
_Fit = Callable[[Image, str], Image]
_PLAIN_ALPHABET = {ord("-"): "+", ord("_"): "/"}
# All that Pillow's readers raise on odd files; its warning where warnings are errors.
_READERS_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    ArithmeticError,
    LookupError,
    TypeError,
    struct.error,
    Pixels.DecompressionBombError,
    Pixels.DecompressionBombWarning,
)


def needs_fitting(conversation: Conversation) -> bool:
    """Whether any picture is not as upstreams take it. Pictures behind a URL are the upstream's own business."""
    return any(isinstance(part, Image) and not _is_fit(part) for part in all_parts(conversation))


def _is_fit(image: Image) -> bool:
    if not image.data:
        return True
    size = picture_size(image.data) if image.data.startswith(_TAKEN_AS_IT_IS) else None
    return size is not None and max(size) <= MAX_SIDE and len(image.data) * 3 // 4 <= MAX_BYTES


class GivenUpError(Exception):
    """Nobody waits for these pictures any more."""


def fit_pictures(conversation: Conversation, is_given_up: Callable[[], bool] = lambda: False) -> Conversation:
    """The conversation with every picture as upstreams take it; what was not touched keeps its raw form.

    is_given_up: asked before each picture. Raises GivenUpError then, and BadRequestError naming the message of a
    picture that cannot be read, or for too many pixels in all.
    """

    def fit(image: Image, path: str) -> Image:
        if is_given_up():
            raise GivenUpError
        return fit_picture(image, path)

    _check_pixels(conversation)
    messages = (_fit_message(message, f"messages.{place}", fit) for place, message in enumerate(conversation.messages))
    return with_messages(conversation, tuple(messages))


def _check_pixels(conversation: Conversation) -> None:
    images = (part for part in all_parts(conversation) if isinstance(part, Image))
    pixels = sum(_pixels(image) for image in images if not _is_fit(image))
    if pixels > MAX_PIXELS_IN_ALL:
        raise BadRequestError(
            f"The pictures have {pixels:,} pixels in all, and at most {MAX_PIXELS_IN_ALL:,} are opened.",
            hint=f"Send PNG or JPEG of at most {MAX_SIDE} pixels a side and {MAX_BYTES // 2**20} MB.",
        )


def _pixels(image: Image) -> int:
    """As the head of the file tells; none of a file that is not opened, which is refused when its turn comes."""
    size = picture_size(image.data)
    if size is None:
        try:
            with Pixels.open(io.BytesIO(_decoded(image.data)), formats=_READABLE) as opened:
                size = opened.size
        except _READERS_ERRORS:
            return 0
    pixels = size[0] * size[1]
    return pixels if pixels <= MAX_PIXELS else 0


def _fit_message(message: Message, path: str, fit: _Fit) -> Message:
    parts = tuple(_fit_part(part, path, fit) for part in message.parts)
    return message if parts == message.parts else Message(message.role, parts)


def _fit_part(part: Part, path: str, fit: _Fit) -> Part:
    if isinstance(part, ToolResult):
        inner = tuple(_fit_inner(one, path, fit) for one in part.parts)
        return part if inner == part.parts else ToolResult(part.call_id, inner, part.is_error)
    return fit(part, path) if isinstance(part, Image) else part


def _fit_inner(part: ResultPart, path: str, fit: _Fit) -> ResultPart:
    return fit(part, path) if isinstance(part, Image) else part


def fit_picture(image: Image, path: str) -> Image:
    """The picture itself where it is fit, else its first frame as PNG or JPEG, upright and as small as need be.

    path: what an error shall name. Raises BadRequestError.
    """
    if _is_fit(image):
        return image
    size = picture_size(image.data)
    if size is not None and size[0] * size[1] > MAX_PIXELS:
        raise _too_many(path, image, size)
    try:
        with Pixels.open(io.BytesIO(_decoded(image.data)), formats=_READABLE) as opened:
            if opened.width * opened.height > MAX_PIXELS:
                raise _too_many(path, image, opened.size)
            return _fitted(opened)
    except binascii.Error as error:
        raise _refuse(path, image, "its base64 is broken") from error
    except UnidentifiedImageError as error:
        raise _refuse(path, image, f"it is none of {', '.join(_READABLE)}") from error
    except _READERS_ERRORS as error:
        raise _refuse(path, image, "the file is broken") from error


def _decoded(data: str) -> bytes:
    """Base64 in either alphabet, with or without line ends and padding. Raises binascii.Error."""
    text = "".join(data.split()).rstrip("=").translate(_PLAIN_ALPHABET)
    return b64decode(text + "=" * (-len(text) % 4), validate=True)


def _too_many(path: str, image: Image, size: tuple[int, int]) -> BadRequestError:
    return _refuse(path, image, f"it has {size[0]} x {size[1]} pixels, and at most {MAX_PIXELS:,} are opened")


def _refuse(path: str, image: Image, why: str) -> BadRequestError:
    kind = image.media_type[:64] or "of unknown type"
    kilobytes = len(image.data) * 3 // 4096
    return BadRequestError(f"{path}: the picture ({kind}, {kilobytes} KB) cannot be used: {why}.", param=path)


def _fitted(opened: Pixels.Image) -> Image:
    """Photographs stay JPEG; of anything else a PNG, unless that is too large."""
    kinds = ("JPEG",) if opened.format == "JPEG" else ("PNG", "JPEG")
    opened.thumbnail((MAX_SIDE, MAX_SIDE))  # a JPEG is decoded smaller to begin with
    upright = ImageOps.exif_transpose(opened)
    return _encoded(upright.convert("RGBA" if upright.has_transparency_data else "RGB"), kinds)


def _encoded(pixels: Pixels.Image, kinds: tuple[str, ...]) -> Image:
    for kind in kinds:
        data = _encode(pixels, kind)
        if len(data) <= MAX_BYTES:
            return Image(f"image/{kind.lower()}", b64encode(data).decode())
    return _encoded(pixels.reduce(2), kinds[-1:])


def _encode(pixels: Pixels.Image, kind: str) -> bytes:
    """JPEG knows no transparency: it becomes white, as it looks on a page."""
    if kind == "JPEG" and pixels.mode == "RGBA":
        page = Pixels.new("RGBA", pixels.size, "white")
        pixels = Pixels.alpha_composite(page, pixels).convert("RGB")
    file = io.BytesIO()
    pixels.save(file, kind, quality=_JPEG_QUALITY)
    return file.getvalue()
