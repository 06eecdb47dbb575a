"""Pictures are described by what can be measured."""

from __future__ import annotations

import base64
import io

import pytest
from PIL import Image as Pillow

from app.demo.pictures import describe_picture
from proxy_core.chat import Image


def picture(colour: object, size: tuple[int, int] = (40, 20), kind: str = "PNG", mode: str = "RGB") -> Image:
    drawn = io.BytesIO()
    Pillow.new(mode, size, colour).save(drawn, kind)
    return Image(f"image/{kind.lower()}", base64.b64encode(drawn.getvalue()).decode())


@pytest.mark.parametrize(
    ("seen", "description"),
    [
        (picture("red"), "A wide PNG picture of 40 by 20 pixels, mostly red."),
        (picture("blue", (9, 9), "JPEG"), "A square JPEG picture of 9 by 9 pixels, mostly blue."),
        (picture((0, 0, 0, 0), (1, 3), mode="RGBA"), "A tall PNG picture of 1 by 3 pixels, mostly white."),
        (picture(0, mode="L", kind="GIF"), "A wide GIF picture of 40 by 20 pixels, mostly black."),
        (Image(data="AAAA"), "A picture that could not be decoded."),
        (Image(data="no base64!"), "A picture that could not be decoded."),
        (
            Image(url="https://x/y.png"),
            "A picture behind the address https://x/y.png, which the demo server does not fetch.",
        ),
    ],
)
def test_a_picture_is_described(seen: Image, description: str) -> None:
    assert describe_picture(seen) == description


def test_a_truncated_picture_is_no_crash() -> None:
    whole = base64.b64decode(picture("red", (400, 400), "JPEG").data)
    cut = Image(data=base64.b64encode(whole[: len(whole) // 2]).decode())
    assert describe_picture(cut) == "A picture that could not be decoded."


def test_two_colours_are_both_named() -> None:
    half = Pillow.new("RGB", (40, 40), "white")
    half.paste((0, 0, 0), (0, 0, 40, 16))
    drawn = io.BytesIO()
    half.save(drawn, "PNG")
    assert describe_picture(Image(data=base64.b64encode(drawn.getvalue()).decode())).endswith("mostly white and black.")
