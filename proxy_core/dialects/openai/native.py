"""A request of this very dialect on its way to z.ai: the client's body, with only what must change changed.

Fields we have no word for survive. What z.ai's schema does not have under OpenAI's name is renamed; what it limits is
clamped (protocols A.3).
"""

from __future__ import annotations

from proxy_core.chat import Conversation
from proxy_core.dialects.base import Target, UpstreamRequest
from proxy_core.dialects.effort import ThinkingChoice, choose_thinking
from proxy_core.dialects.openai.limits import clamp_max_tokens, clamp_temperature, clamp_top_p, split_stop
from proxy_core.dialects.openai.messages import write_message
from proxy_core.dialects.openai.tools import EMPTY_FUNCTION, write_tools
from proxy_core.jsontypes import JsonObject


def adapt(conversation: Conversation, target: Target) -> UpstreamRequest:
    """The body to send. The conversation's own raw body is not touched."""
    choice = choose_thinking(conversation.thinking, target.facts, target.default_thinking)
    body = dict(conversation.raw)
    body["model"] = target.model
    body["messages"] = [raw for message in conversation.messages for raw in write_message(message)]
    _modernise_functions(body, conversation)
    _complete_tools(body)
    _ask_for_stream_extras(body, target)
    _settle_sampling(body, target)
    _settle_thinking(body, choice, can_think=target.facts.thinking != "none")
    dropped = _settle_stop(body, conversation, target)
    return UpstreamRequest(body, dropped + choice.dropped)


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


def _complete_tools(body: JsonObject) -> None:
    """z.ai demands a description and parameters of every function; clients often leave them out."""
    tools = body.get("tools")
    if isinstance(tools, list):
        body["tools"] = [_complete_tool(tool) for tool in tools]


def _complete_tool(tool: object) -> object:
    function = tool.get("function") if isinstance(tool, dict) else None
    if not isinstance(tool, dict) or not isinstance(function, dict):
        return tool
    missing = {name: default for name, default in EMPTY_FUNCTION.items() if not function.get(name)}
    return {**tool, "function": {**function, **missing}} if missing else tool


def _ask_for_stream_extras(body: JsonObject, target: Target) -> None:
    if not body.get("stream"):
        return
    options = body.get("stream_options")
    body["stream_options"] = {**(options if isinstance(options, dict) else {}), "include_usage": True}
    if body.get("tools") and target.quirks.tool_stream:
        body.setdefault("tool_stream", True)


def _settle_sampling(body: JsonObject, target: Target) -> None:
    renamed = body.pop("max_completion_tokens", None)
    limit = body.get("max_tokens") if body.get("max_tokens") is not None else renamed
    if isinstance(limit, (int, float)):
        body["max_tokens"] = clamp_max_tokens(int(limit), target)
    temperature, top_p = body.get("temperature"), body.get("top_p")
    if isinstance(temperature, (int, float)):
        body["temperature"] = clamp_temperature(temperature, target)
    if isinstance(top_p, (int, float)):
        body["top_p"] = clamp_top_p(top_p)


def _settle_stop(body: JsonObject, conversation: Conversation, target: Target) -> tuple[str, ...]:
    """`stop` as the list that z.ai takes; what is over its limit is cut and named."""
    if body.get("stop") is None:
        return ()
    kept, is_cut = split_stop(conversation.sampling.stop, target)
    if kept:
        body["stop"] = kept
    else:
        del body["stop"]
    return ("stop",) if is_cut else ()


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
