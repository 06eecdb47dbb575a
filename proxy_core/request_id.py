"""Which request the code at hand works for: bound once at the door, inherited by every task that begins from there."""

from __future__ import annotations

from contextvars import ContextVar

REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="")
"""The id that the client is told, too; "" outside of any request."""
