"""The shape of what we know about models and upstreams; the facts themselves are data elsewhere.

Rows live in `routing/catalogue.py`; request writers receive them and never look at a model's name.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, TypeAlias

ThinkingKind: TypeAlias = Literal["none", "toggle", "always"]
"""none: the model cannot think; toggle: it can be switched per request; always: it cannot be switched off."""

Modality: TypeAlias = Literal["text", "image", "video", "file"]
"""What may stand in a prompt."""
Currency: TypeAlias = Literal["USD", "CNY"]


@dataclass(frozen=True, slots=True)
class PriceTier:
    """List prices of a million tokens, of requests below both bounds (exclusive, in tokens; None: no bound).

    cached None: the list names no price for cached input.
    """

    input: Decimal
    cached: Decimal | None
    output: Decimal
    prompt_below: int | None = None
    output_below: int | None = None

    def covers(self, prompt_tokens: int, output_tokens: int) -> bool:
        """Whether a request of this size is within the bounds."""
        is_short = self.prompt_below is None or prompt_tokens < self.prompt_below
        return is_short and (self.output_below is None or output_tokens < self.output_below)


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """One model. Windows and limits in tokens.

    efforts: the reasoning_effort levels the upstream accepts for it, weakest first; empty: the field is not
    understood. inline_tags: `<think>` and box marks stand in the visible text. modalities: of the
    prompt. usd, cny: list prices of z.ai and of bigmodel.cn, the first tier that covers a request counts; empty: not
    known. working_ceiling_tokens: prompts beyond it are known to go wrong although they fit; None: nothing known.
    """

    id: str
    window_tokens: int = 200_000
    max_output_tokens: int = 131_072
    modalities: tuple[Modality, ...] = ("text",)
    thinking: ThinkingKind = "toggle"
    efforts: tuple[str, ...] = ()
    released: str = ""
    inline_tags: bool = False
    usd: tuple[PriceTier, ...] = ()
    cny: tuple[PriceTier, ...] = ()
    working_ceiling_tokens: int | None = None

    @property
    def sees(self) -> bool:
        """Whether pictures are understood."""
        return "image" in self.modalities


@dataclass(frozen=True, slots=True)
class UpstreamQuirks:
    """What the upstream is said to take, where the sources are unsure: switches, never code.

    Defaults are the documented GLM ones (docs.z.ai OpenAPI, spring 2026).
    stop_limit: how many stop sequences the OpenAI-style side takes.
    tool_choice_auto_only: it documents no other tool_choice than "auto".
    json_schema: it takes a schema for JSON output: response_format json_schema, output_config.format.
    tool_stream: ask for streamed tool arguments (else they arrive in one piece, after minutes).
    empty_thinking_signature: replayed thinking may go out with signature "" on the Anthropic-style side.
    system_turns: messages may have role system on the Anthropic-style side (zai-org/GLM-5 issue 74: some answer 422).
    prefill: the OpenAI-style side goes on with an assistant message at the end as if it had written it itself.
    """

    stop_limit: int = 1
    tool_choice_auto_only: bool = True
    json_schema: bool = False
    tool_stream: bool = True
    empty_thinking_signature: bool = True
    system_turns: bool = True
    prefill: bool = False
    max_temperature: float = 1.0
