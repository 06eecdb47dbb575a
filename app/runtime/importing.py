"""Moving keys that stand in clear in files into the keyring."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from app.runtime.keychain import KeyChain
from app.secrets import SecretStore
from app.settings.blanking import blank_key
from app.settings.keys import FoundKey
from app.settings.load import Loaded
from app.settings.yamlfile import BrokenFileError


@dataclass(frozen=True, slots=True)
class ImportReport:
    """Outcome of an import. imported: servers whose keys are in the keyring and blanked in the files.

    left: keys that stayed where they were. reasons: one sentence for each of those.
    """

    imported: tuple[str, ...] = ()
    left: tuple[FoundKey, ...] = ()
    reasons: tuple[str, ...] = ()


async def import_keys(keys: KeyChain, store: SecretStore, found: Iterable[FoundKey]) -> ImportReport:
    """Store each key, then blank it in its file; a key that cannot be stored stays where it is."""
    outcomes = [(item, await _import(keys, store, item)) for item in found]
    left = [(item, reason) for item, reason in outcomes if reason]
    return ImportReport(
        imported=tuple(item.server for item, reason in outcomes if not reason),
        left=tuple(item for item, _ in left),
        reasons=tuple(reason for _, reason in left),
    )


async def _import(keys: KeyChain, store: SecretStore, found: FoundKey) -> str:
    """Import one; why it was left, or ""."""
    stored = await keys.stored(found.server)
    if stored is not None and stored != found.key:
        return f"The keyring holds another key for {found.server}; the one in {found.source} was left there."
    if not await keys.put(found.server, found.key):
        return f"{store.problem} The key in {found.source} was left there."
    try:
        await asyncio.to_thread(blank_key, found)
    except (OSError, BrokenFileError) as error:
        return f"The key for {found.server} is stored, but {found.source} could not be changed: {error}."
    return ""


def found_notices(found: Iterable[FoundKey]) -> list[str]:
    """What to say at start about keys in YAML files; in .env they are a documented way to hand one over."""
    sources = sorted({str(item.source) for item in found if item.source.suffix == ".yaml"})
    return [f"{source} holds keys in clear. Import them into the keyring." for source in sources]


def found_keys(loaded: Loaded) -> dict[str, str]:
    """Keys in clear in files, by whom they are for."""
    return {found.server: found.key for found in loaded.found_keys}
