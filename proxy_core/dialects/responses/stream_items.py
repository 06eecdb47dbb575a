"""Output items of a stream while they grow. Each method gives the events that it causes, without sequence numbers.

opened                              grown                                   closed
output_item.added                   output_text.delta                       output_text.done
content_part.added                                                          content_part.done
                                                                            output_item.done
output_item.added                   reasoning_summary_part.added, once      reasoning_summary_text.done
                                    reasoning_summary_text.delta            reasoning_summary_part.done
                                                                            output_item.done
output_item.added                   function_call_arguments.delta           function_call_arguments.done
                                    or custom_tool_call_input.delta         or custom_tool_call_input.done
                                                                            output_item.done
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from proxy_core.chat import Thinking, ThinkingDelta, ToolCall
from proxy_core.dialects.arguments import completion_suffix
from proxy_core.dialects.responses.freeform import FreeformProgress
from proxy_core.dialects.responses.output import (
    begun_call_item,
    call_item,
    call_prefix,
    item_id,
    message_item,
    origin_of,
    reasoning_item,
    summary_part,
    text_part,
)
from proxy_core.dialects.responses.requests import Echo
from proxy_core.jsontypes import JsonObject

Events = Iterator[JsonObject]


class StreamedItem(Protocol):
    """What the writer asks of every kind of item. final: the whole item, once it is closed."""

    final: JsonObject

    def open(self) -> Events:
        """It begins."""
        ...

    def close(self, status: str) -> Events:
        """It is complete, or ("incomplete") was cut."""
        ...


class _Place:
    """Where an item stands; its events repeat it."""

    def __init__(self, prefix: str, of_response: str, output_index: int) -> None:
        self.id = item_id(prefix, of_response, output_index)
        self._output_index = output_index

    def added(self, item: JsonObject) -> JsonObject:
        return {"type": "response.output_item.added", "output_index": self._output_index, "item": item}

    def done(self, item: JsonObject) -> JsonObject:
        return {"type": "response.output_item.done", "output_index": self._output_index, "item": item}

    def event(self, name: str, **said: object) -> JsonObject:
        return {"type": f"response.{name}", "item_id": self.id, "output_index": self._output_index, **said}


class StreamedMessage:
    """Visible text."""

    def __init__(self, of_response: str, output_index: int) -> None:
        self._place = _Place("msg", of_response, output_index)
        self._texts: list[str] = []
        self.final: JsonObject = {}

    def open(self) -> Events:
        """It begins, with its only content part."""
        yield self._place.added(message_item(self._place.id, "in_progress", None))
        yield self._place.event("content_part.added", content_index=0, part=text_part(""))

    def grow(self, text: str) -> Events:
        """More text."""
        self._texts.append(text)
        yield self._place.event("output_text.delta", content_index=0, delta=text, logprobs=[])

    def close(self, status: str) -> Events:
        """All of it, three times, as clients take it from any of them."""
        text = "".join(self._texts)
        self.final = message_item(self._place.id, status, text)
        yield self._place.event("output_text.done", content_index=0, text=text, logprobs=[])
        yield self._place.event("content_part.done", content_index=0, part=text_part(text))
        yield self._place.done(self.final)


class StreamedReasoning:
    """Thinking, told as one summary part; what is redacted has none."""

    def __init__(self, of_response: str, output_index: int, echo: Echo) -> None:
        self._place = _Place("rs", of_response, output_index)
        self._echo = echo
        self._texts: list[str] = []
        self._signature = ""
        self._redacted = ""
        self.final: JsonObject = {}

    def open(self) -> Events:
        """It begins."""
        yield self._place.added(reasoning_item(self._place.id, None, self._echo))

    def grow(self, delta: ThinkingDelta) -> Events:
        """More thinking; its signature stays unsaid till the end."""
        self._signature = delta.signature or self._signature
        self._redacted = delta.redacted or self._redacted
        if not delta.text:
            return
        if not self._texts:
            yield self._place.event("reasoning_summary_part.added", summary_index=0, part=summary_part(""))
        self._texts.append(delta.text)
        yield self._place.event("reasoning_summary_text.delta", summary_index=0, delta=delta.text)

    def close(self, status: str) -> Events:
        """All of it; a reasoning item has no status."""
        text = "".join(self._texts)
        self.final = reasoning_item(self._place.id, Thinking(text, self._signature, self._redacted), self._echo)
        if text:
            yield self._place.event("reasoning_summary_text.done", summary_index=0, text=text)
            yield self._place.event("reasoning_summary_part.done", summary_index=0, part=summary_part(text))
        yield self._place.done(self.final)


class StreamedCall:
    """A call of a function, or of a freeform tool whose input is taken out of its JSON."""

    def __init__(self, of_response: str, output_index: int, call: ToolCall, echo: Echo) -> None:
        self._call = call
        self._origin = origin_of(call, echo)
        self._place = _Place(call_prefix(self._origin), of_response, output_index)
        self._fragments: list[str] = []
        self._progress = FreeformProgress()
        self._told: list[str] = []
        self.final: JsonObject = {}

    def open(self) -> Events:
        """It begins: whose call it is."""
        yield self._place.added(begun_call_item(self._place.id, self._call.id, self._origin))

    def grow(self, fragment: str) -> Events:
        """More of the arguments."""
        self._fragments.append(fragment)
        said = self._progress.feed(fragment) if self._origin.is_freeform else fragment
        yield from self._tell(said)

    def _tell(self, said: str) -> Events:
        if said:
            self._told.append(said)
            yield self._place.event(self._name("delta"), delta=said)

    def _name(self, what: str) -> str:
        return f"{'custom_tool_call_input' if self._origin.is_freeform else 'function_call_arguments'}.{what}"

    def is_complete(self) -> bool:
        """Whether the arguments are a whole object, so that no more of them can follow."""
        is_due = bool(self._fragments) and self._fragments[-1].rstrip().endswith("}")
        return is_due and completion_suffix("".join(self._fragments)) == ""

    def is_broken(self) -> bool:
        """Whether nothing that follows can make JSON of the arguments; freeform input need be none."""
        return not self._origin.is_freeform and completion_suffix("".join(self._fragments)) is None

    def close(self, status: str) -> Events:
        """All of it. What was not told yet goes first: clients may add up the pieces."""
        if status == "completed" and not self._origin.is_freeform:
            self._fragments.append(completion_suffix("".join(self._fragments)) or "")
        call = ToolCall(self._call.id, self._call.name, "".join(self._fragments))
        self.final = call_item(self._place.id, status, call, self._origin)
        holder = "input" if self._origin.is_freeform else "arguments"
        whole = str(self.final[holder])
        told = "".join(self._told)
        if whole.startswith(told):
            yield from self._tell(whole[len(told) :])
        yield self._place.event(self._name("done"), **{holder: whole})
        yield self._place.done(self.final)
