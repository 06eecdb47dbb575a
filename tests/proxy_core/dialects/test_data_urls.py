"""Addresses of pictures and files."""

from __future__ import annotations

import pytest

from proxy_core.chat import Document, Image
from proxy_core.dialects.data_urls import read_file_data, read_picture
from proxy_core.errors import BadRequestError


@pytest.mark.parametrize(
    ("url", "picture"),
    [
        ("https://x/y.png", Image(url="https://x/y.png")),
        ("HTTP://x/y.png", Image(url="HTTP://x/y.png")),
        ("data:image/gif;base64,QUJD", Image("image/gif", "QUJD")),
        ("data:image/gif;name=a;base64,QUJD", Image("image/gif", "QUJD")),
        ("data:;base64,QUJD", Image("image/png", "QUJD")),
        ("iVBORw0KGgoAAA", Image("image/png", "iVBORw0KGgoAAA")),
    ],
)
def test_pictures(url: str, picture: Image) -> None:
    assert read_picture(url, "here", {}) == picture


@pytest.mark.parametrize("url", ["", "ftp://x", "file:///etc/passwd", "data:image/png,raw", "data:image/png;base64,"])
def test_what_is_no_picture_is_refused(url: str) -> None:
    with pytest.raises(BadRequestError) as caught:
        read_picture(url, "here", {})
    assert caught.value.param == "here"


@pytest.mark.parametrize(
    ("data", "document"),
    [
        ("data:text/markdown;base64,IyBIaQ==", Document("t", "# Hi")),
        ("data:application/json;base64,e30=", Document("t", "{}")),
        ("data:text/plain;base64,/w==", Document("t", media_type="text/plain", data="/w==")),
        ("data:text/plain;base64,é", Document("t", media_type="text/plain", data="é")),
        ("data:application/pdf;base64,AAAA", Document("t", media_type="application/pdf", data="AAAA")),
        ("AAAA", Document("t", media_type="application/pdf", data="AAAA")),
    ],
)
def test_files(data: str, document: Document) -> None:
    assert read_file_data(data, "t", {}) == document
