"""Output items, whole and as they begin, and the response object around them (protocols C.6)."""

from __future__ import annotations

from collections.abc import Sequence

from proxy_core.chat import StopReason, Thinking, ToolCall, Usage
from proxy_core.dialects.arguments import arguments_text
from proxy_core.dialects.base import ReplyContext
from proxy_core.dialects.responses.freeform import freeform_input
from proxy_core.dialects.responses.reasoning import seal
from proxy_core.dialects.responses.requests import Echo
from proxy_core.dialects.responses.tools import Origin
from proxy_core.jsontypes import JsonObject

_ID_PREFIX = "resp_"
_DEFAULTS: JsonObject = {
    "background": False,
    "instructions": None,
    "max_output_tokens": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "reasoning": {"effort": None, "summary": None},
    "temperature": None,
    "text": {"format": {"type": "text"}},
    "tool_choice": "auto",
    "tools": [],
    "top_p": None,
}
_CUT_SHORT = {
    StopReason.MAX_TOKENS: "max_output_tokens",
    StopReason.CONTEXT_EXCEEDED: "max_output_tokens",
    StopReason.REFUSAL: "content_filter",
}


def echo_of(context: ReplyContext) -> Echo:
    """What this dialect's reader left for its writer; nothing where the request was read elsewhere."""
    return context.echo if isinstance(context.echo, Echo) else Echo()


def response_id(upstream_id: str, context: ReplyContext) -> str:
    """The upstream's id, or a fresh one, the way ids of this dialect look."""
    found = upstream_id or context.fresh_id
    return found if found.startswith(_ID_PREFIX) else _ID_PREFIX + found


def call_prefix(origin: Origin) -> str:
    """How ids of calls begin."""
    return "ctc" if origin.is_freeform else "fc"


def item_id(prefix: str, of_response: str, output_index: int) -> str:
    """The id of an output item: the same in a stream and in a whole answer."""
    return f"{prefix}_{of_response.removeprefix(_ID_PREFIX)}_{output_index}"


def cut_short(stop: StopReason) -> str | None:
    """Why a response is incomplete; None for one that came to its end."""
    return _CUT_SHORT.get(stop)


def text_part(text: str) -> JsonObject:
    """`{"type":"output_text",…}`."""
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def message_item(identity: str, status: str, text: str | None) -> JsonObject:
    """A message of the assistant; without text it has just begun."""
    content = [] if text is None else [text_part(text)]
    return {"id": identity, "type": "message", "role": "assistant", "status": status, "content": content}


def is_shown(thinking: Thinking, echo: Echo) -> bool:
    """Whether thinking gives the client anything: a text, or something to send back."""
    return bool(thinking.text) or (echo.seals_reasoning and bool(thinking.signature or thinking.redacted))


def reasoning_item(identity: str, thinking: Thinking | None, echo: Echo) -> JsonObject:
    """A reasoning item; without thinking it has just begun."""
    text = thinking.text if thinking else ""
    item: JsonObject = {"id": identity, "type": "reasoning", "summary": [summary_part(text)] if text else []}
    if echo.seals_reasoning:
        item["encrypted_content"] = seal(thinking) if thinking else None
    return item


def summary_part(text: str) -> JsonObject:
    """`{"type":"summary_text",…}`."""
    return {"type": "summary_text", "text": text}


def origin_of(call: ToolCall, echo: Echo) -> Origin:
    """How the client knows the tool that is called; a name that it never declared is told as it is."""
    return echo.origins.get(call.name) or Origin(call.name)


def call_item(identity: str, status: str, call: ToolCall, origin: Origin) -> JsonObject:
    """A call of a function or of a freeform tool, complete."""
    said = freeform_input(call.arguments) if origin.is_freeform else arguments_text(call.arguments)
    return _call_item(identity, status, call.id, origin, said)


def begun_call_item(identity: str, call_id: str, origin: Origin) -> JsonObject:
    """A call whose arguments are still to come."""
    return _call_item(identity, "in_progress", call_id, origin, "")


def _call_item(identity: str, status: str, call_id: str, origin: Origin, said: str) -> JsonObject:
    kind, holder = ("custom_tool_call", "input") if origin.is_freeform else ("function_call", "arguments")
    named: JsonObject = (
        {"name": origin.name, "namespace": origin.namespace} if origin.namespace else {"name": origin.name}
    )
    return {"id": identity, "type": kind, "status": status, "call_id": call_id, **named, holder: said}


def write_usage(usage: Usage) -> JsonObject:
    """`usage`: the whole prompt, with the cached part named inside."""
    return {
        "input_tokens": usage.prompt_tokens,
        "input_tokens_details": {"cached_tokens": usage.cached_tokens, "cache_write_tokens": usage.cache_write_tokens},
        "output_tokens": usage.output_tokens,
        "output_tokens_details": {"reasoning_tokens": usage.thinking_tokens or 0},
        "total_tokens": usage.prompt_tokens + usage.output_tokens,
    }


def response_object(
    identity: str, created: int, context: ReplyContext, output: Sequence[JsonObject], **news: object
) -> JsonObject:
    """The response as it stands, in progress unless `news` (status, usage, error, incomplete_details) says more."""
    return {
        "id": identity,
        "object": "response",
        "created_at": created,
        "status": "in_progress",
        "error": None,
        "incomplete_details": None,
        "model": context.model,
        "output": list(output),
        "previous_response_id": None,
        "store": False,
        "truncation": "disabled",
        "usage": None,
        **_DEFAULTS,
        **echo_of(context).repeated,
        **news,
    }


def ended(stop: StopReason) -> JsonObject:
    """The `news` of a response that is over."""
    reason = cut_short(stop)
    if reason is None:
        return {"status": "completed"}
    return {"status": "incomplete", "incomplete_details": {"reason": reason}}
