"""Beginning to listen, and what to offer when somebody else has the port."""

from __future__ import annotations

import socket

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QMessageBox, QWidget

from app.gui.commands import Commands
from app.gui.icons import app_icon
from app.gui.widgets.notices import Notice, NoticeList
from app.i18n import tr
from app.runtime import Runtime
from proxy_core.server.runner import ListenError, PortInUseError

NOT_LISTENING = "not listening"
MOVED = "moved"
TRIES = 100
ICON_SIZE = 48


class Opening(QObject):
    """Starts the runtime. quit_asked: what the user chose instead of another port."""

    quit_asked = Signal()

    def __init__(self, runtime: Runtime, commands: Commands, notices: NoticeList, parent: QObject) -> None:
        super().__init__(parent)
        self._runtime = runtime
        self._commands = commands
        self._notices = notices
        self._taken: PortInUseError | None = None
        self.offer: QMessageBox | None = None

    async def listen(self) -> bool:
        """Start; whether that went well. Otherwise there is a notice, and perhaps something to offer."""
        try:
            await self._runtime.start()
        except PortInUseError as error:
            self._tell(tr("Port {port} is used by another program, so no request can come in.", port=error.port))
            self._taken = error
        except ListenError as error:
            self._tell(str(error))
        else:
            return True
        # The servers can be seen and chosen all the same; the runtime shows them only once it listens.
        self._runtime.state.show_servers(self._runtime.store.current.current_server, self._commands.server_names)
        return False

    def _tell(self, text: str) -> None:
        button = tr("Settings…")
        self._notices.put(Notice(NOT_LISTENING, text, "error", button, self._commands.settings_asked.emit))

    def present_offer(self, parent: QWidget | None) -> None:
        """If the port was taken, offer another one, in front of `parent`."""
        if self._taken:
            self._show_offer(parent, self._taken.port, free_port(self._taken.host, self._taken.port + 1))

    def _show_offer(self, parent: QWidget | None, taken: int, free: int) -> None:
        box = QMessageBox(parent)
        box.setWindowTitle("Anthropic Proxy")
        box.setWindowIcon(app_icon())
        box.setIconPixmap(app_icon().pixmap(ICON_SIZE, ICON_SIZE))
        box.setText(tr("Port {port} is used by another program.", port=taken))
        if free:
            box.setInformativeText(
                tr(
                    "Port {port} is free and can be used from now on. Then give your clients the new base URL.",
                    port=free,
                )
            )
            use = box.addButton(tr("Use port {port}", port=free), QMessageBox.ButtonRole.AcceptRole)
            use.clicked.connect(lambda: self._commands.tasks.spawn(self.move(free)))
            box.setDefaultButton(use)
        choose = box.addButton(tr("Settings…"), QMessageBox.ButtonRole.ActionRole)
        choose.clicked.connect(self._commands.settings_asked)
        end = box.addButton(tr("Quit"), QMessageBox.ButtonRole.DestructiveRole)
        end.clicked.connect(self.quit_asked)
        box.setEscapeButton(choose)
        self.offer = box
        box.open()

    async def move(self, port: int) -> None:
        """Listen on this port from now on, and say so."""
        await self._commands.apply({"port": port})
        text = tr("The proxy listens on port {port} now. Give your clients the new base URL.", port=port)
        self._notices.put(Notice(MOVED, text))

    def settle(self, address: str) -> None:
        """The proxy listens after all: neither offer nor notice is of use any more."""
        if address:
            self._notices.drop(NOT_LISTENING)
            self._taken = None
            if self.offer:
                self.offer.close()
                self.offer = None


def free_port(host: str, first: int) -> int:
    """The first port from `first` on that nobody listens on; 0 if there is none near."""
    for port in range(first, min(first + TRIES, 65_536)):
        if _is_free(host, port):
            return port
    return 0


def _is_free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # As the listener does it: a connection that has just ended does not keep the port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
