"""What an answer must know of the request and of the client that made it, within this dialect."""

from __future__ import annotations

from dataclasses import dataclass

from proxy_core.dialects.base import ReplyContext

_OLD_VERSION = "2023-06-01"
_CONTEXT_STOP_BETA = "model-context-window-exceeded"


@dataclass(frozen=True, slots=True)
class Asked:
    """Kept as `Conversation.echo`. hides_thinking: thinking `display` "omitted"."""

    hides_thinking: bool = False


def hides_thinking(context: ReplyContext) -> bool:
    """Whether the client wants thinking blocks without their text."""
    return isinstance(context.echo, Asked) and context.echo.hides_thinking


def knows_context_stop(context: ReplyContext) -> bool:
    """Whether it knows the stop_reason of a full window: newer versions do, the old one by its beta (protocols D.3)."""
    version = context.headers.get("anthropic-version", "")
    return version > _OLD_VERSION or _CONTEXT_STOP_BETA in context.headers.get("anthropic-beta", "")
