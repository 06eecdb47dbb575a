"""The table of codes is complete, speaks both languages and does not contradict itself."""

from __future__ import annotations

import re

import pytest

from proxy_core.upstream_codes import CODES, RETRY_OF_STATUS, ErrorClass, Words, find_code, find_phrase
from tests.proxy_core.codes import EXPECTED

HAN = re.compile("[\u4e00-\u9fff]")
ROWS = pytest.mark.parametrize("row", CODES.values(), ids=CODES)


def test_every_known_code_is_in_the_table():
    assert set(CODES) == {expected.code for expected in EXPECTED}


def test_every_class_has_a_code():
    assert {row.rule.error_class for row in CODES.values()} == set(ErrorClass)


@ROWS
def test_words_are_said_in_both_languages(row):
    for words in (row.meaning, row.rule.remedy):
        assert isinstance(words, Words)
        assert words.en and words.en[0].isupper() and not HAN.search(words.en)
        assert HAN.search(words.zh)


@ROWS
def test_a_remedy_is_one_sentence(row):
    assert re.fullmatch(r"[^.]*(?:z\.ai[^.]*bigmodel\.cn[^.]*)?\.", row.rule.remedy.en)
    assert row.rule.remedy.zh.count("。") == 1 and row.rule.remedy.zh.endswith("。")


@ROWS
def test_a_row_does_not_contradict_itself(row):
    rule = row.rule
    assert not (rule.retry and rule.names_reset)
    assert rule.client_wait_s is None or rule.retry is not None
    assert rule.status >= 400 and rule.openai.status >= 400
    if rule.retry:
        assert 0 < rule.retry.least_s <= rule.retry.most_s


@pytest.mark.parametrize(
    ("word", "code"),
    [("1302", "1302"), ("context_length_exceeded", "1261"), ("network_error", "1234")],
)
def test_words_stand_for_codes(word, code):
    assert find_code(word) is CODES[code]


@pytest.mark.parametrize("word", [None, "", "9999", "own_word"])
def test_unknown_words_have_no_row(word):
    assert find_code(word) is None


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("Prompt is too long: 9 tokens > 8 maximum", "1261"),
        ("This model's maximum context length is 8 tokens.", "1261"),
        ("Something else", None),
    ],
)
def test_phrases_stand_for_codes(message, code):
    assert find_phrase(message) is (CODES[code] if code else None)


def test_refusals_without_a_code_are_worth_another_try_where_gateways_stumble():
    assert set(RETRY_OF_STATUS) == {429, 500, 502, 503, 529}
