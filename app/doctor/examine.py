"""All probes, side by side, each in a thread of its own: one that hangs costs its own line only."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

from app.control.client import ControlError
from app.doctor import house, keys, neighbours, network
from app.doctor.ground import Finding, Ground, Probe, fail, warn
from proxy_core.redact import redact_text

WITHIN_S = 30.0

PROBES: tuple[tuple[str, Probe], ...] = (
    ("version", house.version),
    ("data folder", house.data_folder),
    ("settings", house.settings),
    ("overrides", house.overrides),
    ("left-overs", house.left_over),
    ("second instance", house.second_instance),
    ("port", house.port),
    ("exposure", house.exposure),
    ("disk", house.disk),
    ("history", house.history),
    ("logs", house.logs),
    ("token tables", house.tables),
    ("open files", house.open_files),
    ("keyring", keys.keyring),
    ("keys in clear", keys.in_clear),
    ("access key", keys.access_key),
    ("key", keys.key),
    ("key accepted", keys.accepted),
    ("loop", network.loop),
    ("system proxy", network.system_proxy),
    ("NO_PROXY", network.no_proxy),
    ("outbound proxy", network.outbound_proxy),
    ("name", network.names),
    ("distance", network.distance),
    ("certificate", network.certificate),
    ("clock", network.clock),
    ("clients' settings", neighbours.client_settings),
    ("dead end", neighbours.dead_end),
    ("desktop", neighbours.desktop),
    ("start at login", neighbours.autostart),
)


@dataclass(frozen=True, slots=True)
class Line:
    """One probe's line of the report."""

    probe: str
    finding: Finding


def examine(ground: Ground, within_s: float = WITHIN_S) -> tuple[Line, ...]:
    """Every probe's finding, in their order; nothing secret stands in them."""
    found: dict[str, Finding] = {}

    def run(name: str, probe: Probe) -> None:
        found[name] = _find(probe, ground)

    threads = [threading.Thread(target=run, args=pair, name=pair[0], daemon=True) for pair in PROBES]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + within_s
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    late = warn(f"No answer within {within_s:g} s.", "Try again; if it stays so, this is what hangs.")
    return tuple(Line(name, found.get(name, late)) for name, _ in PROBES)


def _find(probe: Probe, ground: Ground) -> Finding:
    try:
        found = probe(ground)
    except (OSError, ValueError, ControlError) as error:
        found = fail(f"This could not be looked at: {error}.", "See: proxy-cli logs")
    return Finding(found.grade, redact_text(found.said), found.remedy, found.fix)
