"""The running instance as it stands, in one object."""

from __future__ import annotations

import os

from app.control.lock import FaceKind
from app.runtime import Runtime
from app.settings.describe import value_text
from app.settings.load import DEMO_SERVER
from app.settings.sources import FLAGS
from proxy_core.jsontypes import JsonObject
from proxy_core.version import __version__


def status_of(runtime: Runtime, kind: FaceKind) -> JsonObject:
    """The instance as it stands: nothing secret. Times are unix seconds."""
    seen = runtime.state.snapshot()
    return {
        "pid": os.getpid(),
        "kind": kind,
        "version": __version__,
        "started_at": runtime.started_at,
        "address": seen.address,
        "server": seen.server,
        "servers": list(seen.servers),
        "paused": seen.paused,
        "in_flight": seen.in_flight,
        "last_error": seen.last_error,
        "notices": list(seen.notices),
        "requests": seen.totals.requests,
        "failures": seen.totals.failures,
        "input_tokens": seen.totals.input_tokens,
        "cached_tokens": seen.totals.cached_tokens,
        "output_tokens": seen.totals.output_tokens,
        "saved_tokens": seen.totals.saved_tokens,
        "shutdown_grace": runtime.store.current.shutdown_grace,
        "home": str(runtime.home),
        "demo": runtime.servers.is_extra(DEMO_SERVER),
        "flags": _flags(runtime),
    }


def _flags(runtime: Runtime) -> JsonObject:
    """What a restart must say again: flags that nothing was changed after, and beside --demo the other server."""
    store = runtime.store
    told = {flag: field for field, flag in FLAGS.items() if (origin := store.origin(field)) and origin.key == flag}
    flags: JsonObject = {flag: value_text(getattr(runtime.loaded.settings, field)) for flag, field in told.items()}
    if runtime.servers.is_extra(DEMO_SERVER):
        flags.pop("--server", None)
        if store.current.current_server != DEMO_SERVER:
            flags["--server"] = store.current.current_server
    return flags
