"""How things stand, in words and sums."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from app.i18n import tr
from app.tui.desk import Page
from app.tui.facts import Picture, Status
from app.tui.words import NOTHING, compact, moment, rate, uptime


class StatusPage(Page):
    """Facts, the last error and notices, scrolled with the arrow keys."""

    focus_on = "#status-scroll"

    def compose(self) -> ComposeResult:
        """Facts."""
        with VerticalScroll(id="status-scroll"):
            yield Static(id="facts")

    def page_title(self) -> str:
        """Its name."""
        return tr("Status")

    def show(self, picture: Picture) -> None:
        """Fill in the facts, once there are any."""
        if not picture.status.pid:
            return
        table = Table.grid(padding=(0, 2))
        table.add_column(style="bold", no_wrap=True)
        table.add_column(overflow="fold")
        for name, value in _facts(picture, self.desk.now(), connected=self.desk.connected):
            table.add_row(name, value)
        self.query_one("#facts", Static).update(table)


def _facts(picture: Picture, now: float, *, connected: bool) -> list[tuple[str, Text]]:
    status, latest = picture.status, picture.latest
    url = f"http://{status.address}" if status.address else ""
    speed = tr(
        "{requests} requests/s, {tokens} tokens/s out",
        requests=rate(latest.requests_per_s),
        tokens=rate(latest.output_tokens_per_s),
    )
    kind = tr("tray program") if status.kind == "tray" else tr("headless")
    process = tr("{kind}, process {pid}, version {version}", kind=kind, pid=status.pid, version=status.version)
    up = tr("{age}, since {moment}", age=uptime(now - status.started_at), moment=moment(status.started_at))
    return [
        (tr("OpenAI clients"), Text(f"{url}/v1" if url else tr("Not listening"))),
        (tr("Anthropic clients"), Text(url or tr("Not listening"))),
        (tr("Server"), Text(status.server)),
        (tr("State"), _state(status, connected=connected)),
        (tr("Instance"), Text(process)),
        (tr("Up for"), Text(up)),
        (tr("In flight"), Text(str(status.in_flight))),
        (tr("Now"), Text(speed)),
        (tr("Requests"), Text(_requests(status))),
        (tr("Tokens"), Text(_tokens(status))),
        (tr("Last error"), Text(status.last_error, style="red") if status.last_error else Text(NOTHING)),
        (tr("Notices"), Text("\n".join(status.notices), style="yellow") if status.notices else Text(NOTHING)),
    ]


def _state(status: Status, *, connected: bool) -> Text:
    if not connected:
        return Text(tr("lost: what is shown is old"), style="red")
    if not status.address:
        return Text(tr("Not listening"), style="red")
    return Text(tr("paused"), style="bold yellow") if status.paused else Text(tr("takes requests"), style="green")


def _requests(status: Status) -> str:
    if not status.requests:
        return "0"
    good = 100 * (status.requests - status.failures) / status.requests
    return tr("{count} ended, {failed} failed, {share} good", count=status.requests, failed=status.failures,
              share=f"{good:.1f} %")  # fmt: skip


def _tokens(status: Status) -> str:
    return tr(
        "{fresh} in, {cached} in from cache, {out} out, {saved} saved",
        fresh=compact(status.input_tokens),
        cached=compact(status.cached_tokens),
        out=compact(status.output_tokens),
        saved=compact(status.saved_tokens),
    )
