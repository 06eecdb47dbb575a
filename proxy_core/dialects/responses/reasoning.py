"""Reasoning items ↔ Thinking.

Clients send back what they were given, but cannot be trusted to keep thinking and its signature apart; both travel
in `encrypted_content`, which every client treats as opaque: base64 of `{"v","text","signature","redacted"}`.
"""

from __future__ import annotations

import base64

import orjson

from proxy_core.chat import Thinking
from proxy_core.dialects.shape import optional_text
from proxy_core.jsontypes import JsonObject

_VERSION = "zp1"


def seal(thinking: Thinking) -> str:
    """`encrypted_content` that `unseal` turns into the same thinking again; it hides nothing."""
    content = {
        "v": _VERSION,
        "text": thinking.text,
        "signature": thinking.signature,
        "redacted": thinking.redacted,
    }
    return base64.b64encode(orjson.dumps(content)).decode()


def unseal(sealed: str) -> Thinking | None:
    """The thinking in `encrypted_content`; None for what was not sealed here (another vendor's, or damaged)."""
    try:
        content = orjson.loads(base64.b64decode(sealed, validate=True))
    except ValueError:  # neither base64 nor JSON
        return None
    if not isinstance(content, dict) or content.get("v") != _VERSION:
        return None
    text, signature, redacted = (content.get(name) for name in ("text", "signature", "redacted"))
    if not isinstance(text, str) or not isinstance(signature, str) or not isinstance(redacted, str):
        return None
    return Thinking(text, signature, redacted) if text or signature or redacted else None


def read_reasoning(item: JsonObject, path: str) -> Thinking | None:
    """The thinking of an item, unsigned where only its readable text came back; None where there is none of ours."""
    sealed = optional_text(item, "encrypted_content", path)
    if sealed:
        return unseal(sealed)
    text = "\n\n".join(_texts(item.get("content"))) or "\n\n".join(_texts(item.get("summary")))
    return Thinking(text) if text else None


def _texts(parts: object) -> list[str]:
    found = [part.get("text") for part in parts if isinstance(part, dict)] if isinstance(parts, list) else []
    return [text for text in found if isinstance(text, str) and text]
