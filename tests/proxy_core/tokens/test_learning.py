"""Models that count otherwise than we do are learned: made-up ones, with a ratio a class, noise and accidents."""

from __future__ import annotations

import random
import statistics
from collections.abc import Callable

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy_core.tokens.content import ContentClass, Estimate
from proxy_core.tokens.learning import MOST_MODELS, RatioBook

PROSE = Estimate(dict.fromkeys(ContentClass, 0) | {ContentClass.PROSE: 1_000})
MIXED = Estimate(dict(zip(ContentClass, (4_000, 9_000, 3_000, 500, 1_000), strict=True)))


class Model:
    """Counts every class by its own ratio. noise: relative; beside: tokens around each prompt."""

    def __init__(self, rng: random.Random, noise: float = 0.01, beside: int = 0) -> None:
        self.ratios = {content: rng.uniform(0.75, 1.4) for content in ContentClass}
        self.rng, self.noise, self.beside = rng, noise, beside

    def truth(self, estimate: Estimate) -> float:
        return self.beside + sum(tokens * self.ratios[content] for content, tokens in estimate.by_class.items())

    def report(self, estimate: Estimate) -> int:
        return round(self.truth(estimate) * self.rng.gauss(1.0, self.noise))


def single_prompts(rng: random.Random, count: int) -> list[Estimate]:
    """From 300 to 100,000 tokens, of anything; half of them without pictures, half without CJK."""
    found = []
    for _ in range(count):
        weights = [rng.random() ** 2 * (place < 3 or rng.random() < 0.5) + 1e-9 for place in range(5)]
        scale = 10 ** rng.uniform(2.5, 5) / sum(weights)
        figures = [round(weight * scale) for weight in weights]
        found.append(Estimate(dict(zip(ContentClass, figures, strict=True))))
    return found


def sessions(rng: random.Random, count: int) -> list[Estimate]:
    """Agents at work: sessions of five turns, each growing by code, calls, a few words and seldom a picture."""
    found: list[Estimate] = []
    figures: list[int] = []
    for turn in range(count):
        if turn % 5 == 0:
            figures = [rng.randint(500, 9_000), rng.randint(0, 20_000), rng.randint(2_000, 15_000), 0, 0]
        found.append(Estimate(dict(zip(ContentClass, figures, strict=True))))
        grown = (rng.randint(20, 400), rng.randint(0, 5_000), rng.randint(30, 600), rng.choice((0, 0, 400)))
        figures = [now + more for now, more in zip(figures, (*grown, rng.choice((0, 0, 0, 2_700))), strict=True)]
    return found


def median_error(book: RatioBook, model: Model, unseen: list[Estimate]) -> float:
    return statistics.median(abs(book.apply("m", one) / model.truth(one) - 1) for one in unseen)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("prompts", [single_prompts, sessions])
@pytest.mark.parametrize(("accidents", "beside"), [(0.0, 0), (0.1, 0), (0.0, 150)])
def test_after_thirty_requests_unseen_prompts_are_counted_well(
    seed: int, prompts: Callable[[random.Random, int], list[Estimate]], accidents: float, beside: int
) -> None:
    rng, book = random.Random(seed), RatioBook()
    model = Model(rng, noise=0.02, beside=beside)
    for estimate in prompts(rng, 30):
        reported = model.report(estimate)
        if rng.random() < accidents:  # without the cached part, or cut on the way
            reported = round(reported * rng.choice((0.05, 0.5, 0.7, 0.85)))
        book.observe("m", estimate, reported)
    unseen = prompts(rng, 100)
    assert median_error(book, model, unseen) <= 0.03 < median_error(RatioBook(), model, unseen)


@pytest.mark.parametrize("to", [0.7, 1.4])
def test_a_model_that_counts_otherwise_one_day_is_learned_anew(to: float) -> None:
    rng, book = random.Random(1), RatioBook()
    for estimate in single_prompts(rng, 300):
        book.observe("m", estimate, round(estimate.total * rng.gauss(1.0, 0.01)))
    for estimate in single_prompts(rng, 20):
        book.observe("m", estimate, round(estimate.total * rng.gauss(to, 0.01)))
    assert book.apply("m", MIXED) == pytest.approx(MIXED.total * to, rel=0.03)


def test_one_accident_after_many_requests_changes_little() -> None:
    book = RatioBook()
    for _ in range(30):
        book.observe("m", MIXED, 19_000)
    before = book.apply("m", MIXED)
    assert book.observe("m", MIXED, 9_000)
    assert book.apply("m", MIXED) == pytest.approx(before, rel=0.005)


def test_what_is_known_of_a_class_stays_while_others_are_seen() -> None:
    rng, book = random.Random(2), RatioBook()
    model = Model(rng)
    for estimate in single_prompts(rng, 40):
        book.observe("m", estimate, model.report(estimate))
    for _ in range(500):
        book.observe("m", PROSE, model.report(PROSE))
    pictures = Estimate({ContentClass.PICTURES: 5_000})
    assert book.apply("m", pictures) == pytest.approx(model.truth(pictures), rel=0.05)


@pytest.mark.parametrize(
    ("model", "reported", "learned"),
    [
        ("m", 1_000, True),
        ("m", 399, False),
        ("m", 0, False),
        ("m", 3_000, True),
        ("m", 3_001, False),
        ("", 1_000, False),
    ],
)
def test_reports_that_cannot_be_of_this_prompt_are_left_out(model: str, reported: int, learned: bool) -> None:
    book = RatioBook()
    assert book.observe(model, PROSE, reported) is learned
    assert book.samples(model) == learned


def test_an_empty_estimate_teaches_nothing() -> None:
    assert not RatioBook().observe("m", Estimate({}), 0)
    assert RatioBook().apply("m", Estimate({})) == 0


@pytest.mark.parametrize(("reported", "told"), [(500, 500), (3_000, 2_000)])
def test_ratios_stay_within_bounds(reported: int, told: int) -> None:
    book = RatioBook()
    for _ in range(200):
        book.observe("m", PROSE, reported)
    [row] = book.rows()
    assert row.ratio == pytest.approx(told / 1_000, rel=0.1)
    assert 0.5 <= row.ratio <= 2.0


def test_models_and_guesses_are_learned_apart() -> None:
    book, guess = RatioBook(), Estimate(PROSE.by_class, is_guess=True)
    for _ in range(30):
        book.observe("GLM-4.6", PROSE, 1_200)
        book.observe("glm-4.6", guess, 800)
    assert book.apply("glm-4.6", PROSE) == pytest.approx(1_200, rel=0.02)
    assert book.apply("glm-4.6", guess) == pytest.approx(800, rel=0.02)
    assert book.apply("other", PROSE) == 1_000
    assert [(row.model, row.content, row.samples) for row in book.rows()] == [
        ("glm-4.6", ContentClass.PROSE, 30),
        ("glm-4.6 (by length)", ContentClass.PROSE, 30),
    ]
    assert book.samples("glm-4.6", is_guess=True) == 30


def test_rows_name_the_classes_that_were_seen() -> None:
    book = RatioBook()
    book.observe("m", MIXED, MIXED.total)
    book.observe("m", PROSE, PROSE.total)
    assert {row.content: row.samples for row in book.rows()} == {
        ContentClass.PROSE: 2,
        ContentClass.CODE: 1,
        ContentClass.JSON: 1,
        ContentClass.PICTURES: 1,
    }


def test_the_model_heard_of_longest_ago_is_forgotten() -> None:
    book = RatioBook()
    for name in ["first", "second", *map(str, range(MOST_MODELS - 2)), "first", "new"]:
        book.observe(name, PROSE, 1_000)
    assert [book.samples(name) for name in ("first", "second", "new")] == [2, 0, 1]


FIGURES = st.integers(0, 10**6)


@given(st.lists(st.tuples(st.tuples(FIGURES, FIGURES, FIGURES, FIGURES, FIGURES), st.floats(0.3, 3.0)), max_size=40))
def test_whatever_is_reported_the_book_holds_and_survives_a_restart(
    reports: list[tuple[tuple[int, ...], float]],
) -> None:
    book = RatioBook()
    for figures, ratio in reports:
        book.observe("m", Estimate(dict(zip(ContentClass, figures, strict=True))), round(sum(figures) * ratio))
    again = RatioBook.from_json(orjson.loads(orjson.dumps(book.to_json())))
    assert again.to_json() == book.to_json()
    assert again.rows() == book.rows()
    assert again.apply("m", MIXED) == book.apply("m", MIXED) > 0


def learned() -> dict[str, object]:
    book = RatioBook()
    book.observe("m", MIXED, 19_000)
    return book.to_json()


def damaged(**changes: object) -> dict[str, object]:
    fit = orjson.loads(orjson.dumps(learned()))["models"]["m"]
    return {"version": 1, "models": {"m": fit | changes}}


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        {"version": 1},
        {"version": 1, "models": {"m": 5}},
        damaged(factors=[1.0] * 5),
        damaged(factors=[1.0] * 5 + [None]),
        damaged(factors=[2.1] + [1.0] * 4 + [0.0]),
        damaged(doubt=[[0.0] * 6] * 5),
        damaged(doubt=[[-0.1] * 6] * 6),
        damaged(noise=0.0),
        damaged(noise=True),
        damaged(samples="3"),
        damaged(seen={}),
    ],
)
def test_a_damaged_book_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="not a"):
        RatioBook.from_json(value)


def test_a_book_of_another_version_is_begun_anew() -> None:
    assert RatioBook.from_json(learned() | {"version": 2}).rows() == ()
