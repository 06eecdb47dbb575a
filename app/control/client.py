"""Talks to the instance that owns a data folder. Blocking, with a short limit; never through an HTTP proxy.

For code on a loop there is app.control.live_client. Every verb returns the JSON object that its door answers (see the
rooms beside app.control.routes) and raises ControlError.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, urlencode

from app.control.lock import InstanceRecord, read_record
from proxy_core.jsontypes import JsonObject

LIMIT_S = 3.0
SLOW_LIMIT_S = 75.0
"""For verbs that wait for a server, or for somebody who types the keyring's password."""
CONTROL = "/control/v1"
_FIRST_REFUSAL = 400


class ControlError(Exception):
    """The instance refused, or does not answer. status: HTTP status, 0 without an answer. hint: a remedy, or ""."""

    def __init__(self, message: str, status: int = 0, hint: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.hint = hint


class ControlClient:
    """The verbs of a running instance. Each raises ControlError."""

    def __init__(self, record: InstanceRecord, limit_s: float = LIMIT_S) -> None:
        self.record = record
        self._limit_s = limit_s

    def status(self) -> JsonObject:
        """What is going on there: see app.control.status."""
        return self._ask("GET", "status")

    def show(self) -> None:
        """Raise its window. Raises ControlError(409) where it has none."""
        self._ask("POST", "show")

    def stop(self, *, now: bool = False) -> None:
        """Ask it to end; returns at once. now: streams that run are cut instead of waited for."""
        self._ask("POST", "stop", {"now": now})

    def pause(self) -> JsonObject:
        """Turn requests away; the status afterwards."""
        return self._ask("POST", "pause")

    def resume(self) -> JsonObject:
        """Take requests again; the status afterwards."""
        return self._ask("POST", "resume")

    def switch(self, server: str) -> JsonObject:
        """Make a server the current one; the status afterwards, and what else decides at the next start (fixed_by)."""
        return self._ask("POST", "switch", {"server": server})

    def leave_console(self) -> None:
        """Have it write to standard output and error no more."""
        self._ask("POST", "leave-console")

    def settings(self) -> JsonObject:
        """{"settings": [{field, value, text, default, allowed, choices, help, title, group, live, origin, …}]}."""
        return self._ask("GET", "settings")

    def change(self, changes: Mapping[str, object]) -> JsonObject:
        """Change settings, all or none: {"applied", "rebound", "address", "unsaved": {field: what fixes it}}."""
        return self._ask("POST", "settings", {"changes": dict(changes)}, SLOW_LIMIT_S)

    def log_level(self, level: str) -> None:
        """Log so much for this run; the settings keep theirs."""
        self._ask("POST", "log-level", {"level": level})

    def servers(self, *, reach: bool = False) -> JsonObject:
        """{"servers": […], "key_problem"}. reach: with the time that a connection to each takes."""
        return self._ask("GET", "servers?reach=1" if reach else "servers", limit_s=SLOW_LIMIT_S)

    def put_server(self, name: str, values: Mapping[str, object]) -> JsonObject:
        """Add or change a server: {"name", "added"}. values: what is to differ."""
        return self._ask("PUT", f"servers/{_part(name)}", dict(values))

    def remove_server(self, name: str) -> JsonObject:
        """Forget a server."""
        return self._ask("DELETE", f"servers/{_part(name)}")

    def test_key(self, server: str, key: str = "") -> JsonObject:
        """One tiny request: {"ok", "status", "message", "latency_ms"}. key "": the one that is used now."""
        return self._ask("POST", f"keys/{_part(server)}/test", {"key": key} if key else {}, SLOW_LIMIT_S)

    def examine_key(self, server: str, key: str = "") -> JsonObject:
        """Which region and plan a key is for: {"verdict", "words", "rows"}."""
        return self._ask("POST", f"keys/{_part(server)}/examine", {"key": key} if key else {}, SLOW_LIMIT_S)

    def put_key(self, server: str, key: str) -> JsonObject:
        """Keep a server's key: {"server", "key": where it is now, "problem"}."""
        return self._ask("PUT", f"keys/{_part(server)}", {"key": key}, SLOW_LIMIT_S)

    def delete_key(self, server: str) -> JsonObject:
        """Forget a server's key."""
        return self._ask("DELETE", f"keys/{_part(server)}", limit_s=SLOW_LIMIT_S)

    def import_keys(self) -> JsonObject:
        """Move keys that stand in clear in files into the keyring: {"imported", "left", "reasons"}."""
        return self._ask("POST", "keys/import", limit_s=SLOW_LIMIT_S)

    def requests(self, count: int = 50) -> JsonObject:
        """{"running": [row], "recent": [row]}, newest first."""
        return self._ask("GET", f"requests?count={count}")

    def request(self, request_id: str) -> JsonObject:
        """{"request": row}."""
        return self._ask("GET", f"requests/{_part(request_id)}")

    def cancel(self, request_id: str) -> None:
        """Cut off one request that runs."""
        self._ask("POST", f"requests/{_part(request_id)}/cancel")

    def series(self, count: int = 60) -> JsonObject:
        """{"samples": [sample]}, oldest first, one a second."""
        return self._ask("GET", f"series?count={count}")

    def stats(self, hours: float = 24, by: str = "none") -> JsonObject:
        """Sums of the history and of this run (live); see figure_verbs.history_stats."""
        return self._ask("GET", f"stats?{urlencode({'hours': hours, 'by': by})}", limit_s=SLOW_LIMIT_S)

    def images(self, search: str = "") -> JsonObject:
        """{"images": […], "size": {…}}, the last used first."""
        return self._ask("GET", f"images?{urlencode({'search': search})}", limit_s=SLOW_LIMIT_S)

    def image(self, digest: str) -> JsonObject:
        """{"image": {…}, "thumbnail_jpeg_base64"?}."""
        return self._ask("GET", f"images/{_part(digest)}")

    def change_image(self, digest: str, changes: Mapping[str, object]) -> JsonObject:
        """Other words ("text") or whether it stays ("pinned")."""
        return self._ask("PATCH", f"images/{_part(digest)}", dict(changes))

    def delete_image(self, digest: str) -> None:
        """Forget a description."""
        self._ask("DELETE", f"images/{_part(digest)}")

    def describe_image(self, digest: str) -> JsonObject:
        """Have it made again when the picture is next seen."""
        return self._ask("POST", f"images/{_part(digest)}/describe")

    def dry_run(self, dialect: str, body: Mapping[str, object]) -> JsonObject:
        """What would become of a request: {"body", "route", "ledger"}; nothing is sent."""
        return self._ask("POST", "dry-run", {"dialect": dialect, "body": dict(body)}, SLOW_LIMIT_S)

    def _ask(self, method: str, verb: str, body: JsonObject | None = None, limit_s: float | None = None) -> JsonObject:
        timeout = self._limit_s if limit_s is None else max(limit_s, self._limit_s)
        connection = http.client.HTTPConnection(self.record.host, self.record.port, timeout=timeout)
        headers = {"Authorization": f"Bearer {self.record.token}", "Content-Type": "application/json"}
        try:
            connection.request(method, f"{CONTROL}/{verb}", json.dumps(body or {}).encode(), headers)
            response = connection.getresponse()
            return _read(response.status, response.read())
        except (OSError, http.client.HTTPException) as error:
            raise ControlError(f"The running instance does not answer: {error}") from error
        finally:
            connection.close()


def _part(name: str) -> str:
    return quote(name, safe="")


def _read(status: int, raw: bytes) -> JsonObject:
    try:
        body = json.loads(raw)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise ControlError("What answers there is not this program.", status)
    if status >= _FIRST_REFUSAL:
        raise ControlError(str(body.get("error", "It refused.")), status, str(body.get("hint", "")))
    return body


def find_instance(home: Path) -> ControlClient | None:
    """The running owner of a data folder; None if there is none (a left-over runtime.json does not count)."""
    record = read_record(home)
    if record is None:
        return None
    client = ControlClient(record)
    try:
        status = client.status()
    except ControlError:
        return None
    return client if status.get("pid") == record.pid else None
