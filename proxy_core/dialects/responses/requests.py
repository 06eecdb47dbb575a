"""Bodies of `/v1/responses` → Conversation (protocols C.6).

Nothing is stored here, so what refers to an earlier response is refused by name. Fields that only tune and have no
word of ours are left out and named.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from proxy_core.chat import Conversation, JsonFormat, Sampling, Text, ThinkingRequest
from proxy_core.dialects.responses.items import read_input
from proxy_core.dialects.responses.parts import as_json
from proxy_core.dialects.responses.tools import Origin, only_allowed, read_tool_choice, read_tools
from proxy_core.dialects.shape import (
    as_object,
    as_text,
    at,
    optional_bool,
    optional_int,
    optional_list,
    optional_number,
    optional_object,
    optional_text,
    refuse,
)
from proxy_core.jsontypes import JsonObject

NAME = "responses"

_SEALED_REASONING = "reasoning.encrypted_content"
_REFUSED = {
    "previous_response_id": "nothing is stored here; send the whole conversation as input",
    "conversation": "nothing is stored here; send the whole conversation as input",
    "prompt": "prompt templates lie on OpenAI's servers; send the text as instructions and input",
    "mcp_servers": "servers of tools are not called from here; connect them in the client",
    "background": "answers are given at once or not at all",
}
_REPEATED = (
    "instructions",
    "max_output_tokens",
    "metadata",
    "parallel_tool_calls",
    "prompt_cache_key",
    "reasoning",
    "safety_identifier",
    "temperature",
    "text",
    "tool_choice",
    "tools",
    "top_p",
    "user",
)
_CARRIED = frozenset([*_REPEATED, "model", "input", "stream", "stream_options", "include"]) - {"prompt_cache_key"}
# What leaves the answer as it would be without them.
_WITHOUT_EFFECT: tuple[object, ...] = (None, False, [], {}, "disabled")
# The names end in a response header.
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")


@dataclass(frozen=True, slots=True)
class Echo:
    """What the answer must know of the request.

    repeated: fields that the response object says again. origins: joint name of a tool → how the client knows it.
    seals_reasoning: the client asked for `reasoning.encrypted_content`.
    """

    repeated: JsonObject = field(default_factory=dict)
    origins: Mapping[str, Origin] = field(default_factory=dict)
    seals_reasoning: bool = False


def read_request(body: JsonObject) -> Conversation:
    """A parsed body, read. Raises BadRequestError naming the field."""
    as_object(body, "")
    for name, why in _REFUSED.items():
        if body.get(name):
            raise refuse(name, why)
    read = read_input(body.get("input"))
    instructions = optional_text(body, "instructions")
    declared = [(tool, at("tools", i)) for i, tool in enumerate(optional_list(body, "tools") or ())]
    toolbox = read_tools([*declared, *read.declared])
    include = optional_list(body, "include") or []
    repeated = {name: body[name] for name in _REPEATED if body.get(name) is not None}
    as_json(repeated, "")  # it could not be said again
    return Conversation(
        dialect=NAME,
        model=_model(body),
        messages=read.messages,
        system=(Text(instructions),) if instructions else (),
        tools=only_allowed(toolbox.tools, body),
        tool_choice=read_tool_choice(body),
        sampling=_sampling(body),
        thinking=_thinking(body),
        json_format=_json_format(body),
        stream=optional_bool(body, "stream") or False,
        user_id=optional_text(body, "safety_identifier") or optional_text(body, "user") or "",
        dropped=(*_uncarried(body, include), *read.dropped, *(f"tools.{kind}" for kind in _plain(toolbox.left_out))),
        echo=Echo(repeated, toolbox.origins, _SEALED_REASONING in include),
        raw=body,
    )


def _uncarried(body: JsonObject, include: list[object]) -> tuple[str, ...]:
    """The fields in use that go nowhere."""
    names = [name for name, value in body.items() if name not in _CARRIED and value not in _WITHOUT_EFFECT]
    text = optional_object(body, "text") or {}
    if text.get("verbosity") is not None:
        names.append("text.verbosity")
    if any(wanted != _SEALED_REASONING for wanted in include):
        names.append("include")
    return _plain(names)


def _plain(names: Mapping[str, object] | list[str] | tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in names if _PLAIN_NAME.fullmatch(name))


def _model(body: JsonObject) -> str:
    model = as_text(body.get("model"), "model")
    if not model.strip():
        raise refuse("model", "expected the name of a model")
    return model


def _sampling(body: JsonObject) -> Sampling:
    limit = optional_int(body, "max_output_tokens")
    if limit is not None and limit < 1:
        raise refuse("max_output_tokens", "expected at least 1")
    return Sampling(limit, _within(body, "temperature", 2.0), _within(body, "top_p", 1.0))


def _within(body: JsonObject, name: str, highest: float) -> float | None:
    value = optional_number(body, name)
    if value is not None and not 0 <= value <= highest:
        raise refuse(name, f"expected a number from 0 to {highest:g}")
    return value


def _thinking(body: JsonObject) -> ThinkingRequest | None:
    effort = optional_text(optional_object(body, "reasoning") or {}, "effort", "reasoning")
    return ThinkingRequest(effort=effort) if effort else None


def _json_format(body: JsonObject) -> JsonFormat | None:
    path = "text.format"
    said = optional_object(optional_object(body, "text") or {}, "format", "text")
    if said is None:
        return None
    match as_text(said.get("type"), at(path, "type")):
        case "text":
            return None
        case "json_object":
            return JsonFormat()
        case "json_schema":
            return JsonFormat(optional_object(said, "schema", path), optional_text(said, "name", path) or "response")
        case _:
            raise refuse(at(path, "type"), "expected text, json_object or json_schema")
