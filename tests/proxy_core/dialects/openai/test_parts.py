"""Content parts, both ways."""

from __future__ import annotations

import pytest

from proxy_core.chat import Document, Image, Part, Text, Thinking, Unknown
from proxy_core.dialects.openai.parts import joined_texts, read_content, without_detail, write_content
from proxy_core.errors import BadRequestError
from tests.proxy_core.dialects.openai.builders import PNG, PNG_URI, part, picture

PDF = {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBE"}}


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        (None, ()),
        ("", ()),
        ("Hi", (Text("Hi"),)),
        ([], ()),
        ([part("a"), part("b")], (Text("a"), Text("b"))),
        ([picture()], (Image("image/png", PNG),)),
        ([picture("data:image/jpeg;charset=x;base64,QQ==")], (Image("image/jpeg", "QQ=="),)),
        ([picture(PNG)], (Image("image/png", PNG),)),
        ([picture("/9j/4AAQ")], (Image("image/jpeg", "/9j/4AAQ"),)),
        ([picture("HTTPS://x/y.png", detail="low")], (Image(url="HTTPS://x/y.png"),)),
        ([{"type": "image_url", "image_url": PNG_URI}], (Image("image/png", PNG),)),
        ([PDF], (Document("a.pdf", media_type="application/pdf", data="JVBE"),)),
        ([{"type": "refusal", "refusal": "No."}], (Unknown("refusal", "No."),)),
        ([{"type": "brand_new", "text": "says"}], (Unknown("brand_new", "says"),)),
    ],
)
def test_read_content(content: object, parts: tuple[Part, ...]) -> None:
    found = read_content(content, "content")
    assert found == parts
    assert [item.raw for item in found] == (content if isinstance(content, list) else [None] * len(parts))


@pytest.mark.parametrize(
    ("content", "param"),
    [
        (3, "content"),
        ({"type": "text"}, "content"),
        (["Hi"], "content.0"),
        ([part("a"), {"text": "b"}], "content.1.type"),
        ([{"type": "text"}], "content.0.text"),
        ([{"type": "image_url"}], "content.0.image_url"),
        ([{"type": "image_url", "image_url": {}}], "content.0.image_url.url"),
        ([picture("ftp://x/y.png")], "content.0.image_url.url"),
        ([picture("file:///etc/passwd")], "content.0.image_url.url"),
        ([picture("data:image/png;base64,")], "content.0.image_url.url"),
        ([picture("data:image/png,abc")], "content.0.image_url.url"),
        ([picture("QQQQ")], "content.0.image_url.url"),
        ([{"type": "file", "file": "x"}], "content.0.file"),
        ([{"type": "file", "file": {}}], "content.0.file.file_data"),
        ([{"type": "file", "file": {"file_id": "f"}}], "content.0.file.file_id"),
        ([part("a"), {"type": "input_audio", "input_audio": {}}], "content.1"),
        ([{"type": "refusal"}], "content.0.refusal"),
    ],
)
def test_malformed_content_is_refused_by_field(content: object, param: str) -> None:
    with pytest.raises(BadRequestError) as caught:
        read_content(content, "content")
    assert caught.value.param == param


def test_refusals_do_not_repeat_what_was_sent() -> None:
    with pytest.raises(BadRequestError) as caught:
        read_content([picture("ftp://secret")], "content")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("parts", "content"),
    [
        ((), ""),
        ((Text("Hi"),), "Hi"),
        ((Text("Hi", {"type": "text", "text": "Hi", "x": 1}),), [{"type": "text", "text": "Hi", "x": 1}]),
        ((Text("a"), Text("b")), [part("a"), part("b")]),
        ((Image("image/png", PNG),), [picture()]),
        ((Image(url="https://x/y"),), [picture("https://x/y")]),
        ((Document("T", "body"), Text("b")), [part("# T\n\nbody"), part("b")]),
        ((Unknown("k", "says"), Unknown("k"), Thinking("hm")), [part("says")]),
        ((Unknown("k", raw={"type": "k", "v": 1}),), [{"type": "k", "v": 1}]),
    ],
)
def test_write_content(parts: tuple[Part, ...], content: object) -> None:
    assert write_content(parts) == content


def test_detail_is_stripped_in_a_copy() -> None:
    content = [part("a"), picture(detail="high")]
    assert without_detail(content) == [part("a"), picture()]
    assert content[1] == picture(detail="high")
    assert without_detail(same := [picture()]) is same


@pytest.mark.parametrize(
    ("content", "joined"),
    [
        ("Hi", "Hi"),
        (None, None),
        ([], []),
        ([part("a"), {**part("b"), "cache_control": {}}], "a\nb"),
        ([part("a"), picture(detail="low")], [part("a"), picture()]),
    ],
)
def test_texts_are_joined_where_there_is_only_text(content: object, joined: object) -> None:
    assert joined_texts(content) == joined
