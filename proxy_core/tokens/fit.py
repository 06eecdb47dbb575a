"""What is known of one model: how its own figures differ from our estimates.

One factor a content class, and a few tokens that each prompt costs beyond its words. A Kalman
filter: it starts at 1 with a doubt, takes less from each report the more it has seen, doubts anew only classes that it
sees, and keeps what it knows of the others. Reports far from what was expected (usage without its cached part,
a prompt cut somewhere on the way) pull the less the farther they are, until they become the rule.

Figures are relative: a report is (reported / estimated), a prompt the shares of its classes. So long prompts do not
drown short ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

from proxy_core.jsontypes import JsonObject
from proxy_core.tokens.content import ContentClass, Estimate

LEAST_RATIO, MOST_RATIO = 0.5, 2.0
_CLASSES = tuple(ContentClass)
_SIZE = len(_CLASSES) + 1
_OVERHEAD_UNIT = 50.0
"""Tokens beyond the words are counted in these, so that they are of the size of a ratio."""
_MOST_OVERHEAD = 10.0
_PRIOR = (1.0,) * len(_CLASSES) + (0.0,)
_DOUBT = (0.3**2,) * len(_CLASSES) + (1.0**2,)
"""Variances at the start."""
_LEAST_DOUBT = 1e-9
_DRIFT = 1e-4
_FIRST_NOISE, _LEAST_NOISE, _MOST_NOISE = 0.1, 0.003, 0.3
_NOISE_GROWS, _NOISE_SHRINKS = 1.15, 0.9
"""A report beside the expected by more than the noise raises it, others lower it: it settles near the median."""
_ASTRAY = 2.0
_LONGEST_STREAK = 5
"""So many reports in a row, each more than so many times too far and all to one side, are the rule."""
_ROUNDING_TOKENS = 2.0
_WIDEST = 1.0
_MOST_SAMPLES = 10**12
_FAR = 1.5
"""Standard deviations from which on a report pulls less."""
_SEEN_SHARE = 0.05
"""A request tells something of a class that has at least this share of it."""


class Fit:
    """The filter. factors: by class, then the overhead; doubt: their covariance."""

    def __init__(self) -> None:
        self.factors = list(_PRIOR)
        self.doubt = _full_doubt()
        self.noise = _FIRST_NOISE
        self.samples = 0
        self.seen = dict.fromkeys(_CLASSES, 0)
        self._streak = 0

    def expect(self, estimate: Estimate) -> float:
        """The prompt's tokens by this model's count."""
        return estimate.total * _product(self.factors, _features(estimate))

    def learn(self, estimate: Estimate, prompt_tokens: int) -> None:
        """One more report."""
        features = _features(estimate)
        reported = prompt_tokens / estimate.total
        surprise = reported - _product(self.factors, features)
        leanings = [_product(row, features) for row in self.doubt]
        variance = max(_product(leanings, features), 0.0) + self.noise**2 + (_ROUNDING_TOKENS / estimate.total) ** 2
        distance = abs(surprise) / (_FAR * sqrt(variance))
        self._streak = _longer(self._streak, surprise) if distance > _ASTRAY else 0
        if abs(self._streak) >= _LONGEST_STREAK:  # no outliers any more: the model's counting has changed
            self.doubt, self._streak = _full_doubt(), 0
        elif distance > 1.0:
            variance *= 1.0 + distance**2
        self._move(leanings, surprise / variance)
        self._settle(leanings, variance, features)
        self._hear_noise(abs(reported - _product(self.factors, features)))
        self.samples += 1
        for content, share in zip(_CLASSES, features, strict=False):
            self.seen[content] += share >= _SEEN_SHARE

    def _move(self, leanings: Sequence[float], pull: float) -> None:
        moved = [factor + leaning * pull for factor, leaning in zip(self.factors, leanings, strict=True)]
        ratios = [min(max(ratio, LEAST_RATIO), MOST_RATIO) for ratio in moved[:-1]]
        self.factors = [*ratios, min(max(moved[-1], 0.0), _MOST_OVERHEAD)]

    def _settle(self, leanings: Sequence[float], variance: float, features: Sequence[float]) -> None:
        for row in range(_SIZE):
            for column in range(_SIZE):
                self.doubt[row][column] -= leanings[row] * leanings[column] / variance
            doubt = max(self.doubt[row][row], _LEAST_DOUBT)
            self.doubt[row][row] = min(doubt + _DRIFT * features[row] ** 2, max(doubt, _DOUBT[row]))

    def _hear_noise(self, miss: float) -> None:
        noise = self.noise * (_NOISE_GROWS if miss > self.noise else _NOISE_SHRINKS)
        self.noise = min(max(noise, _LEAST_NOISE), _MOST_NOISE)

    def to_json(self) -> JsonObject:
        """Everything, as `from_json` takes it."""
        seen = {content.value: count for content, count in self.seen.items()}
        state: JsonObject = {"factors": self.factors, "doubt": self.doubt, "noise": self.noise}
        return {**state, "samples": self.samples, "seen": seen}

    @classmethod
    def from_json(cls, value: object) -> Fit:
        """What `to_json` gave. Raises ValueError for anything else."""
        state, fit = as_object(value), cls()
        *ratios, overhead = _row(state.get("factors"))
        fit.factors = [
            *(_number(ratio, LEAST_RATIO, MOST_RATIO) for ratio in ratios),
            _number(overhead, 0.0, _MOST_OVERHEAD),
        ]
        fit.doubt = [_doubts(row, place) for place, row in enumerate(_row(state.get("doubt")))]
        fit.noise = _number(state.get("noise"), _LEAST_NOISE, _MOST_NOISE)
        fit.samples = _count(state.get("samples"))
        seen = as_object(state.get("seen"))
        fit.seen = {content: _count(seen.get(content.value)) for content in _CLASSES}
        return fit


def _full_doubt() -> list[list[float]]:
    return [[_DOUBT[row] if row == column else 0.0 for column in range(_SIZE)] for row in range(_SIZE)]


def _longer(streak: int, surprise: float) -> int:
    """Reports too high in a row count upwards, too low ones downwards."""
    return max(streak, 0) + 1 if surprise > 0 else min(streak, 0) - 1


def _product(left: Sequence[float], right: Sequence[float]) -> float:
    return sum(one * other for one, other in zip(left, right, strict=True))


def _features(estimate: Estimate) -> list[float]:
    shares = [estimate.by_class.get(content, 0) / estimate.total for content in _CLASSES]
    return [*shares, _OVERHEAD_UNIT / estimate.total]


def as_object(value: object) -> dict[str, object]:
    """A JSON object. Raises ValueError."""
    if not isinstance(value, dict):
        raise ValueError("not an object")
    return value


def _row(value: object) -> list[object]:
    if not isinstance(value, list) or len(value) != _SIZE:
        raise ValueError("not a row of the right length")
    return value


def _doubts(value: object, place: int) -> list[float]:
    """A row of the covariance; its own variance stands at its place."""
    row = [_number(item, -_WIDEST, _WIDEST) for item in _row(value)]
    _number(row[place], 0.0, _DOUBT[place] * (1.0 + _LEAST_DOUBT))
    return row


def _number(value: object, least: float, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value <= most:
        raise ValueError("not a number within the bounds")
    return float(value)


def _count(value: object) -> int:
    return int(_number(value, 0, _MOST_SAMPLES))
