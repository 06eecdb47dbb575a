"""How a face hosts a Runtime: the folder's claim, the control routes and runtime.json, put together once.

claim = claim_home(home, "tray")            # None: another instance owns the folder; find_instance(home).show()
runtime = host_runtime(home, loaded, demo=demo, secrets=KeyringStore(), face=face, claim=claim)
await runtime.start()
…
await runtime.stop()
claim.release()
"""

from __future__ import annotations

import logging
from pathlib import Path

from aiohttp import web

from app.control.lock import Claim
from app.control.routes import ControlRoutes, Face
from app.runtime import Runtime
from app.secrets import SecretStore
from app.settings.load import Loaded

log = logging.getLogger(__name__)


def host_runtime(
    home: Path, loaded: Loaded, *, demo: bool, secrets: SecretStore, face: Face, claim: Claim | None
) -> Runtime:
    """A Runtime that can be controlled from outside, as far as this process owns the data folder."""
    if claim is None:
        return Runtime(home, loaded, demo=demo, secrets=secrets)
    owned = claim
    hosted: list[ControlRoutes] = []

    def routes(runtime: Runtime) -> tuple[web.RouteDef, ...]:
        control = ControlRoutes(runtime, face, owned.token)
        hosted.append(control)
        return control.all()

    def announce(address: tuple[str, int] | None) -> None:
        for control in hosted:
            (control.ended.set if address is None else control.ended.clear)()
        try:
            owned.announce(address)
        except OSError as error:
            log.warning("runtime.json cannot be written (%s): this instance cannot be controlled.", error.strerror)

    return Runtime(
        home,
        loaded,
        demo=demo,
        secrets=secrets,
        routes=routes,
        announce=announce,
    )
