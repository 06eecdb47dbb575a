"""The counting bench measures what it says: prompts of the size asked for, that grow by a turn, over a real door."""

from __future__ import annotations

import pytest

from tests.bench.counting import body, count_times, door_times, longest_pause_ms, read


@pytest.mark.parametrize("size", [10_000, 200_000])
def test_prompts_are_of_their_size_and_grow_by_one_turn(size: int) -> None:
    assert size <= len(body(size)) < size + 10_000
    plain, grown = read(body(size)).messages, read(body(size, 1)).messages
    assert grown[: len(plain)] == plain
    assert len(grown) == len(plain) + 2


async def test_everything_is_measured() -> None:
    figures = [*await count_times(len, 10_000, 1), *await door_times(len, 10_000, 1), await longest_pause_ms(len, 0, 1)]
    assert len(figures) == 6
    assert min(figures) > 0
