"""Why a model stopped and what it used: `finish_reason` and `usage` ↔ our words (protocols A.4, D.3)."""

from __future__ import annotations

from collections.abc import Mapping

from proxy_core.chat import StopReason, Usage
from proxy_core.jsontypes import JsonObject
from proxy_core.tokens.scaling import scale_parts, scale_tokens

_STOP_OF_FINISH = {
    "stop": StopReason.END_TURN,
    "length": StopReason.MAX_TOKENS,
    "tool_calls": StopReason.TOOL_USE,
    "function_call": StopReason.TOOL_USE,
    "content_filter": StopReason.REFUSAL,
    "sensitive": StopReason.REFUSAL,
    "model_context_window_exceeded": StopReason.CONTEXT_EXCEEDED,
}
_FINISH_OF_STOP = {
    StopReason.END_TURN: "stop",
    StopReason.MAX_TOKENS: "length",
    StopReason.STOP_SEQUENCE: "stop",
    StopReason.TOOL_USE: "tool_calls",
    StopReason.PAUSE_TURN: "stop",
    StopReason.REFUSAL: "content_filter",
    StopReason.CONTEXT_EXCEEDED: "length",
}
_CUT = (StopReason.MAX_TOKENS, StopReason.CONTEXT_EXCEEDED, StopReason.REFUSAL)
_MOST_TOKENS = 2**40  # nobody has used more; sums of such figures still fit every JSON writer
_CACHED = ("cached_tokens", "cache_write_tokens")
_STANDARD = frozenset(["stop", "length", "tool_calls", "content_filter", "function_call"])


def read_finish(finish: object, *, has_calls: bool) -> StopReason:
    """The stop reason behind a finish_reason; one that contradicts the tool calls in the answer gives way to them.

    Unknown and missing ones mean an ordinary end. Those that mean a failure are the caller's to catch before
    (`upstream_errors.broken_off`).
    """
    stop = _STOP_OF_FINISH.get(finish, StopReason.END_TURN) if isinstance(finish, str) else StopReason.END_TURN
    if stop in (StopReason.END_TURN, StopReason.TOOL_USE):
        return StopReason.TOOL_USE if has_calls else StopReason.END_TURN
    return stop


def write_finish(stop: StopReason) -> str:
    """The finish_reason of a stop reason."""
    return _FINISH_OF_STOP[stop]


def is_cut(stop: StopReason) -> bool:
    """Whether the answer ended before the model was done, so that its last call may be half of one."""
    return stop in _CUT


def standard_finish(finish: object) -> object:
    """z.ai's own finish reasons as the standard ones, which strict clients demand; all else as it is."""
    if isinstance(finish, str) and finish not in _STANDARD and finish in _STOP_OF_FINISH:
        return _FINISH_OF_STOP[_STOP_OF_FINISH[finish]]
    return finish


def read_usage(usage: Mapping[str, object]) -> Usage:
    """`usage` with the cached tokens taken out of `prompt_tokens`, which includes them."""
    prompt = _details(usage, "prompt_tokens_details")
    completion = _details(usage, "completion_tokens_details")
    cached, cache_write = _tokens(prompt, "cached_tokens"), _tokens(prompt, "cache_write_tokens")
    return Usage(
        input_tokens=max(0, _tokens(usage, "prompt_tokens") - cached - cache_write),
        cached_tokens=cached,
        cache_write_tokens=cache_write,
        output_tokens=_tokens(usage, "completion_tokens"),
        thinking_tokens=_tokens(completion, "reasoning_tokens") if "reasoning_tokens" in completion else None,
    )


def _details(usage: Mapping[str, object], name: str) -> Mapping[str, object]:
    details = usage.get(name)
    return details if isinstance(details, dict) else {}


def _tokens(usage: Mapping[str, object], name: str) -> int:
    value = usage.get(name)
    return int(min(value, _MOST_TOKENS)) if isinstance(value, (int, float)) and value > 0 else 0


def write_usage(usage: Usage) -> JsonObject:
    """`usage` as clients of this dialect read it: the whole prompt, with the cached part named inside."""
    written: JsonObject = {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.prompt_tokens + usage.output_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cached_tokens, "cache_write_tokens": usage.cache_write_tokens},
    }
    if usage.thinking_tokens is not None:
        written["completion_tokens_details"] = {"reasoning_tokens": usage.thinking_tokens}
    return written


def scaled_usage(usage: JsonObject, factor: float) -> JsonObject:
    """An upstream's own `usage` with what it says of the prompt scaled (`tokens.scaling`), all else as it was.

    The very same object where nothing changes.
    """
    prompt, total = _tokens(usage, "prompt_tokens"), _tokens(usage, "total_tokens")
    told = scale_tokens(prompt, factor)
    if told == prompt:
        return usage
    changes: JsonObject = {"prompt_tokens": told}
    if total:
        changes["total_tokens"] = total + told - prompt
    details = _details(usage, "prompt_tokens_details")
    cached = scale_parts([_tokens(details, name) for name in _CACHED], factor)
    if any(cached):
        scaled = {name: tokens for name, tokens in zip(_CACHED, cached, strict=True) if tokens}
        changes["prompt_tokens_details"] = {**details, **scaled}
    return {**usage, **changes}
