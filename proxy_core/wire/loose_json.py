"""JSON of upstreams that is JSON only almost: what can be understood is read, so that it can be told properly."""

from __future__ import annotations

import json
import math

_LEAST, _TOO_MUCH = -(2**63), 2**64
_MOST_DIGITS = 20


def load_loosely(data: bytes) -> object:
    """What strict parsers refuse: NaN and Infinity become null, halves of surrogate pairs and broken UTF-8 become
    U+FFFD. Raises ValueError for what is no JSON at all."""
    try:
        read: object = json.loads(
            data.decode("utf-8", "replace"), parse_constant=_nothing, parse_float=_finite, parse_int=_whole
        )
        return _mended(read)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _nothing(_: str) -> None:
    return None


def _finite(text: str) -> float | None:
    value = float(text)
    return value if math.isfinite(value) else None


def _whole(text: str) -> float | int | None:
    """As the strict parser: beyond 64 bits it is a float."""
    value = int(text) if len(text) <= _MOST_DIGITS else _TOO_MUCH
    return value if _LEAST <= value < _TOO_MUCH else _finite(text)


def _mended(value: object) -> object:
    if isinstance(value, str):
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if isinstance(value, list):
        return [_mended(item) for item in value]
    if isinstance(value, dict):
        return {_mended(key): _mended(item) for key, item in value.items()}
    return value
