"""All settings: what each means, where its value comes from, and changing it."""

from __future__ import annotations

from collections.abc import Callable

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.widgets import Static

from app.i18n import tr
from app.tui.desk import Desk, Keys, Page
from app.tui.dialogs.edit import Edit
from app.tui.facts import Changed, SettingFacts, read_change, read_settings
from app.tui.table import Cells, FactTable
from proxy_core.jsontypes import JsonObject

_VALUE_CELLS = 30


class ConfigPage(Page):
    """Asked again when it is opened and after each change."""

    focus_on = "#config-table"

    def __init__(self, desk: Desk, *, id: str) -> None:
        super().__init__(desk, id=id)
        self._settings: dict[str, SettingFacts] = {}

    def compose(self) -> ComposeResult:
        """One table, and the words about its marked row."""
        yield FactTable(id="config-table")
        yield Static(id="config-help", markup=False)

    def page_title(self) -> str:
        """Its name."""
        return tr("Config")

    def page_keys(self) -> Keys:
        """Change."""
        return (("Enter", tr("Change")),)

    def opened(self) -> None:
        """Ask."""
        self.desk.command(lambda verbs: verbs.settings(), self._take)

    def _take(self, body: JsonObject) -> None:
        self._settings = {setting.field: setting for setting in read_settings(body)}
        heads = (tr("Setting"), tr("Value"), tr("From"))
        self.query_one(FactTable).fill(heads, {name: _cells(setting) for name, setting in self._settings.items()})
        self._explain()

    @on(FactTable.RowHighlighted)
    def _explain(self) -> None:
        setting = self._settings.get(self.query_one(FactTable).marked)
        if setting is not None:
            names = " · ".join((setting.field, *setting.environment[:1], setting.allowed))
            self.query_one("#config-help", Static).update(f"{tr(setting.help)}\n{names}")

    @on(FactTable.RowSelected)
    def _edit(self) -> None:
        setting = self._settings.get(self.query_one(FactTable).marked)
        if setting is not None:
            self.desk.open_dialog(Edit(setting, self._save), lambda changed: self._saved(setting, changed))

    def _save(self, field: str, text: str, then: Callable[[Changed], None], failed: Callable[[str], None]) -> None:
        self.desk.command(lambda verbs: verbs.change({field: text}), lambda body: then(read_change(body)), failed)

    def _saved(self, setting: SettingFacts, changed: Changed | None) -> None:
        if changed is None:
            return
        self.desk.say(change_words(setting, changed))
        self.opened()


def change_words(setting: SettingFacts, changed: Changed) -> str:
    """What came of a change."""
    title = tr(setting.title)
    if changed.rebound:
        said = tr("{title} changed: the proxy listens on {address} now.", title=title, address=changed.address)
    else:
        said = tr("{title} changed; it holds from now on.", title=title)
    if source := changed.unsaved.get(setting.field):
        said += " " + tr("{source} decides at the next start.", source=source)
    return said


def _cells(setting: SettingFacts) -> Cells:
    value = " ".join(setting.text.split())
    shown = value if len(value) <= _VALUE_CELLS else value[: _VALUE_CELLS - 1] + "…"
    changed = setting.text != setting.default
    origin = setting.origin if setting.origin != "default" else "–"
    return Text(tr(setting.title)), Text(shown or "–", style="bold" if changed else ""), Text(origin, style="dim")
