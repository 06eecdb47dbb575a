"""Messages of any order made into the strict turns that a request across dialects needs.

Strict means: user first, roles in turn, no empty text, and every tool call answered once at the start of the
next user message. What the client sent in an earlier turn settles to the same messages again when more is
appended to it, so that the upstream's prompt cache keeps hitting.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from proxy_core.chat import Message, Part, ResultPart, Role, Text, Thinking, ToolCall, ToolResult, Unknown

_NOTHING_SAID = Text(".")
_NO_RESULT = Text("(no result)")


@dataclass(frozen=True, slots=True)
class SettledTurns:
    """system: what stands before the conversation. messages: strict turns, never empty, without `raw`."""

    system: tuple[Text, ...]
    messages: tuple[Message, ...]


@dataclass(slots=True)
class _Turn:
    role: Role
    parts: list[Part]

    def calls(self) -> list[ToolCall]:
        return [part for part in self.parts if isinstance(part, ToolCall)]


def settle_turns(messages: Sequence[Message], *, leading: tuple[Text, ...] = ()) -> SettledTurns:
    """Strict turns of `messages`; `leading` is the system prompt that stood outside of them.

    System messages before all others join it; later ones become a `<system-reminder>` text of a user message
    in their place (behind the results, where they stand between a call and its result).
    """
    system = [part for part in leading if _says_something(part)]
    turns: list[_Turn] = []
    reminders: list[Part] = []
    for message in messages:
        parts = [part for part in _legal_parts(message) if _says_something(part)]
        if message.role == "system":
            if not turns:
                system += [part for part in parts if isinstance(part, Text)]
                parts = [part for part in parts if not isinstance(part, Text)]
            reminders += _reminder(parts)
        elif message.role == "user":
            _append(turns, "user", reminders + parts)
            reminders = []
        else:
            _append(turns, "assistant", parts)
        if reminders and not _awaits_results(turns):
            _append(turns, "user", reminders)
            reminders = []
    _append(turns, "user", reminders)
    return SettledTurns(tuple(system), tuple(_paired(turns)))


def _append(turns: list[_Turn], role: Role, parts: list[Part]) -> None:
    """`parts` at the end, in the last turn where the role is the same."""
    if parts and turns and turns[-1].role == role:
        turns[-1].parts += parts
    elif parts:
        turns.append(_Turn(role, list(parts)))


def _awaits_results(turns: list[_Turn]) -> bool:
    return bool(turns) and any(isinstance(part, ToolCall) for part in turns[-1].parts)


def _reminder(parts: list[Part]) -> list[Part]:
    text = "\n\n".join(part.text for part in parts if isinstance(part, Text))
    others = [part for part in parts if not isinstance(part, Text)]
    return ([Text(f"<system-reminder>\n{text}\n</system-reminder>")] if text else []) + others


def _legal_parts(message: Message) -> Iterable[Part]:
    """The parts that may stand in a message of this role; calls and results in the wrong one become text."""
    for part in message.parts:
        match part:
            case ToolCall() if message.role != "assistant":
                yield Text(f"[Tool call {part.id}: {part.name} {part.arguments}]")
            case ToolResult() if message.role != "user":
                yield from _as_text(part)
            case ToolResult():
                yield replace(part, parts=tuple(inner for inner in part.parts if _says_something(inner)), raw=None)
            case Thinking() if message.role != "assistant":
                pass
            case Unknown() if message.role == "system" and part.text:
                yield Text(part.text)
            case _:
                yield part


def _says_something(part: Part) -> bool:
    match part:
        case Text(text):
            return bool(text.strip())
        case Thinking():
            return bool(part.text.strip() or part.signature or part.redacted)
        case _:
            return True


def _as_text(result: ToolResult) -> list[ResultPart]:
    """A result that belongs to no call, as text in its place."""
    texts = [part.text for part in result.parts if isinstance(part, Text) and part.text.strip()]
    others = [part for part in result.parts if not isinstance(part, Text)]
    return [Text("\n".join([f"[Result of tool call {result.call_id}]", *texts])), *others]


def _paired(turns: list[_Turn]) -> list[Message]:
    """Messages of the turns, with ids unique all over, every call answered and every result asked for."""
    if not turns or turns[0].role == "assistant":
        turns = [_Turn("user", [_NOTHING_SAID]), *turns]
    if turns[-1].calls():
        turns = [*turns, _Turn("user", [])]
    seen: dict[str, int] = {}
    calls: list[tuple[str, ToolCall]] = []
    settled: list[Message] = []
    for turn in turns:
        if turn.role == "user":
            parts = _answered(turn.parts, calls)
            calls = []
        else:
            calls = [(call.id, replace(call, id=_unique(call.id, seen))) for call in turn.calls()]
            renamed = iter(call for _, call in calls)
            parts = [next(renamed) if isinstance(part, ToolCall) else part for part in turn.parts]
        settled.append(Message(turn.role, tuple(parts)))
    return settled


def _answered(parts: list[Part], calls: list[tuple[str, ToolCall]]) -> list[Part]:
    """The results of `calls` (given with the ids the client knows them by), in their order, then all else."""
    wanted = Counter(asked for asked, _ in calls)
    given: defaultdict[str, list[ToolResult]] = defaultdict(list)
    rest: list[Part] = []
    for part in parts:
        if not isinstance(part, ToolResult):
            rest.append(part)
        elif part.call_id in wanted:
            given[part.call_id].append(part)
        else:
            rest += _as_text(part)
    # Of several results for one call the last holds; of several calls with one id each takes its own.
    taken = {asked: iter(given[asked][-count:]) for asked, count in wanted.items()}
    missing = ToolResult("", (_NO_RESULT,), is_error=True)
    return [*(replace(next(taken[asked], missing), call_id=call.id) for asked, call in calls), *rest]


def _unique(call_id: str, seen: dict[str, int]) -> str:
    """`call_id`, or with a number behind it where it was used before: some clients count anew in every turn."""
    found, number = call_id, seen.get(call_id, 1)
    while found in seen:
        number += 1
        found = f"{call_id}_{number}"
    seen[call_id] = number
    seen.setdefault(found, 1)
    return found
