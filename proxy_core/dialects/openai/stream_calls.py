"""Tool calls out of the pieces that upstreams stream them in (protocols D.4, point 4).

By the standard every piece names its call by `index` and only the first has id and name. Seen in the wild and put
right here: no index; index 0 for all; id or name late, or repeated in every piece; arguments as an object, or as a
string within the string; each piece repeating all arguments so far.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from proxy_core.chat import Delta, ToolCallDelta, ToolCallStarted
from proxy_core.dialects.arguments import arguments_text, completion_suffix, made_id, whole_arguments
from proxy_core.dialects.openai.answers import text_of
from proxy_core.jsontypes import JsonObject

_OPENINGS = ("{", '"')
_WRAPPED = '"n'  # how a string of JSON begins, and null, which stands for no arguments


@dataclass(slots=True)
class _Call:
    """One call. index: as we count, -1 until id and name are known and it could begin; pending: arguments held back.

    arguments: what was understood; doubtful: pieces after these that may be news or repeat all that was said, until a
    later one decides. is_held: nothing is told before the end, as only the whole can be taken out of a string.
    """

    id: str = ""
    name: str = ""
    index: int = -1
    pending: list[str] = field(default_factory=list)
    arguments: list[str] = field(default_factory=list)
    doubtful: list[str] = field(default_factory=list)
    size_chars: int = 0
    is_cumulative: bool = False
    is_held: bool = False
    has_begun: bool = False

    def news(self, fragment: str) -> str:
        """What of `fragment` can be told now: it was not said before and means the same whatever follows."""
        said = self._understood(fragment)
        if not self.has_begun and (beginning := said.lstrip()):
            self.has_begun, self.is_held = True, beginning[0] in _WRAPPED
        return "" if self.is_held else said

    def _understood(self, fragment: str) -> str:
        """The part that is new; where pieces are cumulative that is only the end."""
        if self.doubtful:
            return self._in_doubt(fragment)
        if 0 < self.size_chars <= len(fragment):
            said = "".join(self.arguments)
            if fragment.startswith(said) and (self.is_cumulative or said.startswith(_OPENINGS)):
                return self._repeated(said, fragment)
        return self._grown(fragment)

    def _grown(self, fragment: str) -> str:
        self.arguments.append(fragment)
        self.size_chars += len(fragment)
        return fragment

    def _repeated(self, said: str, fragment: str) -> str:
        """A piece that begins with all that was said may still be news (nested objects), if both together are JSON."""
        if not self.is_cumulative and completion_suffix(said + "".join(self.doubtful) + fragment) is not None:
            self.doubtful.append(fragment)
            return ""
        self.is_cumulative = True
        self.doubtful.clear()
        self.arguments, self.size_chars = [fragment], len(fragment)
        return fragment[len(said) :]

    def _in_doubt(self, fragment: str) -> str:
        if fragment.startswith(self.doubtful[-1]):
            return self._repeated("".join(self.arguments), fragment)
        news = "".join(self.doubtful) + fragment
        self.doubtful.clear()
        return self._grown(news)

    def whole(self) -> str:
        """All of the arguments. What is still in doubt repeats them where only that makes JSON."""
        glued = "".join([*self.arguments, *self.doubtful])
        if self.doubtful and completion_suffix(glued) != "" and completion_suffix(self.doubtful[-1]) == "":
            return self.doubtful[-1]
        return glued

    def settle(self) -> str:
        """The call is over: what was not told so far."""
        whole, told = self.whole(), sum(map(len, self.arguments))
        if self.is_held:
            whole, told = whole_arguments(whole) or whole, 0
        self.is_held = False
        self.doubtful.clear()
        self.arguments = [whole]
        return whole[told:]


def is_foreign(entry: JsonObject) -> bool:
    """Whether an entry of `tool_calls` calls no function: we do not read such, but let clients of this dialect do."""
    return entry.get("type") not in (None, "", "function")


class StreamedCalls:
    """Takes the `tool_calls` of each chunk, gives the deltas they mean.

    started: how many calls have begun. is_odd: whether the latest chunk told its calls otherwise than by the standard.
    has_foreign: whether there were entries that call no function, which have no deltas.
    """

    def __init__(self) -> None:
        self.started = 0
        self.is_odd = False
        self.has_foreign = False
        self._calls: list[_Call] = []
        self._by_index: dict[int, _Call] = {}

    def read(self, entries: list[object]) -> list[Delta]:
        """The deltas of one chunk's `tool_calls`."""
        deltas: list[Delta] = []
        self.is_odd = False
        for position, entry in enumerate(entries):
            if isinstance(entry, dict):
                self._read_entry(entry, position if len(entries) > 1 else None, deltas)
            else:
                self.is_odd = True
        return deltas

    def _read_entry(self, entry: JsonObject, position: int | None, deltas: list[Delta]) -> None:
        found = entry.get("function")
        function: JsonObject = found if isinstance(found, dict) else {}
        call_id, name = text_of(entry.get("id")), text_of(function.get("name"))
        index = entry.get("index")
        call = self._find(index if isinstance(index, int) else position, call_id, name)
        call.id, call.name = call.id or call_id, call.name or name
        arguments = function.get("arguments")
        fragment = arguments_text(arguments) if isinstance(arguments, dict) else text_of(arguments)
        fragment = call.news(fragment) if fragment else ""
        is_first = call.index < 0 and not call.pending
        if call.index >= 0:
            if fragment:
                deltas.append(ToolCallDelta(call.index, fragment))
        else:
            call.pending.append(fragment)
            if call.id and call.name:
                self._start(call, deltas)
        is_named = bool(call_id and name) if is_first else not (call_id or name)
        self._judge(entry, is_standard=is_named and call.index == index and fragment == (arguments or ""))

    def _judge(self, entry: JsonObject, *, is_standard: bool) -> None:
        if is_foreign(entry):
            self.has_foreign = True
        elif not is_standard:
            self.is_odd = True

    def _find(self, index: int | None, call_id: str, name: str) -> _Call:
        """The call that a piece belongs to; a new one where it fits none."""
        known = self._find_unnumbered(call_id, name) if index is None else self._by_index.get(index)
        is_another = known is not None and bool(call_id and known.id and name) and call_id != known.id
        if known is None or is_another:
            known = _Call()
            self._calls.append(known)
            if index is not None:
                self._by_index[index] = known
        return known

    def _find_unnumbered(self, call_id: str, name: str) -> _Call | None:
        """By id, else the latest call unless the piece names another function."""
        for call in self._calls:
            if call_id and call.id == call_id:
                return call
        last = self._calls[-1] if self._calls else None
        if last is None or (call_id and last.id):
            return None
        return None if name and last.name and name != last.name else last

    def _start(self, call: _Call, deltas: list[Delta]) -> None:
        call.index = self.started
        self.started += 1
        deltas.append(ToolCallStarted(call.index, call.id, call.name))
        if pending := "".join(call.pending):
            deltas.append(ToolCallDelta(call.index, pending))
        call.pending.clear()

    def rests(self) -> dict[int, str] | None:
        """What the arguments of each call lack to be JSON, by its index; None if nothing can help one of them."""
        rests: dict[int, str] = {}
        for call in self._calls:
            rest = completion_suffix(call.whole()) if call.index >= 0 else ""
            if rest is None:
                return None
            if rest:
                rests[call.index] = rest
        return rests

    def bare(self) -> dict[int, str]:
        """`rests` of the calls without any arguments, alone."""
        return {call.index: "{}" for call in self._calls if call.index >= 0 and not call.whole().strip()}

    def are_cut_off(self) -> bool:
        """Whether a call's arguments are no whole JSON yet: not to be carried out unless the model said it is done."""
        return any(call.name and completion_suffix(call.whole()) != "" for call in self._calls)

    def flush(self, answer_id: str) -> list[Delta]:
        """The model is done: what was held back is told, and calls that never got an id begin now; one without a name
        nobody could carry out."""
        deltas: list[Delta] = []
        for position, call in enumerate(self._calls):
            if call.index < 0 and call.name:
                call.id = call.id or made_id(answer_id, position)
                self.is_odd = True
                self._start(call, deltas)
            if (rest := call.settle()) and call.index >= 0:
                self.is_odd = True
                deltas.append(ToolCallDelta(call.index, rest))
        return deltas
