"""Which kind of content a text is taken for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy_core.tokens.content import PLACE_DECIDES, ContentClass, Estimate, classify, is_cjk_heavy

CODE_LINE = "for (int i = 0; i < n; i++) { total[i] = f(i); }\n"
WORDS = "The parser reads one line after the other and keeps what it has seen. "


@pytest.mark.parametrize(
    ("text", "shares"),
    [
        ("", PLACE_DECIDES),
        (WORDS * 5, PLACE_DECIDES),
        (CODE_LINE, PLACE_DECIDES),
        (CODE_LINE * 5, ((ContentClass.CODE, 1.0),)),
        (WORDS * 400 + CODE_LINE * 5, PLACE_DECIDES),
        (WORDS * 400 + CODE_LINE * 5_000, ((ContentClass.CODE, 1.0),)),
        (CODE_LINE * 1_000 + WORDS * 20_000, PLACE_DECIDES),
        ("测试" * 20_000 + WORDS * 20_000, PLACE_DECIDES),
        (WORDS * 400 + "测试" * 100_000, ((ContentClass.CJK, 1.0),)),
        (' {"path": "a.py"}\n', ((ContentClass.JSON, 1.0),)),
        ("[1, 2]", ((ContentClass.JSON, 1.0),)),
        ("[1, 2", PLACE_DECIDES),
        ('{"标题": "测试测试测试"}', ((ContentClass.CJK, 1.0),)),
        ("日本語のテキスト", ((ContentClass.CJK, 1.0),)),
        ("one word 测 in a line of English", PLACE_DECIDES),
        ("see ```x = 1``` !", ((ContentClass.CODE, 5 / 17), (None, 1 - 5 / 17))),
        ("open ```x = 1", ((ContentClass.CODE, 5 / 13), (None, 1 - 5 / 13))),
    ],
)
def test_looks(text: str, shares: object) -> None:
    assert classify(text) == shares


@given(st.text())
def test_shares_are_a_whole(text: str) -> None:
    assert sum(share for _, share in classify(text)) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("text", "heavy"), [("测测测aaaaaaa", False), ("测测测测aaaaaa", True), ("aaa", False), ("", False)]
)
def test_the_share_from_which_a_text_is_cjk(text: str, heavy: bool) -> None:
    assert is_cjk_heavy(text) is heavy


def test_an_estimate_is_the_sum_of_its_classes() -> None:
    assert Estimate({ContentClass.PROSE: 3, ContentClass.PICTURES: 40}).total == 43
