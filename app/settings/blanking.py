"""Taking a key out of the file where it stood in clear, once it is safe elsewhere. No copy of the file is left."""

from __future__ import annotations

from collections.abc import MutableMapping

from app.paths import DOTENV_FILE
from app.settings.dotenv import blank_name
from app.settings.keys import FoundKey
from app.settings.yamlfile import edit_mapping


def blank_key(found: FoundKey) -> None:
    """Empty the key's value; everything else in the file stays. Raises BrokenFileError and OSError."""
    if found.source.name == DOTENV_FILE:
        blank_name(found.source, found.place[-1])
    else:
        edit_mapping(found.source, lambda data: _blank(data, found.place))


def _blank(data: MutableMapping[str, object], place: tuple[str, ...]) -> None:
    node = data
    for key in place[:-1]:
        below = node.get(key)
        if not isinstance(below, MutableMapping):
            return  # somebody edited the file meanwhile
        node = below
    if place[-1] in node:
        node[place[-1]] = ""
