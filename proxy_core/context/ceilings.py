"""How long a conversation may get before its oldest turns are summarised.

A model's working ceiling is lower than its window: beyond it prompts go wrong although they fit, and cost more with
every turn. Where none is known, it is half of the real window but no less than was seen to go well, and never nearly
all of a small one; the settings have a say in what the real window is (the vision model's is smaller). The reply shares
the window with the prompt, so room is left for it, but never more than a share: clients ask for a model's longest reply
as a matter of course and hardly ever get one.

Three levels, as shares of what is critical:

    WARNING    a summary is prepared while nobody waits, and used from the next turn on
    CRITICAL   the request waits for the summary
    EMERGENCY  the prompt does not fit into the window: waiting longer is better than a sure refusal

A summary brings the conversation down to TARGET_SHARE, far below the warning: a second summary soon after the first
costs the upstream's cache twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from proxy_core.facts import ModelFacts
from proxy_core.settings import ProxySettings

TARGET_SHARE = 0.4
_WARNING_SHARE = 0.9
_WINDOW_SHARE = 0.85
_SOUND_SHARE = 0.5
_SOUND_TOKENS = 100_000
"""From half of a window of 200,000 on, GLM models were seen to repeat themselves (zai-org/GLM-5 issue 42)."""
_MOST_REPLY_SHARE = 0.25


class Level(IntEnum):
    """How near a prompt is to the ceiling."""

    CALM = 0
    WARNING = 1
    CRITICAL = 2
    EMERGENCY = 3


@dataclass(frozen=True, slots=True)
class Ceiling:
    """One model's limits for one request, in tokens of the prompt.

    working_tokens: the model's own, whatever reply is asked for; summaries are kept with it. critical_tokens: the
    same with room for the reply.
    """

    working_tokens: int
    critical_tokens: int
    window_tokens: int

    @property
    def warning_tokens(self) -> int:
        """From here on a summary is prepared."""
        return int(self.critical_tokens * _WARNING_SHARE)

    @property
    def target_tokens(self) -> int:
        """What a summary brings the conversation down to, where its newest turns allow it."""
        return int(self.critical_tokens * TARGET_SHARE)

    def lowered_to(self, prompt_tokens: int) -> Ceiling:
        """The limits where a prompt of this size was refused as too long, whatever was believed before."""
        return Ceiling(self.working_tokens, min(self.critical_tokens, prompt_tokens), self.window_tokens)

    def level(self, prompt_tokens: int) -> Level:
        """How near a prompt of this size is."""
        if prompt_tokens >= self.window_tokens:
            return Level.EMERGENCY
        if prompt_tokens >= self.critical_tokens:
            return Level.CRITICAL
        return Level.WARNING if prompt_tokens >= self.warning_tokens else Level.CALM


def window_of(facts: ModelFacts, settings: ProxySettings) -> int:
    """The real window of a model in tokens. The settings speak of the two models that they name, and never of more
    than those can take; of all others the catalogue knows more."""
    model = facts.id.lower()
    if model == settings.autotext_model.lower():
        return min(facts.window_tokens, settings.real_text_model_tokens)
    if model == settings.autovision_model.lower():
        return min(facts.window_tokens, settings.real_vision_model_tokens)
    return facts.window_tokens


def ceiling_of(facts: ModelFacts, settings: ProxySettings, reply_tokens: int | None) -> Ceiling:
    """The limits of one request. reply_tokens: the longest reply that the client asks for; None: it does not say."""
    window = window_of(facts, settings)
    assumed = max(int(window * _SOUND_SHARE), _SOUND_TOKENS)
    working = min(int(window * _WINDOW_SHARE), facts.working_ceiling_tokens or assumed)
    reply = min(reply_tokens or 0, facts.max_output_tokens, int(window * _MOST_REPLY_SHARE))
    return Ceiling(working, min(working, window - reply), window)
