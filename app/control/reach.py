"""How far away a server is: the time to open a connection. Nothing is sent, so nothing is paid and no key shown."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

LIMIT_S = 3.0
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Reach:
    """latency_ms: for the connection alone. message: why there was none, in words."""

    ok: bool
    latency_ms: float
    message: str = ""


async def reach(address: str, limit_s: float = LIMIT_S) -> Reach:
    """Knock at an http(s) address. Never raises for what the network does."""
    parts = urlsplit(address)
    port = parts.port or _PORTS.get(parts.scheme, 443)
    began = time.perf_counter()
    try:
        async with asyncio.timeout(limit_s):
            _, writer = await asyncio.open_connection(parts.hostname or "", port)
    except TimeoutError:
        return Reach(False, limit_s * 1000, f"no answer within {limit_s:g} s")
    except OSError as error:
        return Reach(False, (time.perf_counter() - began) * 1000, _words(error))
    elapsed = (time.perf_counter() - began) * 1000
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    return Reach(True, elapsed)


def _words(error: OSError) -> str:
    said = error.strerror or str(error)
    return f"cannot be reached: {said}"
