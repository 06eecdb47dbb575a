"""What may be logged: keys, pictures and long base64 are taken out here and nowhere else.

Better one word too many masked than a key let through: a log line may lose an odd word after "bearer".
Every pattern reads a text once from left to right, so no input makes it slow.
"""

from __future__ import annotations

import re
from codecs import getincrementaldecoder
from collections.abc import Callable, Mapping
from typing import TypeAlias

MASK = "…"
_SHORTEST_SHOWN = 16
_LONGEST_KEY = 128
"""Longer runs are content (a picture, a file), and only their length is of use."""

_SECRET_HEADER = re.compile(r"authoriz|cookie|key|token(?!s)|secret|passw|credential", re.IGNORECASE)
_BEARER = re.compile(r"bearer(?:\s+|%20|\+)(?P<value>[^\s\"']+)", re.IGNORECASE)
_NAMED = re.compile(
    r"""(?: (?:api|access|private)[-_ ]?key | (?:access|auth|control|refresh|session|api|bearer)[-_ ]?token
          | authorization | secret | passw(?:or)?d | [?&]key )
        (?: \\*["']\s*[,:=] | \s*[:=] ) \s* (?:b?\\*["'])? (?:basic\s+)?
        (?P<value>(?!bearer\b)[^\s"']+)""",
    re.IGNORECASE | re.VERBOSE,
)
_CREDENTIALS_IN_URL = re.compile(r"://[^/\s\"'@]+@")
_ZAI_KEY = re.compile(r"(?<![0-9a-f])[0-9a-f]{32,}+\.[\w-]+", re.IGNORECASE | re.ASCII)
_SK_KEY = re.compile(r"(?:(?<![A-Za-z0-9])|(?<=\\[nrtbf])|(?<=%[0-9A-Fa-f]{2}))sk-[\w-]{8,}", re.ASCII)
_DATA_URI = re.compile(r"(data:(?:[\w.+-]+/[\w.+-]+)?(?:;[\w.=+-]+)*,)([^\s\"'<>)]*)", re.IGNORECASE)
_BASE64 = re.compile(r"[A-Za-z0-9+/]{64,}={0,2}|(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{24,}+={1,2}(?![=\w])")
_RUN = re.compile(r"[A-Za-z0-9_-]{32,}")
_BODY_LIMIT = 64 * 1024
_CONTENT = re.compile(r'("(?:data|b64_json|file_data|bytes)"\s*:\s*")([^"]{64,})')
_WRAPPED = re.compile(r"[A-Za-z0-9+/=_\\-]{64,}")
"""Base64 as it stands in JSON that escapes slashes, or breaks the lines."""
_WORD_ENDS = ' \n\t"'
_PUBLIC_ID = re.compile(r"(?:chatcmpl-|call_|toolu_|msg_|req_|resp_)[A-Za-z0-9_-]{1,58}")
"""Ids that upstreams give to answers and calls: as random as a key, but of use in a log."""

_Rule: TypeAlias = tuple[re.Pattern[str], Callable[[re.Match[str]], str]]


def mask_key(key: str) -> str:
    """A key as it may be shown: its first four and last two characters, or none of it if it is short."""
    return f"{key[:4]}{MASK}{key[-2:]}" if len(key) >= _SHORTEST_SHOWN else MASK


def redact_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers with the values of all that may carry a credential masked, and the others redacted as text."""
    return {
        name: _mask_header(value) if _SECRET_HEADER.search(name) else redact_text(value)
        for name, value in headers.items()
    }


def redact_text(text: str) -> str:
    """The text without anything that looks like a key, and with pictures and long base64 told by length."""
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text


def redact_body(start: bytes, size: int, *, is_cut: bool) -> str:
    """A body as it may be logged, 64 KiB at most, from its first bytes; size: how many it had in all.
    is_cut: these are not all of them.

    Where it was cut, the last word goes, too: half a key or picture would not be known for one.
    """
    try:
        text = getincrementaldecoder("utf-8")().decode(start)
    except UnicodeDecodeError:
        return f"{MASK}(not text, {size} bytes)"
    if is_cut:
        text = text[: 1 + max(text.rfind(end) for end in _WORD_ENDS)]
    text = redact_text(_WRAPPED.sub(_mask_if_random, _CONTENT.sub(_shorten_uri, text)))
    is_cut = is_cut or len(text) > _BODY_LIMIT
    return f"{text[:_BODY_LIMIT]}{MASK}({size} bytes)" if is_cut else text


def _mask_header(value: str) -> str:
    scheme, blank, key = value.partition(" ")
    return f"{scheme} {mask_key(key)}" if blank and scheme.isalpha() else mask_key(value)


def _mask_value(match: re.Match[str]) -> str:
    value = match["value"]
    return match[0].removesuffix(value) + mask_key(value)


def _mask_whole(match: re.Match[str]) -> str:
    return mask_key(match[0])


def _shorten_uri(match: re.Match[str]) -> str:
    return f"{match[1]}{MASK}({len(match[2])} characters)"


def _mask_if_random(match: re.Match[str]) -> str:
    """Runs that mix capitals, small letters and digits are keys or content; names and paths seldom do."""
    run = match[0]
    is_mixed = any(c.isupper() for c in run) and any(c.islower() for c in run) and any(c.isdigit() for c in run)
    if not is_mixed or _PUBLIC_ID.fullmatch(run):
        return run
    return mask_key(run) if len(run) <= _LONGEST_KEY else f"{MASK}({len(run)} characters)"


# Whole keys first: a rule for content must not take half of one and leave the rest.
_RULES: tuple[_Rule, ...] = (
    (_BEARER, _mask_value),
    (_NAMED, _mask_value),
    (_ZAI_KEY, _mask_whole),
    (_SK_KEY, _mask_whole),
    (_CREDENTIALS_IN_URL, lambda _: f"://{MASK}@"),
    (_DATA_URI, _shorten_uri),
    (_BASE64, _mask_if_random),
    (_RUN, _mask_if_random),
)
