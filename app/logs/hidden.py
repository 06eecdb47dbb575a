"""Secrets that are known by heart: an access key that its owner made up looks like any word.

What merely looks like a key is found by `proxy_core.redact`, which comes after this.
"""

from __future__ import annotations

from functools import lru_cache

from proxy_core.redact import mask_key, redact_text

_SHORTEST = 8
"""Shorter ones ("demo", "none") would be masked in the middle of words."""
_MOST = 100
_LONGEST_NAME = 80
_hidden: dict[str, str] = {}


def hide(secret: str | None) -> None:
    """From now on no line shows this."""
    if secret is not None and len(secret) >= _SHORTEST and secret not in _hidden:
        if len(_hidden) >= _MOST:
            del _hidden[next(iter(_hidden))]
        _hidden[secret] = mask_key(secret)


def without_secrets(text: str) -> str:
    """The text as it may be shown. Names, paths and addresses come again and again: those are remembered."""
    return _masked(text) if len(text) > _LONGEST_NAME else _remembered(text, tuple(_hidden))


@lru_cache(maxsize=2048)
def _remembered(text: str, _known: tuple[str, ...]) -> str:
    return _masked(text)


def _masked(text: str) -> str:
    for secret, mask in tuple(_hidden.items()):
        text = text.replace(secret, mask)
    return redact_text(text)
