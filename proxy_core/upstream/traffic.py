"""What the log hears of each upstream request: sizes and times. The bodies only where somebody asked for them.

A record's `fields` attribute holds the facts by name, for whoever writes them as data. A body there is raw bytes,
its beginning only, without the key that was sent; `redact.redact_body` makes it fit to be read.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from time import monotonic

from proxy_core.errors import UpstreamError
from proxy_core.upstream.echoes import bytes_without_key

log = logging.getLogger(__name__)
TRAFFIC_LOG = log.name
BODIES_LOG = f"{TRAFFIC_LOG}.bodies"
_bodies = logging.getLogger(BODIES_LOG)
_bodies.setLevel(logging.CRITICAL)  # not by a mere DEBUG of everything: they hold prompts

_KEPT_BYTES = 128 * 1024
_SECRET_HEADERS = ("authorization", "x-api-key", "api-key")


class Traffic:
    """One request and its answer. Made when it goes out; `end` may be called again, and only counts once."""

    def __init__(self, method: str, url: str, headers: Mapping[str, str], body: bytes, *, stream: bool) -> None:
        self._method, self._url = method, url
        self._began = monotonic()
        self._status = 0
        self._head_s: float | None = None
        self._bytes = 0
        self._is_over = False
        self._keeps = _bodies.isEnabledFor(logging.DEBUG)
        self._start = bytearray()
        self._keys = [headers[name].rpartition(" ")[2] for name in _SECRET_HEADERS if name in headers]
        self._tell("upstream_request", {"bytes": len(body), "stream": stream}, body)

    def head(self, status: int) -> None:
        """The head of the answer came."""
        self._status, self._head_s = status, monotonic() - self._began

    def heard(self, chunk: bytes) -> None:
        """A piece of the answer came."""
        self._bytes += len(chunk)
        if self._keeps and len(self._start) < _KEPT_BYTES:
            self._start += chunk[:_KEPT_BYTES]

    def end(self, error: BaseException | None = None) -> None:
        """It is over: read, given up, or failed."""
        if self._is_over:
            return
        self._is_over = True
        facts: dict[str, object] = {"status": self._status, "bytes": self._bytes}
        facts |= {"seconds": round(monotonic() - self._began, 3)}
        if self._head_s is not None:
            facts["head_s"] = round(self._head_s, 3)
        if error is not None:
            facts["error"] = error.kind.value if isinstance(error, UpstreamError) else type(error).__name__
        self._tell("upstream_response", facts, bytes(self._start))

    def _tell(self, event: str, facts: dict[str, object], body: bytes) -> None:
        logger = _bodies if self._keeps else log
        if not logger.isEnabledFor(logging.DEBUG):
            return
        fields = {"event": event, "method": self._method, "url": self._url, **facts}
        if self._keeps:
            fields |= {
                "body": self._without_keys(body[:_KEPT_BYTES]),
                "is_cut": facts["bytes"] != len(body[:_KEPT_BYTES]),
            }
        words = ", ".join(f"{name} {value}" for name, value in facts.items())
        sentence = f"{event.replace('_', ' ')} %s %s: %s"
        logger.debug(sentence, self._method, self._url, words, extra={"fields": fields})

    def _without_keys(self, body: bytes) -> bytes:
        for key in self._keys:
            body = bytes_without_key(body, key)
        return body
