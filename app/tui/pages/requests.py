"""Requests that run and those that ended last; each in full, and the running ones can be cancelled."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType

from app.i18n import tr
from app.tui.desk import Keys, Page
from app.tui.dialogs.confirm import Confirm
from app.tui.dialogs.detail import Detail
from app.tui.facts import Picture
from app.tui.table import Cells, FactTable
from app.tui.words import clock, compact, seconds
from proxy_core.telemetry.rows import ExchangeRow

_STYLES = {"running": "cyan", "done": "green", "failed": "red", "cancelled": "yellow"}
_WIDE = 110


class RequestsPage(Page):
    """The running ones on top."""

    focus_on = "#requests-table"
    BINDINGS: ClassVar[list[BindingType]] = [("x", "cancel", "")]

    def compose(self) -> ComposeResult:
        """One table."""
        yield FactTable(id="requests-table")

    def page_title(self) -> str:
        """Its name."""
        return tr("Requests")

    def page_keys(self) -> Keys:
        """Detail, cancel."""
        return (("Enter", tr("Details")), ("x", tr("Cancel request")))

    def show(self, picture: Picture) -> None:
        """Fill the table."""
        wide = self.size.width >= _WIDE
        heads = [tr("Time"), tr("State"), tr("Model"), tr("Server"), tr("In"), tr("Out"), tr("Took")]
        heads += [tr("Client"), tr("Cached"), tr("Saved")] if wide else []
        rows = {row.id: _cells(row, wide=wide) for row in (*picture.running, *picture.recent)}
        self.query_one(FactTable).fill(heads, rows)

    @on(FactTable.RowSelected)
    def _open(self) -> None:
        if row := self.desk.picture.row(self.query_one(FactTable).marked):
            self.desk.open_dialog(Detail(self.desk, row), lambda _: None)

    def action_cancel(self) -> None:
        """Ask, then cut off the marked request."""
        row = self.desk.picture.row(self.query_one(FactTable).marked)
        if row is None or row.outcome != "running":
            self.desk.say(tr("Only a running request can be cancelled."), bad=True)
            return
        question = tr("Cancel the request for {model}, running since {age}?", model=row.asked_model or row.door,
                      age=seconds(row.duration_s))  # fmt: skip
        self.desk.open_dialog(Confirm(question), lambda yes: self._cancel(row.id) if yes else None)

    def _cancel(self, request_id: str) -> None:
        self.desk.command(lambda verbs: verbs.cancel(request_id), lambda _: self.desk.say(tr("Cancelled.")))


def outcome_words(row: ExchangeRow) -> Text:
    """State in words, with the status of what failed."""
    words = {"running": tr("running"), "done": tr("done"), "failed": tr("failed"), "cancelled": tr("cancelled")}
    told = words.get(row.outcome, row.outcome)
    if row.outcome == "failed" and row.status:
        told = f"{told} {row.status}"
    return Text(told, style=_STYLES.get(row.outcome, ""))


def _cells(row: ExchangeRow, *, wide: bool) -> Cells:
    model = row.served_model or row.asked_model or "–"
    cells: Cells = (
        clock(row.started_at),
        outcome_words(row),
        Text(model if wide else model[:16]),
        Text(row.server[:13]),
        _figure(row.input_tokens + row.cached_tokens),
        _figure(row.output_tokens, "~" if row.is_estimate and row.output_tokens else ""),
        Text(seconds(row.duration_s), justify="right"),
    )
    more = (Text(row.client[:15]), _figure(row.cached_tokens), _figure(row.saved_tokens))
    return (*cells, *more) if wide else cells


def _figure(number: int, mark: str = "") -> Text:
    return Text(mark + compact(number), justify="right")
