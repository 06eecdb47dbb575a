"""The descriptions of a data folder where nothing runs."""

from __future__ import annotations

import time
from pathlib import Path

from app.paths import cache_folder
from app.settings.schema import Settings
from proxy_core.stores.bundle import file_stores
from proxy_core.stores.descriptions import DescriptionStore


def description_store(home: Path, settings: Settings) -> DescriptionStore:
    """The same files that an instance of this folder uses."""
    folder = cache_folder(home, settings.cache_dir)
    return file_stores(folder, lambda: settings.description_store_mb, time.time).descriptions
