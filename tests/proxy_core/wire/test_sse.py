"""Server-sent events, cut anywhere."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy_core.errors import UpstreamError
from proxy_core.wire import sse
from proxy_core.wire.sse import SseDecoder, SseEvent, encode_comment, encode_event, encode_json

LINE_ENDS = ("\n", "\r\n", "\r")


def decode(*chunks: bytes) -> list[SseEvent]:
    decoder = SseDecoder()
    events = [event for chunk in chunks for event in decoder.feed(chunk)]
    return events + decoder.flush()


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"data: a\n\n", [("", b"a")]),
        (b"data:a\n\n", [("", b"a")]),
        (b"data:  a\n\n", [("", b" a")]),
        (b"event: ping\ndata: {}\n\n", [("ping", b"{}")]),
        (b"event:ping\r\ndata:{}\r\n\r\n", [("ping", b"{}")]),
        (b"data: a\rdata: b\r\r", [("", b"a\nb")]),
        (b"data: one\ndata: two\n\ndata: three\n\n", [("", b"one\ntwo"), ("", b"three")]),
        (b"data\n\n", [("", b"")]),
        (b": keep-alive\n\n", [("", None)]),
        (b"id: 7\nretry: 10\nunknown: x\ndata: a\n\n", [("", b"a")]),
        (b"\xef\xbb\xbfdata: a\n\n", [("", b"a")]),
        (b"data: last", [("", b"last")]),
        (b"data: last\n", [("", b"last")]),
        (b"data: last\r", [("", b"last")]),
        (b"\n\n", [("", None)]),
        (b"", []),
        (b"data: \xe4\xbd\xa0\n\n", [("", "你".encode())]),
    ],
)
def test_events_of_a_body(raw: bytes, expected: list[tuple[str, bytes | None]]) -> None:
    heard = [(event.name, event.data) for event in decode(raw)]
    assert [item for item in heard if item != ("", None)] == [item for item in expected if item != ("", None)]


events = st.lists(
    st.tuples(
        st.sampled_from(["", "ping", "message_start"]), st.text(st.characters(exclude_characters="\r\n", codec="utf-8"))
    ),
    max_size=5,
)


@given(events=events, end=st.sampled_from(LINE_ENDS), data=st.data())
def test_any_cut_gives_the_same_events(events: list[tuple[str, str]], end: str, data: st.DataObject) -> None:
    text = "".join((f"event: {name}{end}" if name else "") + f"data: {body}{end}{end}" for name, body in events)
    raw = text.encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(raw)), max_size=6)))
    pieces = [raw[start:stop] for start, stop in zip([0, *cuts], [*cuts, len(raw)], strict=True)]
    heard = [(event.name, event.data.decode()) for event in decode(*pieces) if event.data is not None]
    assert heard == events
    assert b"".join(event.raw for event in decode(*pieces)).replace(b"\n", b"").replace(b"\r", b"") == raw.replace(
        b"\n", b""
    ).replace(b"\r", b"")


def test_raw_bytes_of_complete_events_add_up_to_the_body() -> None:
    raw = b": hi\n\nevent: a\r\ndata: 1\r\n\r\ndata: 2\n\n"
    assert b"".join(event.raw for event in SseDecoder().feed(raw)) == raw


def test_an_endless_event_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "MAX_EVENT_BYTES", 100)
    decoder = SseDecoder()
    with pytest.raises(UpstreamError, match="single event"):
        for _ in range(20):
            decoder.feed(b"data: 1234567890")


@pytest.mark.parametrize(
    ("encoded", "expected"),
    [
        (encode_event(b"x"), b"data: x\n\n"),
        (encode_event(b"x", "ping"), b"event: ping\ndata: x\n\n"),
        (encode_json({"a": 1}), b'data: {"a":1}\n\n'),
        (encode_comment("hi"), b": hi\n\n"),
    ],
)
def test_encoding(encoded: bytes, expected: bytes) -> None:
    assert encoded == expected
