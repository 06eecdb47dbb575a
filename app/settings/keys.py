"""Telling keys from what merely stands in their place, and remembering where one was found in clear."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

ACCESS_KEY_USER = "proxy-access-key"
"""Under this name the local access key lies in the keyring; no server may be called so."""

_PLACEHOLDER = re.compile(
    r"""^( [*.xX_-]+ | <.*> | \$\{?.* | none | null | changeme | secret | (my|the|your)?[-_ ]?(api[-_ ]?)?key
         | your[-_ ].* | .*[-_ ]api[-_ ]key([-_ ]here)? | .*[-_ ]key[-_ ]here | replace[-_ ].* | sk-\.\.\. )$""",
    re.VERBOSE | re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class FoundKey:
    """A key that stands in clear in a file; offered for import into the keyring.

    server: whose key it is (ACCESS_KEY_USER for the local access key). source: the file.
    place: the keys that lead to it in a YAML file, or the one name in .env.
    """

    server: str
    key: str = field(repr=False)
    source: Path
    place: tuple[str, ...]


def is_placeholder(text: str) -> bool:
    """Whether this is what documentation writes where a key belongs, or nothing."""
    return not text.strip() or _PLACEHOLDER.match(text.strip()) is not None


def is_sendable(key: str) -> bool:
    """Whether a key can stand in an HTTP header: printable ASCII without spaces."""
    return key.isascii() and key.isprintable() and " " not in key
