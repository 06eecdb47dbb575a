"""The shape of what we know about models and upstreams; the facts themselves are data elsewhere.

Rows live in `routing/catalogue.py`; request writers receive them and never look at a model's name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

ThinkingKind: TypeAlias = Literal["none", "toggle", "always"]
"""none: the model cannot think; toggle: it can be switched per request; always: it cannot be switched off."""


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """One model. Windows and limits in tokens.

    efforts: the reasoning_effort levels the upstream accepts for it, weakest first; empty: the field is not
    understood. sees: pictures are understood.
    """

    id: str
    window_tokens: int = 200_000
    max_output_tokens: int = 131_072
    sees: bool = False
    thinking: ThinkingKind = "toggle"
    efforts: tuple[str, ...] = ()
    released: str = ""


@dataclass(frozen=True, slots=True)
class UpstreamQuirks:
    """What the upstream is said to take, where the sources are unsure: switches, never code.

    Defaults are the documented GLM ones (docs.z.ai OpenAPI, spring 2026).
    stop_limit: how many stop sequences the OpenAI-style side takes.
    tool_choice_auto_only: it documents no other tool_choice than "auto".
    tool_stream: ask for streamed tool arguments (else they arrive in one piece, after minutes).
    empty_thinking_signature: replayed thinking may go out with signature "" on the Anthropic-style side.
    """

    stop_limit: int = 1
    tool_choice_auto_only: bool = True
    tool_stream: bool = True
    empty_thinking_signature: bool = True
    max_temperature: float = 1.0
