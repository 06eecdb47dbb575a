"""An upstream may repeat the key it was sent, above all in an error: nobody is told it again."""

from __future__ import annotations

from typing import TypeVar

from proxy_core.errors import ProxyError, UpstreamError
from proxy_core.redact import mask_key

_SHORTEST_KEY = 8
"""Shorter ones ("none", "1") stand for no key at all, and as words they may be anywhere."""

_Error = TypeVar("_Error", bound=ProxyError)


def without_key(error: _Error, key: str) -> _Error:
    """The same error, in which the key is masked wherever the upstream may have put it."""
    if len(key) < _SHORTEST_KEY:
        return error
    mask = mask_key(key)
    error.message, error.hint = error.message.replace(key, mask), error.hint.replace(key, mask)
    error.args = (error.message,)
    error.code = error.code and error.code.replace(key, mask)
    if isinstance(error, UpstreamError) and error.body is not None:
        error.body = {name.replace(key, mask): _masked(value, key, mask) for name, value in error.body.items()}
    return error


def bytes_without_key(data: bytes, key: str) -> bytes:
    """The bytes of an error, in which the key is masked."""
    return data.replace(key.encode(), mask_key(key).encode()) if len(key) >= _SHORTEST_KEY else data


def _masked(value: object, key: str, mask: str) -> object:
    if isinstance(value, str):
        return value.replace(key, mask)
    if isinstance(value, list):
        return [_masked(item, key, mask) for item in value]
    if isinstance(value, dict):
        return {name.replace(key, mask): _masked(item, key, mask) for name, item in value.items()}
    return value
