"""Figures and lines as people read them."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest

from app.gui.words import ago, bytes_words, compact, money, rate, seconds, signed, stage_words, status_line
from app.i18n import set_language
from app.paths import resources
from proxy_core.facts import Currency
from proxy_core.ledger import Stage


@pytest.fixture
def chinese() -> Iterator[None]:
    set_language("zh_CN", resources() / "locale")
    yield
    set_language("en", resources() / "locale")


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0"), (950, "950"), (1_000, "1.0k"), (12_345, "12.3k"), (456_789, "457k"), (4_500_000, "4.5M"), (2e9, "2.0B")],
)
def test_counts_are_short(number: float, text: str) -> None:
    assert compact(number) == text


@pytest.mark.usefixtures("chinese")
@pytest.mark.parametrize(("number", "text"), [(9_999, "9999"), (12_345, "1.2万"), (250_000_000, "2.5亿")])
def test_counts_are_short_in_chinese(number: float, text: str) -> None:
    assert compact(number) == text


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0"), (0.25, "0.2"), (6, "6"), (9.94, "9.9"), (9.96, "10"), (12, "12"), (1500, "1.5k")]
)
def test_rates(number: float, text: str) -> None:
    assert rate(number) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "–"), (0.0851, "85 ms"), (0.9999, "1.0 s"), (1.42, "1.4 s"), (59.97, "1 min 00 s"), (125, "2 min 05 s")],
)
def test_time_spans(value: float | None, text: str) -> None:
    assert seconds(value) == text


@pytest.mark.parametrize(
    ("address", "paused", "line"),
    [
        ("127.0.0.1:5000", False, "127.0.0.1:5000 · cn · 2 in flight"),
        ("127.0.0.1:5000", True, "127.0.0.1:5000 · cn · paused"),
        ("", False, "Not listening"),
    ],
)
def test_the_status_line(address: str, paused: bool, line: str) -> None:
    assert status_line(address, "cn", 2, paused=paused) == line


@pytest.mark.parametrize(
    ("age_s", "text"),
    [
        (-1, "just now"),
        (59, "just now"),
        (60, "1 min ago"),
        (3_600, "1 h ago"),
        (86_399, "23 h ago"),
        (9e5, "10 d ago"),
    ],
)
def test_ages(age_s: float, text: str) -> None:
    assert ago(age_s) == text


@pytest.mark.parametrize(("count", "text"), [(0, "0 B"), (1_536, "1.5 KiB"), (200 * 2**20, "200 MiB")])
def test_sizes(count: int, text: str) -> None:
    assert bytes_words(count) == text


@pytest.mark.parametrize(("tokens", "text"), [(0, "0"), (12_345, "12.3k"), (-12_345, "−12.3k")])
def test_savings(tokens: int, text: str) -> None:
    assert signed(tokens) == text


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [("0", "USD", "$0.00"), ("12.346", "USD", "$12.35"), ("0.0123", "CNY", "¥0.0123"), ("-0.5", "USD", "−$0.50")],
)
def test_amounts(amount: str, currency: Currency, text: str) -> None:
    assert money(Decimal(amount), currency) == text


def test_every_stage_has_its_words() -> None:
    assert len({stage_words(stage) for stage in Stage}) == len(Stage)
