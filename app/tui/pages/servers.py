"""The servers: which one is used, how far away each is, whether it has a key; switching and testing."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType

from app.i18n import tr
from app.tui.desk import Desk, Keys, Page
from app.tui.facts import Picture, Reach, ServerFacts, Trial, read_servers, read_trial
from app.tui.table import Cells, FactTable
from app.tui.words import NOTHING
from proxy_core.jsontypes import JsonObject


class ServersPage(Page):
    """Asked again when it is opened and after each change."""

    focus_on = "#servers-table"
    BINDINGS: ClassVar[list[BindingType]] = [("t", "test", ""), ("r", "measure", "")]

    def __init__(self, desk: Desk, *, id: str) -> None:
        super().__init__(desk, id=id)
        self._servers: tuple[ServerFacts, ...] = ()
        self._current = ""

    def compose(self) -> ComposeResult:
        """One table."""
        yield FactTable(id="servers-table")

    def page_title(self) -> str:
        """Its name."""
        return tr("Servers")

    def page_keys(self) -> Keys:
        """Switch, test, measure."""
        return (("Enter", tr("Switch")), ("t", tr("Test key")), ("r", tr("Measure")))

    def opened(self) -> None:
        """Ask what there is at once, and how far away it is as it comes."""
        self.desk.command(lambda verbs: verbs.servers(), self._take)
        self.action_measure()

    def action_measure(self) -> None:
        """How far away each is."""
        self.desk.command(lambda verbs: verbs.servers(reach=True), self._take)

    def show(self, picture: Picture) -> None:
        """Somebody else may have switched."""
        if picture.status.server != self._current:
            self._current = picture.status.server
            self.desk.command(lambda verbs: verbs.servers(), self._take)

    def _take(self, body: JsonObject) -> None:
        known = {server.name: server.reach for server in self._servers}
        servers = [replace(item, reach=item.reach or known.get(item.name)) for item in read_servers(body)]
        self._servers = tuple(servers)
        heads = ("", tr("Server"), tr("Plan"), tr("Region"), tr("Key"), tr("State"), tr("Latency"))
        rows = {server.name: _cells(server) for server in servers}
        self.query_one(FactTable).fill(heads, rows)

    @on(FactTable.RowSelected)
    def _switch(self) -> None:
        name = self.query_one(FactTable).marked
        if name:
            self.desk.command(lambda verbs: verbs.switch(name), self._switched)

    def _switched(self, status: JsonObject) -> None:
        text = tr("Requests now go to {server}; streams that run finish where they began.", server=status.get("server"))
        if fixed := status.get("fixed_by"):
            text += " " + tr("{source} decides at the next start.", source=fixed)
        self.desk.say(text)
        self.desk.command(lambda verbs: verbs.servers(), self._take)

    def action_test(self) -> None:
        """One tiny request with the server's key."""
        name = self.query_one(FactTable).marked
        if name:
            self.desk.say(tr("Asking {server}…", server=name))
            self.desk.command(lambda verbs: verbs.test_key(name), lambda body: self._tested(name, read_trial(body)))

    def _tested(self, name: str, trial: Trial) -> None:
        took = tr("{ms} ms", ms=round(trial.latency_ms)) if trial.latency_ms else ""
        self.desk.say(" · ".join(part for part in (name, trial.message, took) if part), bad=not trial.ok)


def _cells(server: ServerFacts) -> Cells:
    keys = {
        "stored": tr("stored"),
        "given": tr("given"),
        "held": tr("this run"),
        "found": tr("in a file"),
        "none": tr("none"),
    }
    return (
        Text("●" if server.current else " ", style="green"),
        Text(server.name[:20], style="bold" if server.current else ""),
        Text(server.plan),
        Text(server.region[:14]),
        Text(keys.get(server.key, server.key), style="yellow" if server.key == "none" else ""),
        _breaker(server.breaker),
        _distance(server.reach),
    )


def _breaker(state: str) -> Text:
    words = {"closed": tr("fine"), "open": tr("failing"), "half_open": tr("on trial")}
    return Text(words.get(state, state or NOTHING), style="red" if state == "open" else "")


def _distance(reach: Reach | None) -> Text:
    if reach is None:
        return Text("…")
    if not reach.ok:
        return Text(reach.message.partition(":")[0], style="red")  # the reason is the system's, and long
    return Text(tr("{ms} ms", ms=round(reach.latency_ms)))
