"""From a request to the whole answer. Pure, but pictures make it slow: then call it in a thread."""

from __future__ import annotations

import hashlib
import re

import orjson

from app.demo.errands import Errand, find_errands, find_named_tools, find_related_tools
from app.demo.pictures import describe_picture
from app.demo.prompt import Turn, is_background, working_directory
from app.demo.schema import Hints, fill_object
from app.demo.sizes import cut_to_tokens, usage_of
from app.demo.tools import CLOSING_TOOL, call_for
from app.demo.wording import after_results, before_calls, long_reply, picture_reply, plain_reply, thinking_about
from proxy_core.chat import Answer, AnswerPart, Conversation, StopReason, Text, Thinking, Tool, ToolCall

_FEW_TOOLS = 5
_LONG = re.compile(r"\blong\b|长", re.IGNORECASE)
_THINK = re.compile(r"\bthink\b", re.IGNORECASE)
_COUNT = re.compile(r"\bcount to (\d{1,4})\b", re.IGNORECASE)


def compose(conversation: Conversation, turn: Turn) -> Answer:
    """The answer, complete with usage; the same request always gets the same one."""
    digest = hashlib.sha256(orjson.dumps(conversation.raw)).hexdigest()
    calls = _next_calls(conversation, turn, digest)
    parts: list[AnswerPart] = []
    if _thinks(conversation, turn):
        parts.append(Thinking(thinking_about(turn.prompt)))
    if calls:
        parts += [Text(before_calls(calls)), *calls]
    else:
        parts += _closing(conversation, turn, digest)
    stop = StopReason.TOOL_USE if any(isinstance(part, ToolCall) for part in parts) else StopReason.END_TURN
    return _finish(conversation, parts, stop, digest)


def _finish(conversation: Conversation, parts: list[AnswerPart], stop: StopReason, digest: str) -> Answer:
    kept, sequence = _cut_at_stop(parts, conversation.sampling.stop)
    if sequence is not None:
        stop = StopReason.STOP_SEQUENCE
    limited = cut_to_tokens(kept, conversation.sampling.max_tokens)
    if limited is not None:
        kept, stop, sequence = limited, StopReason.MAX_TOKENS, None
    usage = usage_of(conversation, kept)
    return Answer(f"demo{digest[:24]}", conversation.model, tuple(kept), stop, usage, sequence)


def _next_calls(conversation: Conversation, turn: Turn, digest: str) -> list[ToolCall]:
    """The calls to make now: all at once, or the next one where the client wants them singly."""
    choice = conversation.tool_choice
    if not conversation.tools or (choice and choice.mode == "none"):
        return []
    planned = _planned_calls(conversation, turn, digest)
    if choice and not choice.parallel:
        return planned[len(turn.calls) :][:1]
    return [] if turn.calls else planned


def _planned_calls(conversation: Conversation, turn: Turn, digest: str) -> list[ToolCall]:
    tools = _choosable(conversation)
    directory = working_directory(conversation)
    calls: list[ToolCall] = []
    for errand in _errands(conversation, turn, tools):
        if found := call_for(errand, tools, directory, turn.prompt):
            tool, arguments = found
            call_id = f"call_{digest[:20]}{len(turn.calls) + len(calls):04d}"
            calls.append(ToolCall(call_id, tool.name, orjson.dumps(arguments).decode()))
    return calls


def _choosable(conversation: Conversation) -> tuple[Tool, ...]:
    choice = conversation.tool_choice
    if choice and choice.mode == "tool":
        return tuple(tool for tool in conversation.tools if tool.name == choice.name)
    return conversation.tools


def _errands(conversation: Conversation, turn: Turn, tools: tuple[Tool, ...]) -> list[Errand]:
    names = [tool.name for tool in tools]
    found = find_errands(turn.prompt) or find_named_tools(turn.prompt, names)
    if not found and len(names) <= _FEW_TOOLS:
        found = find_related_tools(turn.prompt, names)
    choice = conversation.tool_choice
    if choice and choice.mode in ("any", "tool") and names:
        return found or find_named_tools(f"call {names[0]}", names)
    return found


def _thinks(conversation: Conversation, turn: Turn) -> bool:
    if is_background(conversation, turn):
        return False
    asked = conversation.thinking
    return bool(_THINK.search(turn.prompt)) if asked is None else asked.enabled is not False


def _closing(conversation: Conversation, turn: Turn, digest: str) -> list[AnswerPart]:
    text = _closing_text(conversation, turn)
    tool = next((tool for tool in conversation.tools if tool.name == CLOSING_TOOL), None)
    if tool is None:
        return [Text(text)]
    arguments = fill_object(tool.schema, Hints(turn.prompt, {"result": text}))
    return [ToolCall(f"call_{digest[:20]}9999", tool.name, orjson.dumps(arguments).decode())]


def _closing_text(conversation: Conversation, turn: Turn) -> str:
    if conversation.json_format is not None:
        hints = Hints("Demo conversation", {"title": "Demo conversation"})
        schema = conversation.json_format.schema
        filled = fill_object(schema, hints) if schema else {"answer": plain_reply(turn.prompt)}
        return orjson.dumps(filled).decode()
    if is_background(conversation, turn):
        return "Demo conversation"
    if turn.pictures:
        return _pictures_text(conversation, turn)
    if turn.results:
        return after_results(turn.calls, turn.results)
    if count := _COUNT.search(turn.prompt):
        return ", ".join(str(number) for number in range(1, int(count[1]) + 1))
    return long_reply(turn.prompt) if _LONG.search(turn.prompt) else plain_reply(turn.prompt)


def _pictures_text(conversation: Conversation, turn: Turn) -> str:
    # The real Anthropic-style side drops pictures without an error (protocols 0.5).
    if conversation.dialect == "anthropic":
        return "I can't see the image."
    return picture_reply([describe_picture(picture) for picture in turn.pictures])


def _cut_at_stop(parts: list[AnswerPart], stops: tuple[str, ...]) -> tuple[list[AnswerPart], str | None]:
    """Everything before the first stop sequence in visible text."""
    kept: list[AnswerPart] = []
    for part in parts:
        text = part.text if isinstance(part, Text) else ""
        found = [(text.index(stop), stop) for stop in stops if stop and stop in text]
        if found:
            place, sequence = min(found)
            return [*kept, Text(text[:place])] if place else kept, sequence
        kept.append(part)
    return kept, None
