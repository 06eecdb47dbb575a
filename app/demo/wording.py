"""The sentences that the demo server says."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from proxy_core.chat import Text, ToolCall, ToolResult

_QUOTE_CHARS = 160
_RESULT_CHARS = 200
_ABOUT = (
    "This is the demo server: it runs inside the proxy, needs no key and no network, and answers from a small set of "
    "rules in place of a model."
)
_TRY = (
    "Things to try: ask it to write a file (with an agent that offers a tool for it), send a picture, turn thinking "
    'on, say "long" or "fast", or provoke a fault with "error 1302", "error overloaded" or "demo error cut".'
)
_ABOUT_ZH = (
    "这是演示服务器：它在代理程序内部运行，不需要密钥，也不需要网络，用一小组规则代替模型来回答。"
    "可以试试：让它写一个文件、发送一张图片、打开思考，或者用 “error 1302”、“demo error cut” 触发一个错误。"
)
_FILLER = (
    "Sentence {n} of a long answer: the proxy passes every piece on as it comes, and the graphs count the tokens while "
    "they flow."
)
LONG_SENTENCES = 40


def quoted(text: str, limit: int = _QUOTE_CHARS) -> str:
    """The text on one line, shortened."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def plain_reply(prompt: str) -> str:
    """The answer to a prompt that asks for nothing in particular; Chinese is answered in Chinese."""
    if any("\u4e00" <= char <= "\u9fff" for char in prompt):
        return f"您写道：“{quoted(prompt)}”\n\n{_ABOUT_ZH}"
    opening = f"You wrote: “{quoted(prompt)}”" if prompt else "There was no text to answer."
    return f"{opening}\n\n{_ABOUT}\n\n{_TRY}"


def long_reply(prompt: str) -> str:
    """Some eight hundred tokens."""
    sentences = " ".join(_FILLER.format(n=number) for number in range(1, LONG_SENTENCES + 1))
    return f"{plain_reply(prompt)}\n\n{sentences}"


def thinking_about(prompt: str) -> str:
    """Reasoning to show where it is asked for."""
    return (
        f"The person says: “{quoted(prompt)}”. I am the built-in demo, so I look for an errand I can do with the tools "
        "at hand, then for a picture, and answer from my rules otherwise."
    )


def picture_reply(descriptions: Sequence[str]) -> str:
    """What was seen."""
    if len(descriptions) == 1:
        return f"I see one picture. {descriptions[0]}"
    numbered = "\n".join(f"{number}. {text}" for number, text in enumerate(descriptions, 1))
    return f"I see {len(descriptions)} pictures:\n{numbered}"


def before_calls(calls: Sequence[ToolCall]) -> str:
    """The sentence in front of tool calls."""
    names = ", ".join(dict.fromkeys(call.name for call in calls))
    return f"I will use {names} for that."


def after_results(calls: Sequence[ToolCall], results: Iterable[ToolResult]) -> str:
    """The closing sentence once tools have answered."""
    names = {call.id: call.name for call in calls}
    told = [_told(names.get(result.call_id, "the tool"), result) for result in results]
    return "\n".join(["Done." if all(ok for ok, _ in told) else "Not everything worked.", *(line for _, line in told)])


def _told(name: str, result: ToolResult) -> tuple[bool, str]:
    text = quoted(" ".join(part.text for part in result.parts if isinstance(part, Text)), _RESULT_CHARS)
    verb = "reported a problem" if result.is_error else "answered"
    return not result.is_error, f"{name} {verb}: {text or 'nothing'}"
