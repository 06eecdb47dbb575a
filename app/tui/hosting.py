"""The proxy in this very process, for as long as the screen is open: as headless runs it, but without signals."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from app.control.hosting import host_runtime
from app.control.lock import Claim, claim_home
from app.control.routes import Face
from app.errors import EXIT_SETTINGS, EndingError, home_ending, listen_ending
from app.i18n import tr
from app.paths import LOGS_FOLDER, ensure_home
from app.runtime import Runtime
from app.runtime.log_setup import configure_logging
from app.secrets import KeyringStore, SecretStore
from app.settings.load import Loaded
from proxy_core.server.runner import ListenError, PortInUseError

log = logging.getLogger(__name__)
PORTS_TRIED = 20


class Host(Protocol):
    """What the screen needs of hosting."""

    @property
    def runs(self) -> bool:
        """Whether this process hosts."""

    async def begin(self, *, elsewhere: bool = False) -> None:
        """Listen. elsewhere: on one of the next ports, for this run. Raises PortInUseError and EndingError."""

    async def end(self) -> None:
        """Let requests end within the grace, then stop. Idempotent."""

    def cut(self) -> None:
        """Wait no longer."""


class Hosting:
    """read: everything that is set, read anew at each begin. stopped: told when another program asks for the end."""

    def __init__(
        self, home: Path, read: Callable[[], Loaded], stopped: Callable[[], None], secrets: SecretStore | None = None
    ) -> None:
        self._home = home
        self._read = read
        self._stopped = stopped
        self._secrets = secrets or KeyringStore()
        self._runtime: Runtime | None = None
        self._claim: Claim | None = None

    @property
    def runs(self) -> bool:
        """Whether this process hosts."""
        return self._runtime is not None

    async def begin(self, *, elsewhere: bool = False) -> None:
        """Listen. elsewhere: on one of the next ports, for this run. Raises PortInUseError and EndingError."""
        loaded = self._loaded()
        self._claim = claim = self._claimed()
        configure_logging(loaded.settings, self._home / LOGS_FOLDER)
        face = Face("headless", show=lambda: False, stop=self._stopped)
        runtime = host_runtime(self._home, loaded, demo=False, secrets=self._secrets, face=face, claim=claim)
        try:
            await _listen(runtime, loaded.settings.port, elsewhere=elsewhere)
        except BaseException as error:
            await runtime.stop()
            self._release()
            if isinstance(error, ListenError) and not isinstance(error, PortInUseError):
                raise listen_ending(error) from error
            raise
        self._runtime = runtime

    def _loaded(self) -> Loaded:
        loaded = self._read()
        if loaded.problems:
            raise EndingError("Settings", "\n".join(str(problem) for problem in loaded.problems), EXIT_SETTINGS)
        try:
            ensure_home(self._home)
        except OSError as error:
            raise home_ending(self._home, error) from error
        return loaded

    def _claimed(self) -> Claim:
        try:
            claim = claim_home(self._home, "headless")
        except OSError as error:
            raise home_ending(self._home, error) from error
        if claim is None:
            text = tr("Another instance holds {home}, but does not answer (yet).", home=self._home)
            raise EndingError("Claimed", text, EXIT_SETTINGS)
        return claim

    def _release(self) -> None:
        if self._claim is not None:
            self._claim.release()
            self._claim = None

    def cut(self) -> None:
        """Wait no longer."""
        if self._runtime is not None:
            self._runtime.cut()

    async def end(self) -> None:
        """Let requests end within the grace, then stop. Idempotent."""
        if self._runtime is not None:
            await self._runtime.stop()
            self._runtime = None
        self._release()


async def _listen(runtime: Runtime, port: int, *, elsewhere: bool) -> None:
    if not elsewhere:
        await runtime.start()
        return
    last = min(port + PORTS_TRIED, 65_535)
    for other in range(port + 1, last):
        try:
            await runtime.start(port=other)
        except PortInUseError:
            continue
        return
    await runtime.start(port=last)
