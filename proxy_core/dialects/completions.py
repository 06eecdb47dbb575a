"""Legacy completions (`/v1/completions`): a prompt in, its continuation out; editors still complete code by it.

Nothing but a thin difference over chat completions: the body is read as the chat request it stands for, and answers
carry `text` instead of a message. Where a `suffix` is given the model is told to fill the gap.
"""

from __future__ import annotations

from typing import assert_never

from proxy_core.chat import (
    Answer,
    BlockEnded,
    Conversation,
    Delta,
    Failed,
    Finished,
    Pinged,
    Started,
    Stopped,
    StopReason,
    Text,
    TextDelta,
    ThinkingDelta,
    ToolCallDelta,
    ToolCallStarted,
    Usage,
    UsageDelta,
    merge_usage,
)
from proxy_core.dialects.base import ClientDialect, ReplyContext
from proxy_core.dialects.openai.errors import status_of, write_error
from proxy_core.dialects.openai.reasons import write_finish, write_usage
from proxy_core.dialects.openai.requests import read_request as read_chat
from proxy_core.dialects.openai.stream_writer import DONE, error_end
from proxy_core.dialects.shape import as_object, optional_text, refuse
from proxy_core.dialects.unsaid_usage import chars_of, filled, filled_of
from proxy_core.jsontypes import JsonObject
from proxy_core.wire.sse import encode_comment, encode_json

NAME = "completions"
_ID_PREFIX = "cmpl-"
_GAP = (
    "You complete text. The user's text lies in <prefix> and <suffix>. Answer with what belongs between the two and "
    "nothing else: repeat neither of them, explain nothing, put no code fence around it."
)
_OWN_FIELDS = ("prompt", "suffix", "echo", "best_of", "logprobs")
_CHAT_FIELDS = ("messages", "tools", "tool_choice", "functions", "function_call", "response_format", "modalities")


def read_request(body: JsonObject) -> Conversation:
    """A parsed body, as the chat request it stands for. Raises BadRequestError naming the field.

    Thinking is switched off: whoever completes text while it is typed cannot wait, and there is no place to show it.
    Without `max_tokens` there is no limit: 16, OpenAI's own, is not even a line.
    """
    as_object(body, "")
    _refuse_impossible(body)
    kept = {name: value for name, value in body.items() if name not in (*_OWN_FIELDS, *_CHAT_FIELDS)}
    messages = _messages(_prompt(body.get("prompt")), optional_text(body, "suffix") or "")
    return read_chat({**kept, "messages": messages, "thinking": {"type": "disabled"}})


def _refuse_impossible(body: JsonObject) -> None:
    """What no chat model can do; `n` is refused with the chat request."""
    if body.get("echo"):
        raise refuse("echo", "the prompt cannot be repeated")
    if body.get("logprobs") is not None and body["logprobs"] is not False:  # 0 asks for those of the text itself
        raise refuse("logprobs", "probabilities are not available")
    if body.get("best_of") not in (None, 1):
        raise refuse("best_of", "only one answer per request is possible")


def _prompt(value: object) -> str:
    """The prompt: a string, or a list of one."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if not isinstance(value, str):
        raise refuse("prompt", "expected one string; neither several prompts nor tokens are possible")
    return value


def _messages(prompt: str, suffix: str) -> list[JsonObject]:
    if not suffix:
        return [{"role": "user", "content": prompt}]
    gap = f"<prefix>{prompt}</prefix>\n<suffix>{suffix}</suffix>"
    return [{"role": "system", "content": _GAP}, {"role": "user", "content": gap}]


def write_answer(answer: Answer, context: ReplyContext) -> JsonObject:
    """The whole reply: visible text only."""
    text = "".join(part.text for part in answer.parts if isinstance(part, Text))
    return {
        **_head(answer.id, answer.created, context),
        "choices": [_choice(text, _finish_reason(answer.stop))],
        "usage": write_usage(filled_of(answer, context.told_prompt)),
    }


def _head(answer_id: str, created: int | None, context: ReplyContext) -> JsonObject:
    found = answer_id or context.fresh_id
    return {
        "id": found if found.startswith(_ID_PREFIX) else _ID_PREFIX + found,
        "object": "text_completion",
        "created": created or context.created,
        "model": context.model,
    }


def _choice(text: str, finish: str | None) -> JsonObject:
    return {"text": text, "index": 0, "logprobs": None, "finish_reason": finish}


def _finish_reason(stop: StopReason) -> str:
    """There are no tools here."""
    return write_finish(StopReason.END_TURN if stop is StopReason.TOOL_USE else stop)


class CompletionsStreamWriter:
    """Writes one stream: a chunk per piece of text, one with the finish_reason, usage if asked for, `[DONE]`."""

    def __init__(self, context: ReplyContext) -> None:
        self._context = context
        self._head = _head("", None, context)
        self._usage = Usage()
        self._output_chars = 0
        self._stop = StopReason.END_TURN

    def write(self, delta: Delta) -> bytes:
        """The chunks of one delta, possibly none."""
        self._output_chars += chars_of((delta,))
        match delta:
            case TextDelta(text):
                return self._chunk(text) if text else b""
            case ThinkingDelta() | ToolCallStarted() | ToolCallDelta() | BlockEnded():
                return b""
            case UsageDelta(usage):
                self._usage = merge_usage(self._usage, usage)
                return b""
            case _:
                return self._write_frame(delta)

    def _write_frame(self, delta: Started | Stopped | Finished | Failed | Pinged) -> bytes:
        match delta:
            case Started():
                self._head = _head(delta.id, delta.created, self._context)
                self._usage = merge_usage(self._usage, delta.usage or Usage())
                return b""
            case Stopped(reason):
                self._stop = reason
                return b""
            case Finished():
                return self._finish()
            case Failed(error):
                return error_end(error)
            case Pinged():
                return encode_comment("ping")
            case _:
                assert_never(delta)

    def _chunk(self, text: str, finish: str | None = None) -> bytes:
        # By the standard every chunk but the last says usage null, where usage was asked for at all.
        usage: JsonObject = {"usage": None} if self._context.wants_usage else {}
        return encode_json({**self._head, "choices": [_choice(text, finish)], **usage})

    def _finish(self) -> bytes:
        ending = self._chunk("", _finish_reason(self._stop))
        if self._context.wants_usage:
            usage = filled(self._usage, self._context.told_prompt, self._output_chars)
            ending += encode_json({**self._head, "choices": [], "usage": write_usage(usage)})
        return ending + DONE


DIALECT = ClientDialect(
    name=NAME,
    read_request=read_request,
    write_answer=write_answer,
    open_writer=CompletionsStreamWriter,
    write_error=write_error,
    status_of=status_of,
)
