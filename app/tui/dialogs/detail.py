"""One request in full, as it goes on."""

from __future__ import annotations

from typing import ClassVar

from rich.table import Table
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from app.i18n import tr
from app.tui.desk import Desk
from app.tui.facts import Picture
from app.tui.words import compact, moment, seconds
from proxy_core.telemetry.rows import ExchangeRow


class Detail(ModalScreen[None]):
    """Closed by Esc, Enter or q."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape,enter,q,ctrl+c", "leave", "")]

    def __init__(self, desk: Desk, row: ExchangeRow) -> None:
        super().__init__()
        self._row = row
        self._desk = desk

    def compose(self) -> ComposeResult:
        """Facts and keys."""
        with Vertical(classes="dialog dialog-large"):
            with VerticalScroll():
                yield Static(id="detail")
            yield Static(tr("Esc: back      arrow keys: scroll"), classes="dialog-keys", markup=False)

    def on_mount(self) -> None:
        """Fill in what is known."""
        self.show(self._desk.picture)

    def show(self, picture: Picture) -> None:
        """The request goes on."""
        self._row = picture.row(self._row.id) or self._row
        table = Table.grid(padding=(0, 2))
        table.add_column(style="bold", no_wrap=True)
        table.add_column(overflow="fold")
        for name, value in _facts(self._row):
            if value:
                table.add_row(name, value)
        self.query_one("#detail", Static).update(table)

    def action_leave(self) -> None:
        """Back to the page."""
        self.dismiss(None)


def _facts(row: ExchangeRow) -> list[tuple[str, str]]:
    return [
        (tr("Request"), row.id),
        (tr("Began"), moment(row.started_at)),
        (tr("Door"), " ".join(part for part in (row.door, tr("streamed") if row.stream else "") if part)),
        (tr("Client"), row.client),
        (tr("State"), _outcome(row)),
        (tr("Model"), _arrow(row.asked_model, row.served_model)),
        (tr("Server"), row.server),
        (tr("Dialects"), _arrow(row.client_dialect, row.upstream_dialect)),
        (tr("Why there"), row.reason),
        (tr("First token"), seconds(row.first_token_s)),
        (tr("Took"), seconds(row.duration_s)),
        (tr("Waited in line"), seconds(row.queued_s) if row.queued_s else ""),
        (tr("Retries"), str(row.retries or "")),
        (tr("Tokens"), _tokens(row)),
        (tr("Saved"), _saved(row)),
        (tr("Not edited"), "\n".join(row.held_back)),
        (tr("Error"), " · ".join(part for part in (row.error_kind, row.error_message) if part)),
    ]


def _outcome(row: ExchangeRow) -> str:
    words = {"running": tr("running"), "done": tr("done"), "failed": tr("failed"), "cancelled": tr("cancelled")}
    return f"{words.get(row.outcome, row.outcome)} {row.status or ''}".strip()


def _arrow(asked: str, given: str) -> str:
    return asked if asked == given or not given else f"{asked} → {given}"


def _tokens(row: ExchangeRow) -> str:
    figures = {"fresh": row.input_tokens, "cached": row.cached_tokens, "out": row.output_tokens}
    fresh, cached, out = (f"{figure:,}" for figure in figures.values())
    told = tr("{fresh} in, {cached} in from cache, {out} out", fresh=fresh, cached=cached, out=out)
    return f"{told} ({tr('estimated')})" if row.is_estimate else told


def _saved(row: ExchangeRow) -> str:
    if not row.saved_tokens:
        return ""
    shares = ", ".join(f"{stage} {compact(tokens)}" for stage, tokens in row.saved_by_stage)
    return f"{row.saved_tokens:,} ({shares})" if shares else f"{row.saved_tokens:,}"
