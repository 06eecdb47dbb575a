"""Texts that were counted before cost nothing: a conversation that grows by one turn costs one turn.

Only digests and figures are kept, never a word of a prompt.
"""

from __future__ import annotations

from collections import OrderedDict
from hashlib import sha256
from threading import Lock
from typing import TypeAlias

from proxy_core.tokens.content import ContentClass, Shares, classify
from proxy_core.tokens.count import Encoder

Weight: TypeAlias = tuple[tuple[ContentClass | None, int], ...]
"""Tokens of a text by class; None: the class that its place gives it."""

MOST_TEXTS = 16_384
"""About 4 MB of memory, and the texts of some ten conversations of a thousand messages each."""
SHORTEST_KEPT = 24
"""Shorter texts are counted as fast as found again."""
_DIGEST_BYTES = 16


class TextMemory:
    """Weighs texts and remembers what they weighed, the least recently asked for being forgotten first.

    May be called from any thread.
    """

    def __init__(self, encode: Encoder, most: int = MOST_TEXTS) -> None:
        self._encode = encode
        self._most = most
        self._known: OrderedDict[bytes, Weight] = OrderedDict()
        self._lock = Lock()

    def count(self, text: str) -> int:
        """Tokens of the text: an `Encoder`."""
        return sum(tokens for _, tokens in self.weigh(text))

    def weigh(self, text: str) -> Weight:
        """Tokens of the text by class."""
        if len(text) < SHORTEST_KEPT:
            return _weigh(text, self._encode)
        digest = sha256(text.encode("utf-8", "surrogatepass")).digest()[:_DIGEST_BYTES]
        with self._lock:
            if (known := self._known.get(digest)) is not None:
                self._known.move_to_end(digest)
                return known
        weight = _weigh(text, self._encode)  # outside of the lock: a long text takes a tenth of a second
        self._keep(digest, weight)
        return weight

    def _keep(self, digest: bytes, weight: Weight) -> None:
        with self._lock:
            self._known[digest] = weight
            if len(self._known) > self._most:
                self._known.popitem(last=False)


def _weigh(text: str, encode: Encoder) -> Weight:
    return _share_out(encode(text), classify(text)) if text else ()


def _share_out(tokens: int, shares: Shares) -> Weight:
    """Whole tokens for every share, the last of which takes what is left, so that none gets lost."""
    weight = [(content, round(tokens * share)) for content, share in shares[:-1]]
    return (*weight, (shares[-1][0], tokens - sum(given for _, given in weight)))
