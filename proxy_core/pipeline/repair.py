"""What can be changed in a request that the upstream refused, so that it is taken: the table of repairs (D.7).

A repair looks at the refusal and at what was asked and gives what to ask instead. One that changes nothing in what is
sent counts as none, so that a row need not know what the writers do anyway.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeAlias

import orjson

from proxy_core.chat import ThinkingRequest
from proxy_core.errors import UpstreamError
from proxy_core.pipeline.attempt import Ask
from proxy_core.routing.route import find_sight, route_to_vision
from proxy_core.settings import ProxySettings
from proxy_core.upstream_codes import ErrorClass

Repair: TypeAlias = Callable[[UpstreamError, Ask, ProxySettings], Ask | None]
"""(refusal, what was asked, settings) → what to ask instead, or None where it knows no remedy. Raises nothing."""

_MAX_SAID_CHARS = 4000
_LEAST_CAP_TOKENS = 256
"""A smaller figure in a message about max_tokens is no limit of a model but its other end, or a place in a list."""
_LOW_HIGH_MAX = ("low", "high", "max")

_ROLE = re.compile(r"\brole\b|[\"'`]system[\"'`]|\bmessages\b.{0,30}(?:illegal|invalid|非法)|角色", re.IGNORECASE)
_ALWAYS_THINKS = re.compile(
    r"always engages in thinking|thinking.{0,40}(?:cannot|can't|can not) be (?:disabled|turned off)"
    r"|思考.{0,20}(?:无法|不能|不支持)(?:关闭|禁用)",
    re.IGNORECASE,
)
_PICTURE = re.compile(r"image|picture|vision|multi-?modal|content\.type|图片|图像|多模态", re.IGNORECASE)
_NOT_TAKEN = re.compile(
    r"not? .{0,20}(?:support|accept|allow)|unsupported|only|\['text'\]|image.to.text|不支持|仅|非法", re.IGNORECASE
)
_MAX_TOKENS = re.compile(r"max[_ ](?:completion[_ ]|output[_ ])?tokens", re.IGNORECASE)
_FIGURE = re.compile(r"(?<![\w.])(?:\d{1,3}(?:,\d{3})+(?!\w)|\d+(?!\w))")
_UNEXPLAINED = re.compile(r"^(?:API )?(?:call )?parameter error|^(?:API )?调用参数有误", re.IGNORECASE)


def _said(error: UpstreamError) -> str:
    """All that the refusal says; some servers say it in a list of details only (FastAPI's 422)."""
    details = (error.body or {}).get("detail")
    listed = orjson.dumps(details).decode() if isinstance(details, list) else ""
    return f"{error.message} {listed}"[:_MAX_SAID_CHARS]


def fold_system_turns(error: UpstreamError, ask: Ask, _settings: ProxySettings) -> Ask | None:
    """System messages among the others go as reminders of the user, for a server that knows two roles only."""
    has_turns = any(message.role == "system" for message in ask.conversation.messages)
    if not has_turns or _ROLE.search(_said(error)) is None:
        return None
    return replace(ask, route=replace(ask.route, quirks=replace(ask.route.quirks, system_turns=False)))


def think_little(error: UpstreamError, ask: Ask, _settings: ProxySettings) -> Ask | None:
    """The least effort, for a model that cannot be told not to think (protocols D.5)."""
    if _ALWAYS_THINKS.search(_said(error)) is None:
        return None
    facts = replace(ask.route.facts, thinking="always", efforts=ask.route.facts.efforts or _LOW_HIGH_MAX)
    conversation = replace(ask.conversation, thinking=ThinkingRequest(enabled=False))
    return replace(ask, conversation=conversation, route=replace(ask.route, facts=facts))


def clamp_max_tokens(error: UpstreamError, ask: Ask, _settings: ProxySettings) -> Ask | None:
    """max_tokens within the range that the refusal names: its largest figure below what was asked."""
    said = _said(error)
    place = _MAX_TOKENS.search(said)
    if place is None or error.error_class is ErrorClass.TOO_LONG:
        return None
    facts = ask.route.facts
    sent = min(ask.conversation.sampling.max_tokens or facts.max_output_tokens, facts.max_output_tokens)
    figures = [int(figure.replace(",", "")) for figure in _FIGURE.findall(said, place.end())]
    caps = [figure for figure in figures if _LEAST_CAP_TOKENS <= figure < sent]
    return replace(ask, route=replace(ask.route, facts=replace(facts, max_output_tokens=max(caps)))) if caps else None


def drop_max_tokens(error: UpstreamError, ask: Ask, _settings: ProxySettings) -> Ask | None:
    """No max_tokens beside a picture: some multimodal models refuse it, and do not say why (protocols A.3)."""
    said = _said(error)
    is_meant = _MAX_TOKENS.search(said) is not None or _UNEXPLAINED.search(said) is not None
    if not is_meant or error.error_class is ErrorClass.TOO_LONG or not find_sight(ask.conversation):
        return None
    conversation = ask.conversation
    raw = {name: value for name, value in conversation.raw.items() if _MAX_TOKENS.fullmatch(name) is None}
    sampling = replace(conversation.sampling, max_tokens=None)
    return replace(ask, conversation=replace(conversation, sampling=sampling, raw=raw))


def show_to_vision_model(error: UpstreamError, ask: Ask, settings: ProxySettings) -> Ask | None:
    """The vision model, for a picture that a model of text was given."""
    said = _said(error)
    is_refused = _PICTURE.search(said) is not None and _NOT_TAKEN.search(said) is not None
    if not is_refused and _UNEXPLAINED.search(said) is None:
        return None
    route = route_to_vision(ask.conversation, settings, ask.route)
    return None if route is None else replace(ask, route=route)


REPAIRS: Mapping[str, Repair] = {
    "system": fold_system_turns,
    "thinking": think_little,
    "max_tokens": clamp_max_tokens,
    "no_max_tokens": drop_max_tokens,
    "picture": show_to_vision_model,
}
"""Under the names that clients are told (x-proxy-repaired), in the order in which they are tried. What takes time is
no row here but a `repairing.FurtherRepair`."""


def is_of_the_request(error: UpstreamError) -> bool:
    """Whether it is the request itself that was refused, rather than the key, the model's name or what is said."""
    if error.error_class is ErrorClass.TOO_LONG:
        return True
    return error.status in (400, 422) and error.error_class in (None, ErrorClass.BAD_REQUEST)
