"""Random conversations of agents, as bodies of both dialects, and small ones by hand."""

from __future__ import annotations

import json
from dataclasses import dataclass

from hypothesis import strategies as st

from proxy_core.chat import Conversation
from proxy_core.dialects.base import Target
from proxy_core.dialects.table import DIALECTS
from proxy_core.routing.catalogue import model_facts
from tests.wire_rules import broken_rules

Wire = dict[str, object]
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
_ENVIRONMENT = "<environment_details>\n# Current Time\n{}\n</environment_details>"
_HEADERS = {"content-type": "application/json", "anthropic-version": "2023-06-01", "authorization": "Bearer k"}


@dataclass(frozen=True, slots=True)
class Step:
    """What the assistant says and calls, the results, and what the user says behind them."""

    said: str
    thought: str = ""
    results: tuple[str, ...] = ()
    follow: str = ""
    picture: bool = False
    counts_anew: bool = False


_WORDS = st.sampled_from(["def parse(x): return x ", "the file src/app.py fails ", "窗口太小了", "é", "0"])
_TEXTS = st.builds(lambda word, times: word * times, _WORDS, st.sampled_from([1, 3, 40, 400]))
_STEPS = st.builds(
    Step,
    said=st.sampled_from(["", "I look."]) | _TEXTS,
    thought=st.sampled_from(["", "Hm."]),
    results=st.lists(_TEXTS, max_size=3).map(tuple),
    follow=st.sampled_from(["", "Go on."]) | _TEXTS,
    picture=st.sampled_from([False, False, False, True]),
    counts_anew=st.booleans(),
)
SCRIPTS = st.lists(_STEPS, min_size=2, max_size=14).map(tuple)


def _call_ids(step: Step, number: int) -> list[str]:
    return [f"call_{place}" if step.counts_anew else f"call_{number}_{place}" for place in range(len(step.results))]


def anthropic_body(steps: tuple[Step, ...]) -> Wire:
    messages: list[Wire] = [{"role": "user", "content": "Build a parser."}]
    for number, step in enumerate(steps):
        ids = _call_ids(step, number)
        said: list[Wire] = []
        if step.thought:
            said.append({"type": "thinking", "thinking": step.thought, "signature": "s"})
        said.append({"type": "text", "text": step.said or "…"})
        said += [{"type": "tool_use", "id": one, "name": "read", "input": {"path": one}} for one in ids]
        heard: list[Wire] = [
            {"type": "tool_result", "tool_use_id": one, "content": text}
            for one, text in zip(ids, step.results, strict=True)
        ]
        if step.follow or not ids:
            heard.append({"type": "text", "text": step.follow or "And?", "cache_control": {"type": "ephemeral"}})
            heard.append({"type": "text", "text": _ENVIRONMENT.format(number)})
        if step.picture:
            heard.append({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}})
        messages += [{"role": "assistant", "content": said}, {"role": "user", "content": heard}]
    tools = [{"name": "read", "description": "Reads.", "input_schema": {"type": "object", "properties": {}}}]
    return {"model": "m", "max_tokens": 99, "system": "Be good.", "messages": messages, "tools": tools}


def openai_body(steps: tuple[Step, ...]) -> Wire:
    messages: list[Wire] = [{"role": "system", "content": "Be good."}, {"role": "user", "content": "Build a parser."}]
    for number, step in enumerate(steps):
        ids = _call_ids(step, number)
        said: Wire = {"role": "assistant", "content": step.said or "…"}
        if step.thought:
            said["reasoning_content"] = step.thought
        if ids:
            said["tool_calls"] = [
                {"id": one, "type": "function", "function": {"name": "read", "arguments": json.dumps({"path": one})}}
                for one in ids
            ]
        messages.append(said)
        pairs = zip(ids, step.results, strict=True)
        messages += [{"role": "tool", "tool_call_id": one, "content": text} for one, text in pairs]
        messages += _openai_follow(step, number, has_results=bool(ids))
    function = {"name": "read", "description": "Reads.", "parameters": {"type": "object", "properties": {}}}
    return {"model": "m", "messages": messages, "tools": [{"type": "function", "function": function}]}


def _openai_follow(step: Step, number: int, *, has_results: bool) -> list[Wire]:
    if has_results and not step.follow and not step.picture:
        return []
    words = step.follow or "And?"
    if not step.picture:
        return [{"role": "user", "content": f"{words}\n{_ENVIRONMENT.format(number)}"}]
    picture = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}}
    return [{"role": "user", "content": [{"type": "text", "text": words}, picture]}]


BODIES = {"anthropic": anthropic_body, "openai": openai_body}


def read(dialect: str, steps: tuple[Step, ...]) -> Conversation:
    return DIALECTS[dialect].read_request(BODIES[dialect](steps))


def written(conversation: Conversation, upstream: str) -> Wire:
    model = "glm-4.6v" if upstream == "openai" else "glm-4.6"
    return DIALECTS[upstream].write_request(conversation, Target(model, model_facts(model))).body


def broken(conversation: Conversation, upstream: str) -> list[str]:
    """Rules that the upstream would find broken; pictures are not sent to where nobody sees."""
    found = broken_rules(upstream, json.loads(json.dumps(written(conversation, upstream))), _HEADERS)
    return [rule for rule in found if not rule.startswith("[picture]")]


SUMMARY = "\n".join(
    f"## {heading}\n- something that is worth to be kept, such as src/app.py"
    for heading in ("User's wishes", "Decisions", "Files", "Facts", "Errors", "Done", "Open tasks")
)
