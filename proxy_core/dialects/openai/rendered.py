"""A conversation of another dialect, rendered for z.ai's chat completions (protocols D.2)."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from proxy_core.chat import Conversation, Tool, ToolChoice
from proxy_core.dialects.base import Target, UpstreamRequest
from proxy_core.dialects.effort import ThinkingChoice, choose_thinking
from proxy_core.dialects.openai.emulated import (
    emulated_names,
    forced_choice,
    json_lines,
    restraints_for,
    tool_lines,
    write_choice,
)
from proxy_core.dialects.openai.limits import clamp_max_tokens, clamp_temperature, clamp_top_p, split_stop
from proxy_core.dialects.openai.tools import write_tools
from proxy_core.dialects.openai.turns import render_turns
from proxy_core.dialects.openai.typed_tools import as_function, is_only_for_claude
from proxy_core.dialects.shape import refuse
from proxy_core.dialects.tool_names import with_safe_names
from proxy_core.dialects.turns import settle_turns
from proxy_core.jsontypes import JsonObject

_USER_ID_CHARS = range(6, 129)
_GO_ON = "Continue exactly from where the previous message stopped."


def render(conversation: Conversation, target: Target) -> UpstreamRequest:
    """The body to send. Raises BadRequestError for what cannot be carried and would change the meaning."""
    conversation, renamed = with_safe_names(conversation)
    tools, dropped = _carried_tools(conversation)
    choice = choose_thinking(conversation.thinking, target.facts, target.default_thinking)
    settled = settle_turns(conversation.messages, leading=conversation.system)
    forced = forced_choice(conversation.tool_choice, tools)
    if forced is not None and forced.mode == "tool":
        tools = tuple(tool for tool in tools if tool.name == forced.name)
    lines = [part.text for part in settled.system]
    lines += json_lines(conversation.json_format)
    lines += tool_lines(forced) if target.quirks.tool_choice_auto_only else []
    turns, has_reasoning = render_turns(settled.messages, target.facts)
    prefill = _prefill_turns(turns, target)
    system: list[JsonObject] = [{"role": "system", "content": "\n\n".join(lines)}] if lines else []
    body: JsonObject = {
        "model": target.model,
        "messages": system + turns + prefill,
        **_sampling_fields(conversation, target),
        **_thinking_fields(choice, target, has_reasoning=has_reasoning),
        **_tool_fields(tools, conversation.tool_choice, target),
        **_other_fields(conversation),
        **_stream_fields(conversation, target, has_tools=bool(tools)),
    }
    return UpstreamRequest(
        body,
        (*conversation.dropped, *dropped, *choice.dropped),
        (*emulated_names(conversation, forced, target), *(["prefill"] if prefill else [])),
        restraints_for(conversation, target, renamed),
    )


def _prefill_turns(turns: list[JsonObject], target: Target) -> list[JsonObject]:
    """What asks for the rest of an assistant message at the end, which z.ai would take for complete."""
    is_prefill = bool(turns) and turns[-1]["role"] == "assistant" and not target.quirks.prefill
    return [{"role": "user", "content": _GO_ON}] if is_prefill else []


def _carried_tools(conversation: Conversation) -> tuple[tuple[Tool, ...], tuple[str, ...]]:
    """Function tools without their foreign raw form, and the kinds that only their own dialect can run.

    What the vendor runs (web search) is left out beside others; what only Claude can use is refused.
    """
    tools = [as_function(tool) or tool for tool in conversation.tools]
    if conversation.tool_choice is not None and conversation.tool_choice.mode == "none":
        return (), ()
    carried = tuple(replace(tool, raw=None) for tool in tools if tool.kind == "function")
    foreign = tuple(tool.kind for tool in tools if tool.kind != "function")
    if foreign and (not carried or any(map(is_only_for_claude, tools))):
        raise refuse("tools", f"{', '.join(foreign)} is not available for this model")
    return carried, foreign


def _sampling_fields(conversation: Conversation, target: Target) -> JsonObject:
    sampling = conversation.sampling
    stop, _ = split_stop(sampling.stop, target)
    fields: dict[str, object] = {"stop": stop} if stop else {}
    if sampling.max_tokens is not None:
        fields["max_tokens"] = clamp_max_tokens(sampling.max_tokens, target)
    if sampling.temperature is not None:
        fields["temperature"] = clamp_temperature(sampling.temperature, target)
    if sampling.top_p is not None:
        fields["top_p"] = clamp_top_p(sampling.top_p)
    return fields


def _thinking_fields(choice: ThinkingChoice, target: Target, *, has_reasoning: bool) -> JsonObject:
    """clear_thinking false makes z.ai keep the reasoning that the history brings along."""
    fields: dict[str, object] = {"reasoning_effort": choice.effort} if choice.effort is not None else {}
    if choice.enabled is False:
        fields["thinking"] = {"type": "disabled"}
    elif has_reasoning and target.facts.thinking != "none":
        fields["thinking"] = {"type": "enabled", "clear_thinking": False}
    elif choice.enabled:
        fields["thinking"] = {"type": "enabled"}
    return fields


def _tool_fields(tools: tuple[Tool, ...], choice: ToolChoice | None, target: Target) -> JsonObject:
    if not tools:
        return {}
    fields: JsonObject = {"tools": write_tools(tools)}
    return fields if choice is None else {**fields, "tool_choice": write_choice(choice, target)}


def _other_fields(conversation: Conversation) -> JsonObject:
    fields: dict[str, object] = {"response_format": {"type": "json_object"}} if conversation.json_format else {}
    if user_id := conversation.user_id:
        # Claude Code's ids are longer than z.ai takes.
        is_legal = len(user_id) in _USER_ID_CHARS
        fields["user_id"] = user_id if is_legal else hashlib.sha256(user_id.encode()).hexdigest()[:32]
    return fields


def _stream_fields(conversation: Conversation, target: Target, *, has_tools: bool) -> JsonObject:
    if not conversation.stream:
        return {}
    fields: JsonObject = {"stream": True, "stream_options": {"include_usage": True}}
    return {**fields, "tool_stream": True} if has_tools and target.quirks.tool_stream else fields
