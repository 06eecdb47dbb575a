"""Talks to the instance that owns a data folder. Blocking, with a short limit; never through an HTTP proxy."""

from __future__ import annotations

import http.client
import json
from pathlib import Path

from app.control.lock import InstanceRecord, read_record
from proxy_core.jsontypes import JsonObject

LIMIT_S = 3.0
CONTROL = "/control/v1"
_FIRST_REFUSAL = 400


class ControlError(Exception):
    """The instance refused, or does not answer. status: HTTP status, 0 without an answer."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class ControlClient:
    """The verbs of a running instance. Each raises ControlError."""

    def __init__(self, record: InstanceRecord, limit_s: float = LIMIT_S) -> None:
        self.record = record
        self._limit_s = limit_s

    def status(self) -> JsonObject:
        """What is going on there: see routes.status_of."""
        return self._ask("GET", "status")

    def show(self) -> None:
        """Raise its window. Raises ControlError(409) where it has none."""
        self._ask("POST", "show")

    def stop(self) -> None:
        """Ask it to end; returns at once."""
        self._ask("POST", "stop")

    def switch(self, server: str) -> JsonObject:
        """Make a server the current one; the status afterwards."""
        return self._ask("POST", "switch", {"server": server})

    def _ask(self, method: str, verb: str, body: JsonObject | None = None) -> JsonObject:
        connection = http.client.HTTPConnection(self.record.host, self.record.port, timeout=self._limit_s)
        headers = {"Authorization": f"Bearer {self.record.token}", "Content-Type": "application/json"}
        try:
            connection.request(method, f"{CONTROL}/{verb}", json.dumps(body or {}).encode(), headers)
            response = connection.getresponse()
            return _read(response.status, response.read())
        except (OSError, http.client.HTTPException) as error:
            raise ControlError(f"The running instance does not answer: {error}") from error
        finally:
            connection.close()


def _read(status: int, raw: bytes) -> JsonObject:
    try:
        body = json.loads(raw)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise ControlError("What answers there is not this program.", status)
    if status >= _FIRST_REFUSAL:
        raise ControlError(str(body.get("error", "It refused.")), status)
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
