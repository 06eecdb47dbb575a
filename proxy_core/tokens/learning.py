"""What was learned of all models, and estimates made better by it."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from proxy_core.jsontypes import JsonObject
from proxy_core.tokens.content import ContentClass, Estimate
from proxy_core.tokens.fit import Fit, as_object

MOST_MODELS = 64
_VERSION = 1
"""Of what an estimate counts: ratios to other estimates are of no use."""
_LEAST_REPORT, _MOST_REPORT = 0.4, 2.5
"""A report beyond these times the estimate is of something else than this prompt."""
_MOST_BESIDE = 500
"""Tokens that an upstream may put around a short prompt."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """Reported tokens by estimated ones, of one class at one model. samples: requests that had enough of the class."""

    model: str
    content: ContentClass
    ratio: float
    samples: int


class RatioBook:
    """Learns from usage. Guesses by length are learned apart, under the model's name with " (by length)".

    Not for several threads at once.
    """

    def __init__(self) -> None:
        self._fits: dict[str, Fit] = {}

    def observe(self, model: str, estimate: Estimate, prompt_tokens: int) -> bool:
        """An answered request: the estimate of what was really sent, and the whole prompt as reported, cache included.

        Returns whether anything was learned: a report that cannot be of this prompt is left out.
        """
        total = estimate.total
        if not model or total <= 0 or prompt_tokens < _LEAST_REPORT * total:
            return False
        if prompt_tokens > _MOST_REPORT * total + _MOST_BESIDE:
            return False
        key = _key(model, estimate)
        fit = self._fits.pop(key, None) or Fit()
        fit.learn(estimate, prompt_tokens)
        self._fits[key] = fit  # at the end: the model heard of longest ago stands first
        if len(self._fits) > MOST_MODELS:
            del self._fits[next(iter(self._fits))]
        return True

    def adopt(self, other: RatioBook) -> bool:
        """Take over what another book knows better, of each model the one with more samples; whether any was."""
        better = {model: fit for model, fit in other._fits.items() if fit.samples > self._samples(model)}
        for model, fit in better.items():
            if model in self._fits or len(self._fits) < MOST_MODELS:
                self._fits[model] = fit
        return bool(better)

    def apply(self, model: str, estimate: Estimate) -> int:
        """The prompt's tokens by this model's count, rounded up; the plain sum where nothing was learned yet."""
        fit = self._fits.get(_key(model, estimate))
        if fit is None or estimate.total <= 0:
            return estimate.total
        return ceil(fit.expect(estimate))

    def samples(self, model: str, *, is_guess: bool = False) -> int:
        """How many requests were learned from."""
        return self._samples(_key(model, Estimate({}, is_guess)))

    def _samples(self, key: str) -> int:
        fit = self._fits.get(key)
        return fit.samples if fit else 0

    def rows(self) -> tuple[Ratio, ...]:
        """All there is to show, by model and class; without classes of which nothing was seen."""
        return tuple(
            Ratio(model, content, ratio, fit.seen[content])
            for model, fit in sorted(self._fits.items())
            for content, ratio in zip(ContentClass, fit.factors, strict=False)
            if fit.seen[content]
        )

    def to_json(self) -> JsonObject:
        """Everything, as `from_json` takes it."""
        return {"version": _VERSION, "models": {model: fit.to_json() for model, fit in self._fits.items()}}

    @classmethod
    def from_json(cls, value: object) -> RatioBook:
        """What `to_json` gave; of another version nothing. Raises ValueError for anything else."""
        state, book = as_object(value), cls()
        if state.get("version") == _VERSION:
            kept = list(as_object(state.get("models")).items())[-MOST_MODELS:]
            book._fits = {model: Fit.from_json(fit) for model, fit in kept}
        return book


def _key(model: str, estimate: Estimate) -> str:
    return f"{model.lower()} (by length)" if estimate.is_guess else model.lower()
