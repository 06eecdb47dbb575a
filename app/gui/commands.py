"""The only crossing downwards: what a widget may ask for. Failures come back as words, through one signal."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QGuiApplication

from app.gui.tasks import Tasks
from app.i18n import tr
from app.runtime import Runtime
from app.runtime.importing import ImportReport
from app.runtime.keychain import KeySource
from app.settings.keys import FoundKey
from app.settings.schema import Settings
from proxy_core.jsontypes import JsonObject
from proxy_core.pipeline.preview import Preview
from proxy_core.settings import DialectName
from proxy_core.stores.descriptions import DescriptionStore
from proxy_core.tokens.learning import Ratio
from proxy_core.upstream.doctor import Examination
from proxy_core.upstream.trial import KeyTrial


class Commands(QObject):
    """Verbs. Those that are coroutines raise; the others report for themselves.

    said: a passing remark. keys_changed: a key was stored or removed. settings_asked: somewhere it was pressed.
    """

    said = Signal(str)
    keys_changed = Signal()
    settings_asked = Signal()

    def __init__(self, runtime: Runtime, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._runtime = runtime
        self.tasks = tasks

    def switch_server(self, name: str) -> None:
        """Send the next request there; running ones finish where they began."""
        self.tasks.spawn(self._runtime.switch_server(name))

    def toggle_pause(self) -> None:
        """Turn requests away, or take them again."""
        if self._runtime.state.snapshot().paused:
            self._runtime.resume()
        else:
            self._runtime.pause()

    def copy_base_url(self, dialect: DialectName) -> None:
        """Put the address that clients of this style must be given on the clipboard."""
        url = self._runtime.base_url(dialect)
        self.copy_text(url, tr("Copied {url}", url=url))

    def copy_access_key(self) -> None:
        """Put the user's own access key on the clipboard; only ever called by the button that says so."""
        if self._runtime.access_key:
            self.copy_text(self._runtime.access_key, tr("Access key copied."))

    def copy_text(self, text: str, remark: str) -> None:
        """Put a text on the clipboard, and say so."""
        QGuiApplication.clipboard().setText(text)
        self.said.emit(remark)

    @property
    def settings(self) -> Settings:
        """The settings that hold now."""
        return self._runtime.store.current

    def fixed_by(self, field: str) -> str:
        """What stands above the file for a setting; "" where it can be changed here."""
        return self._runtime.store.fixed_by(field)

    @property
    def server_names(self) -> tuple[str, ...]:
        """The servers one can choose, in order."""
        return self._runtime.servers.names()

    @property
    def has_access_key(self) -> bool:
        """Whether clients must show a key of ours."""
        return self._runtime.access_key is not None

    @property
    def descriptions(self) -> DescriptionStore:
        """What pictures were described as."""
        return self._runtime.descriptions

    def ratios(self) -> tuple[Ratio, ...]:
        """What was learned of the models' own token figures."""
        return self._runtime.ratios()

    async def dry_run(self, dialect: DialectName, body: JsonObject) -> Preview:
        """What would become of a request. Raises ProxyError as a real request would."""
        return await self._runtime.dry_run(dialect, body)

    async def apply(self, changes: Mapping[str, object]) -> None:
        """Change settings, all or none; begin to listen if that failed before. Raises what the runtime raises."""
        await self._runtime.apply(changes)
        if self._runtime.proxy.address is None:
            await self._runtime.start()

    async def try_key(self, server: str, key: str) -> KeyTrial:
        """Ask the server about a key; "": the one that is used now."""
        return await self._runtime.try_key(server, key or None)

    async def examine_key(self, server: str, key: str) -> Examination | None:
        """Which region and plan a key is for; "": the one that is used now. None where nobody may be asked."""
        return await self._runtime.examine_key(server, key or None)

    async def has_key(self, server: str) -> bool:
        """Whether there is a key for the server, from wherever."""
        return await self._runtime.has_key(server)

    async def key_source(self, server: str) -> KeySource:
        """Where the key that is used for the server comes from."""
        return await self._runtime.key_source(server)

    async def set_key(self, server: str, key: str) -> None:
        """Keep a key. Raises SettingsRefusedError."""
        await self._runtime.set_key(server, key)
        self.keys_changed.emit()

    async def delete_key(self, server: str) -> None:
        """Forget a key."""
        await self._runtime.delete_key(server)
        self.keys_changed.emit()

    @property
    def key_problem(self) -> str:
        """Why keys cannot be kept for good, in words; "" where they can."""
        return self._runtime.key_problem or ""

    @property
    def found_keys(self) -> tuple[FoundKey, ...]:
        """Keys that stand in clear in files."""
        return tuple(self._runtime.found_keys)

    async def import_found_keys(self) -> ImportReport:
        """Move them into the keyring, and blank them where they stood."""
        report = await self._runtime.import_found_keys()
        self.keys_changed.emit()
        return report
