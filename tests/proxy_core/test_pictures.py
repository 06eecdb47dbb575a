"""Pictures made to fit: what is ordinary stays, what is not is re-encoded, what is broken is refused by name."""

from __future__ import annotations

import io
import struct
from base64 import b64decode, b64encode
from contextlib import nullcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pixels

from proxy_core import pictures
from proxy_core.chat import Conversation, Image, Message, Text, ToolResult
from proxy_core.errors import BadRequestError
from proxy_core.pictures import GivenUpError, fit_picture, fit_pictures, needs_fitting


def picture(
    kind: str, size: tuple[int, int] = (8, 6), mode: str = "RGB", color: object = "red", **saved: object
) -> Image:
    """A picture of one colour, in a file of this kind."""
    file = io.BytesIO()
    Pixels.new(mode, size, color).save(file, kind, **saved)
    return Image(f"image/{kind.lower()}", b64encode(file.getvalue()).decode(), raw={"as": "it came"})


def opened(image: Image) -> Pixels.Image:
    return Pixels.open(io.BytesIO(b64decode(image.data)))


def talk(*parts: Text | Image | ToolResult) -> Conversation:
    plain = Message("user", (Text("Hi"),), raw={"role": "user"})
    return Conversation("d", "m", (plain, Message("user", parts, raw={"role": "user", "content": []})))


@pytest.mark.parametrize(
    "image", [picture("PNG"), picture("JPEG"), picture("PNG", (6000, 1)), Image(url="https://x/y.webp")]
)
def test_an_ordinary_picture_costs_nothing(image: Image) -> None:
    assert not needs_fitting(talk(image))
    assert fit_picture(image, "messages.0") is image


@pytest.mark.parametrize(
    ("image", "kind", "size"),
    [
        (picture("WEBP", lossless=True), "png", (8, 6)),
        (picture("GIF", mode="P", color=0), "png", (8, 6)),
        (picture("BMP"), "png", (8, 6)),
        (picture("PNG", (6001, 3)), "png", (6000, 3)),
        (picture("PNG", (3, 12_000)), "png", (2, 6000)),
        (picture("JPEG", (12_000, 40)), "jpeg", (6000, 20)),
    ],
)
def test_the_rest_is_made_png_or_jpeg_within_the_limits(image: Image, kind: str, size: tuple[int, int]) -> None:
    assert needs_fitting(talk(image))
    fit = fit_picture(image, "messages.0")
    found = opened(fit)
    assert (fit.media_type, found.format, found.size) == (f"image/{kind}", kind.upper(), size)
    assert (fit.raw, fit.url) == (None, "")


def test_of_an_animation_the_first_frame_is_shown() -> None:
    frames = [Pixels.new("RGB", (4, 4), color) for color in ("red", "blue")]
    file = io.BytesIO()
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:])
    fit = opened(fit_picture(Image("image/gif", b64encode(file.getvalue()).decode()), "m"))
    assert fit.convert("RGB").getpixel((0, 0)) == (255, 0, 0)


def test_transparency_is_kept_in_a_png() -> None:
    fit = opened(fit_picture(picture("WEBP", mode="RGBA", color=(9, 9, 9, 0), lossless=True), "m"))
    assert fit.mode == "RGBA"
    assert fit.getpixel((0, 0))[3] == 0


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_what_is_too_large_becomes_jpeg_and_smaller_if_need_be(monkeypatch: pytest.MonkeyPatch, mode: str) -> None:
    file = io.BytesIO()
    Pixels.effect_noise((200, 200), 90).convert(mode).save(file, "PNG")
    noisy = Image("image/png", b64encode(file.getvalue()).decode())
    monkeypatch.setattr(pictures, "MAX_BYTES", 9_000)
    fit = fit_picture(noisy, "m")
    assert (fit.media_type, opened(fit).mode) == ("image/jpeg", "RGB")
    assert len(b64decode(fit.data)) <= 9_000
    assert opened(fit).width < 200


def test_a_photograph_that_lay_on_its_side_is_stood_up() -> None:
    exif = Pixels.Exif()
    exif[0x0112] = 6
    assert opened(fit_picture(picture("JPEG", (7000, 70), exif=exif), "m")).size == (60, 6000)


BOMB = b64encode(b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII5xI", 13, b"IHDR", 30_000, 30_000, 0)).decode()


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (BOMB, "30000 x 30000 pixels"),
        ("!!!!", "base64 is broken"),
        (b64encode(b"<svg/>" * 9).decode(), "none of PNG"),
        (picture("WEBP").data[:60], "broken"),
        (picture("PNG", (7000, 9)).data[:80], "broken"),
        ("iVBORw0KGgo" + "A" * 99, "none of PNG"),
    ],
)
def test_a_broken_picture_is_refused_by_name(data: str, why: str) -> None:
    with pytest.raises(BadRequestError, match=rf"messages.1: the picture \(image/png, \d+ KB\) .*{why}") as caught:
        fit_pictures(talk(Text("See"), Image("image/png", data)))
    assert caught.value.param == "messages.1"


def test_a_bomb_without_a_known_head_is_not_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "MAX_PIXELS", 40)
    with pytest.raises(BadRequestError, match="8 x 6 pixels"):
        fit_picture(picture("BMP"), "m")


@given(st.binary(min_size=1, max_size=200), st.sampled_from(["PNG", "JPEG", "GIF", "WEBP", "BMP"]), st.integers(0, 60))
def test_no_bytes_break_anything_else(noise: bytes, kind: str, kept: int) -> None:
    head = b64decode(picture(kind).data)[:kept]
    image = Image("image/x", b64encode(head + noise).decode())
    try:
        assert fit_picture(image, "m").data
    except BadRequestError as error:
        assert error.param == "m"


def test_only_what_was_changed_loses_its_raw_form() -> None:
    odd, good = picture("BMP"), picture("PNG")
    fit = fit_pictures(talk(Text("See"), good, ToolResult("c", (good, odd), is_error=True, raw={})))
    untouched, changed = fit.messages
    assert untouched.raw == {"role": "user"}
    assert (changed.raw, changed.parts[0]) == (None, Text("See"))
    assert changed.parts[1].raw == good.raw
    result = changed.parts[2]
    assert (result.raw, result.is_error, result.parts[0].raw, result.parts[1].raw) == (None, True, good.raw, None)


@pytest.mark.parametrize("kind", ["BMP", "WEBP"])
@pytest.mark.parametrize(("count", "is_refused"), [(2, False), (3, True)])
def test_pictures_have_a_limit_in_all(monkeypatch: pytest.MonkeyPatch, kind: str, count: int, is_refused: bool) -> None:
    monkeypatch.setattr(pictures, "MAX_PIXELS_IN_ALL", 2 * 48)
    conversation = talk(picture("PNG"), *[picture(kind)] * count)
    with pytest.raises(BadRequestError, match="144 pixels in all") if is_refused else nullcontext():
        assert not needs_fitting(fit_pictures(conversation))


def test_nothing_is_opened_once_nobody_waits() -> None:
    answers = iter([False, True])
    with pytest.raises(GivenUpError):
        fit_pictures(talk(*[picture("BMP")] * 3), lambda: next(answers))
