"""Answers for clients that still offer `functions`: one `function_call` in place of `tool_calls` (protocols D.1).

Whether a client is one of them is told to the writers by `Conversation.echo`.
"""

from __future__ import annotations

from enum import Enum, auto

from proxy_core.chat import StopReason
from proxy_core.dialects.base import ReplyContext
from proxy_core.dialects.openai.reasons import write_finish
from proxy_core.dialects.openai.tools import takes_one_call
from proxy_core.jsontypes import JsonObject


class CallShape(Enum):
    """How the client reads a call; what a conversation of this dialect echoes."""

    TOOL_CALLS = auto()
    FUNCTION_CALL = auto()


def call_shape(body: JsonObject) -> CallShape:
    """The shape of calls in the answer to a request."""
    return CallShape.FUNCTION_CALL if takes_one_call(body) else CallShape.TOOL_CALLS


def is_legacy(context: ReplyContext) -> bool:
    """Whether this answer is for a client of functions."""
    return context.echo is CallShape.FUNCTION_CALL


def finish_for(stop: StopReason, context: ReplyContext) -> str:
    """The finish_reason as this client knows it."""
    return "function_call" if stop is StopReason.TOOL_USE and is_legacy(context) else write_finish(stop)
