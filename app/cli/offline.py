"""The same changes where nothing runs: straight to the files, checked by the same declarations."""

from __future__ import annotations

from collections.abc import Mapping

from app.cli.exits import EXIT_USAGE, CommandError
from app.errors import remedy
from app.paths import ensure_home
from app.settings.book import ServerBook, UnknownServerError
from app.settings.load import Loaded
from app.settings.problems import SettingsRefusedError
from app.settings.store import SettingsStore

_SERVER_FIELDS = ("current_server", "failover_server")


def change_files(loaded: Loaded, changes: Mapping[str, object]) -> dict[str, str]:
    """Write changes to config.yaml; what could not be written as something above it decides: {field: what}.

    Raises CommandError.
    """
    store, before = SettingsStore(loaded), loaded.settings
    book = ServerBook(loaded.home, loaded.servers)
    try:
        after = store.check(changes)
        names = {field: book.get(getattr(after, field)).name for field in _SERVER_FIELDS if getattr(after, field)}
        store.use(after.model_copy(update=names))
        ensure_home(loaded.home)
        store.save(before)
    except (SettingsRefusedError, UnknownServerError) as error:
        raise CommandError(str(error), exit_code=EXIT_USAGE) from error
    except OSError as error:
        raise CommandError(f"config.yaml cannot be written: {error.strerror}.", remedy(error)) from error
    return {field: store.fixed_by(field) for field in changes if store.fixed_by(field)}


def switch_in_files(loaded: Loaded, server: str) -> tuple[str, str]:
    """The server's name from the next start on, and what decides otherwise ("" where nothing does)."""
    fixed = change_files(loaded, {"current_server": server})
    name = ServerBook(loaded.home, loaded.servers).get(server).name
    return name, fixed.get("current_server", "")
