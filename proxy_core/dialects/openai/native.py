"""A request of this very dialect on its way to z.ai: the client's body, with only what must change changed.

Fields we have no word for survive. What z.ai's schema does not have under OpenAI's name is renamed; what it limits is
clamped (protocols A.3).
"""

from __future__ import annotations

from collections.abc import Mapping

from proxy_core.chat import Conversation, Document, all_parts
from proxy_core.dialects.base import Target, UpstreamRequest
from proxy_core.dialects.effort import ThinkingChoice, choose_thinking
from proxy_core.dialects.openai.answers import text_of
from proxy_core.dialects.openai.emulated import (
    emulated_names,
    forced_choice,
    is_schema_emulated,
    json_lines,
    restraints_for,
    tool_lines,
    write_choice,
)
from proxy_core.dialects.openai.limits import clamp_max_tokens, clamp_temperature, clamp_top_p, split_stop
from proxy_core.dialects.openai.messages import write_messages
from proxy_core.dialects.openai.tools import EMPTY_FUNCTION, write_tools
from proxy_core.dialects.shape import as_list, as_object, refuse
from proxy_core.dialects.tool_names import with_safe_names
from proxy_core.jsontypes import JsonObject


def adapt(conversation: Conversation, target: Target) -> UpstreamRequest:
    """The body to send. The conversation's own raw body is not touched."""
    _refuse_files(conversation, target)
    conversation, renamed = with_safe_names(conversation)
    choice = choose_thinking(conversation.thinking, target.facts, target.default_thinking)
    body = dict(conversation.raw)
    body["model"] = target.model
    body["messages"] = _with_question(write_messages(conversation.messages))
    _modernise_functions(body, conversation)
    _complete_tools(body, {name: safe for safe, name in renamed.items()})
    emulated = _emulate(body, conversation, target)
    _ask_for_stream_extras(body, target)
    _settle_sampling(body, target)
    _settle_thinking(body, choice, can_think=target.facts.thinking != "none")
    _settle_stop(body, conversation, target)
    return UpstreamRequest(body, choice.dropped, emulated, restraints_for(conversation, target, renamed))


def _with_question(messages: list[JsonObject]) -> list[JsonObject]:
    """z.ai refuses a conversation in which nobody but the system and the assistant speaks."""
    if any(message.get("role") in ("user", "tool") for message in messages):
        return messages
    return [*messages, {"role": "user", "content": "."}]


def _refuse_files(conversation: Conversation, target: Target) -> None:
    """A file that is no text goes to models that read files, and nowhere else."""
    if "file" not in target.facts.modalities:
        for part in all_parts(conversation):
            if isinstance(part, Document) and not part.text:
                raise refuse(
                    "messages", f"the model {target.model} cannot read a file of {part.media_type or 'any type'}"
                )


def _modernise_functions(body: JsonObject, conversation: Conversation) -> None:
    """`functions` and `function_call`, which z.ai would silently ignore, as tools."""
    functions = body.pop("functions", None)
    choice = body.pop("function_call", None)
    if functions:
        tools = body.get("tools")
        legacy = write_tools([tool for tool in conversation.tools if tool.raw is None])
        body["tools"] = [*(tools if isinstance(tools, list) else []), *legacy]
    if choice is not None and "tool_choice" not in body:
        is_named = isinstance(choice, dict)
        body["tool_choice"] = {"type": "function", "function": choice} if is_named else choice


def _complete_tools(body: JsonObject, safe_names: Mapping[str, str]) -> None:
    """z.ai demands a description and parameters of every function; clients often leave them out."""
    tools = body.get("tools")
    if isinstance(tools, list):
        body["tools"] = [_complete_tool(tool, safe_names) for tool in tools]


def _complete_tool(tool: object, safe_names: Mapping[str, str]) -> object:
    function = tool.get("function") if isinstance(tool, dict) else None
    if not isinstance(tool, dict) or not isinstance(function, dict):
        return tool
    changed = {name: default for name, default in EMPTY_FUNCTION.items() if not function.get(name)}
    if safe := safe_names.get(text_of(function.get("name"))):
        changed["name"] = safe
    return {**tool, "function": {**function, **changed}} if changed else tool


def _emulate(body: JsonObject, conversation: Conversation, target: Target) -> tuple[str, ...]:
    """A demanded call and a JSON schema, where z.ai does not know them, as a line at the end of the system prompt."""
    lines: list[str] = []
    forced = forced_choice(conversation.tool_choice, conversation.tools)
    _settle_tool_choice(body, conversation, target)
    lines += tool_lines(forced) if target.quirks.tool_choice_auto_only else []
    if conversation.tool_choice is not None and not conversation.tool_choice.parallel:
        body.pop("parallel_tool_calls", None)  # not in z.ai's schema; we let only one call through
    if is_schema_emulated(conversation.json_format, target):
        lines += json_lines(conversation.json_format)
        body["response_format"] = {"type": "json_object"}
    if lines:
        body["messages"] = _with_lines(as_list(body["messages"], "messages"), lines)
    return emulated_names(conversation, forced, target)


def _settle_tool_choice(body: JsonObject, conversation: Conversation, target: Target) -> None:
    """`tool_choice` as far as z.ai knows it, with no more tools than it leaves."""
    said, choice = body.get("tool_choice"), conversation.tool_choice
    if choice is None or said is None or said == "auto":
        return
    if choice.mode == "none":
        for name in ("tools", "tool_choice") if target.quirks.tool_choice_auto_only else ():
            body.pop(name, None)
        return
    if isinstance(said, dict) and (choice.mode == "tool" or "allowed_tools" in said):
        left = {choice.name} if choice.mode == "tool" else {tool.name for tool in conversation.tools}
        body["tools"] = [tool for tool in as_list(body.get("tools"), "tools") if _name_of(tool) in left]
    body["tool_choice"] = write_choice(choice, target)


def _name_of(tool: object) -> str:
    """As the reader names it: a tool that is no function may have no name but its kind."""
    raw = as_object(tool, "tools")
    kind = text_of(raw.get("type")) or "function"
    holder = raw.get(kind)
    return text_of(holder.get("name")) or kind if isinstance(holder, dict) else kind


def _with_lines(messages: list[object], lines: list[str]) -> list[object]:
    """The messages with more said in their system message, or in a new one."""
    first = messages[0]
    said = first.get("content") if isinstance(first, dict) and first.get("role") == "system" else None
    rest = messages[1:] if isinstance(said, str) else messages
    text = "\n\n".join([said, *lines] if isinstance(said, str) else lines)
    return [{"role": "system", "content": text}, *rest]


def _ask_for_stream_extras(body: JsonObject, target: Target) -> None:
    if not body.get("stream"):
        return
    options = body.get("stream_options")
    body["stream_options"] = {**(options if isinstance(options, dict) else {}), "include_usage": True}
    if body.get("tools") and target.quirks.tool_stream:
        body.setdefault("tool_stream", True)


def _settle_sampling(body: JsonObject, target: Target) -> None:
    renamed = body.pop("max_completion_tokens", None)
    limit = body.get("max_tokens") if renamed is None else renamed
    if isinstance(limit, (int, float)):
        body["max_tokens"] = clamp_max_tokens(int(limit), target)
    temperature, top_p = body.get("temperature"), body.get("top_p")
    if isinstance(temperature, (int, float)):
        body["temperature"] = clamp_temperature(temperature, target)
    if isinstance(top_p, (int, float)):
        body["top_p"] = clamp_top_p(top_p)


def _settle_stop(body: JsonObject, conversation: Conversation, target: Target) -> None:
    """`stop` as the list that z.ai takes; what is over its limit we look for ourselves."""
    if body.get("stop") is None:
        return
    kept, _ = split_stop(conversation.sampling.stop, target)
    if kept:
        body["stop"] = kept
    else:
        del body["stop"]


def _settle_thinking(body: JsonObject, choice: ThinkingChoice, *, can_think: bool) -> None:
    """The one form z.ai knows, `thinking:{type,clear_thinking}` and `reasoning_effort`, for all that clients use."""
    body.pop("enable_thinking", None)
    body.pop("reasoning", None)
    body.pop("reasoning_effort", None)
    said = body.pop("thinking", None)
    thinking = {key: value for key, value in said.items() if key != "budget_tokens"} if isinstance(said, dict) else {}
    if choice.enabled is not None:
        thinking["type"] = "enabled" if choice.enabled else "disabled"
    elif thinking.get("type") != "enabled":
        thinking.pop("type", None)
    if thinking and can_think:
        body["thinking"] = {"type": "enabled", **thinking}
    if choice.effort is not None:
        body["reasoning_effort"] = choice.effort
