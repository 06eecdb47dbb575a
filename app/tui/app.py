"""The full screen as a program: it looks on through the control channel, commands, and hosts where none runs."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import ClassVar, TypeVar

from textual.app import App
from textual.binding import BindingType
from textual.screen import Screen

from app.control.client import ControlError
from app.errors import EndingError
from app.i18n import tr
from app.logs import close_files
from app.tui.dialogs.confirm import Confirm
from app.tui.dialogs.detail import Detail
from app.tui.dialogs.help import Help
from app.tui.facts import Picture
from app.tui.hosting import Host
from app.tui.instance import Instance, Verbs, Watch
from app.tui.screen import MainScreen
from app.tui.style import CSS, THEME
from proxy_core.redact import redact_text
from proxy_core.server.runner import PortInUseError

log = logging.getLogger(__name__)
T = TypeVar("T")
EXIT_HUNG_UP = 129
"""As shells tell the signal of a lost terminal."""


class ProxyTui(App[int]):
    """find: the instance to look at, None where none runs. host: hosts one here. clock: unix seconds."""

    CSS = CSS
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        ("q,ctrl+c,ctrl+q", "quit_asked", ""),
        ("question_mark,f1,h", "help", ""),
        ("p", "pause", ""),
        ("s", "start_here", ""),
    ]

    def __init__(
        self,
        home: Path,
        find: Callable[[], Awaitable[Instance | None]],
        host: Host,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__()
        self._find = find
        self._host = host
        self._clock = clock
        self._watch = Watch(find, self)
        self._main = MainScreen(self, home)
        self._is_ending = self._is_starting = False
        self.picture = Picture()
        self.connected = False

    async def on_mount(self) -> None:
        """Show the screen, and look for somebody to look at."""
        self.register_theme(THEME)
        self.theme = THEME.name
        await self.push_screen(self._main)
        self.run_worker(self._begin(), name="watch")

    async def _begin(self) -> None:
        self._main.show_lost(tr("Looking for a running proxy…"))
        if await self._find() is None:
            await self._start()
        await self._watch.run()

    # What the watch tells.

    def show_picture(self, picture: Picture) -> None:
        """This is how things stand."""
        was_connected, self.connected = self.connected, True
        self.picture = picture
        self._main.show(picture, self._place())
        if not was_connected:
            self._main.page.opened()
        if isinstance(self.screen, Detail):
            self.screen.show(picture)

    def _place(self) -> str:
        status = self.picture.status
        if self._host.runs:
            return tr("hosted here")
        kind = tr("tray program") if status.kind == "tray" else tr("headless")
        return tr("{kind}, process {pid}", kind=kind, pid=status.pid)

    def show_lost(self, reason: str) -> None:
        """Nobody can be seen; it is tried again."""
        self.connected = False
        if self._is_ending:
            self._main.show_lost(tr("Ending…"))
        elif reason:
            self._main.show_lost(tr("Lost; trying again. {reason}", reason=reason))
        else:
            self._main.show_lost(tr("No proxy runs (press s to start one here); looking again."))

    # What pages ask for.

    def now(self) -> float:
        """Unix seconds."""
        return self._clock()

    def say(self, text: str, *, bad: bool = False) -> None:
        """One line for the user, for a while."""
        self._main.say(text, bad=bad)

    def command(
        self, verb: Callable[[Verbs], T], then: Callable[[T], None], failed: Callable[[str], None] | None = None
    ) -> None:
        """Say a verb to the instance, then tell what came of it; `failed` (else say) is told why not."""
        self.run_worker(self._obey(verb, then, failed or self._say_failed))

    def _say_failed(self, text: str) -> None:
        self.say(text, bad=True)

    async def _obey(self, verb: Callable[[Verbs], T], then: Callable[[T], None], failed: Callable[[str], None]) -> None:
        instance = self._watch.instance
        if instance is None:
            failed(tr("There is no proxy to ask."))
            return
        try:
            then(await instance.ask(verb))
        except ControlError as error:
            failed(" ".join(part for part in (str(error), error.hint) if part))

    def open_dialog(self, dialog: Screen[T], then: Callable[[T | None], None]) -> None:
        """Ask the user."""
        self.push_screen(dialog, then)

    # Keys that work everywhere.

    def action_help(self) -> None:
        """All keys."""
        self.push_screen(Help(self._main.help_sections()))

    def action_pause(self) -> None:
        """Turn requests away, or take them again."""
        if self.picture.status.paused:
            self.command(lambda verbs: verbs.resume(), lambda _: self.say(tr("Requests are taken again.")))
        else:
            text = tr("Paused: new requests are turned away until you press p again.")
            self.command(lambda verbs: verbs.pause(), lambda _: self.say(text))

    def action_start_here(self) -> None:
        """Host a proxy, where none can be seen."""
        if self.connected:
            self.say(tr("A proxy runs already."), bad=True)
        elif not self._is_starting:
            self.run_worker(self._start())

    async def _start(self, *, elsewhere: bool = False) -> None:
        self._is_starting = True
        try:
            await self._host.begin(elsewhere=elsewhere)
        except PortInUseError as error:
            self._offer(error.port)
        except EndingError as error:
            self.say(error.message, bad=True)
        else:
            self.say(tr("No proxy was running, so this window runs one, until you quit."))
            self._watch.nudge()
        finally:
            self._is_starting = False

    def _offer(self, port: int) -> None:
        question = tr(
            "Port {port} is used by another program. Listen on one of the next ports, for this run?", port=port
        )
        self.push_screen(Confirm(question), self._answered)

    def _answered(self, yes: bool | None) -> None:
        if yes:
            self.run_worker(self._start(elsewhere=True))

    def action_quit_asked(self) -> None:
        """Leave; where that ends requests, ask first. Asked again, wait for them no longer."""
        running = self.picture.status.in_flight
        if self._is_ending:
            self._host.cut()
        elif self._host.runs and running:
            question = tr("{count} requests run in the proxy of this window, which ends with it. Quit?", count=running)
            self.push_screen(Confirm(question), lambda yes: self.end() if yes else None)
        else:
            self.end()

    def end(self, message: str = "") -> None:
        """Leave without asking. message: what stays in the terminal."""
        if self._is_ending:
            return
        self._is_ending = True
        if self._host.runs:
            self.say(tr("Ending; running requests may finish. q: do not wait for them."))
        self.run_worker(self._end(message))

    def end_as_told(self) -> None:
        """Another program asked for the end."""
        self.end(tr("Another program stopped the proxy of this window."))

    async def _end(self, message: str) -> None:
        await self._host.end()
        self.exit(0, message=message or None)

    def leave_lost_terminal(self) -> None:
        """Nothing can be drawn any more: textual's writer fails, and whoever waits for it waits for ever."""
        self._is_ending = True
        self.workers.cancel_all()
        self.run_worker(self._leave_silently())

    async def _leave_silently(self) -> None:
        await self._host.end()
        close_files()
        os._exit(EXIT_HUNG_UP)

    def _fatal_error(self) -> None:
        """textual would print a traceback with all local variables: what a person needs is a sentence."""
        fault = self._exception
        log.critical("the screen failed", exc_info=fault)
        said = redact_text(f"{type(fault).__name__}: {fault}")
        self.panic(tr("The screen failed ({fault}).", fault=said))
