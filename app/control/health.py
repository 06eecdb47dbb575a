"""Whether the instance that should listen here is well, for supervisors that can only run a command."""

from __future__ import annotations

import http.client
import json

from app.runtime.setup import authority

_LIMIT_S = 5.0
_OK = 200


def ask_health(address: tuple[str, int]) -> tuple[bool, str]:
    """Whether it is, and a sentence about it. Blocking; never by an HTTP proxy."""
    place = authority(address)
    connection = http.client.HTTPConnection(place, timeout=_LIMIT_S)
    try:
        connection.request("GET", "/health")
        response = connection.getresponse()
        found = json.loads(response.read())
    except (OSError, http.client.HTTPException, ValueError) as error:
        return False, f"Nothing answers at {place} ({type(error).__name__})."
    finally:
        connection.close()
    status = found.get("status", "odd") if isinstance(found, dict) else "odd"
    return response.status == _OK, f"{place} is {status}."
