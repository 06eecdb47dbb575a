"""Which words of a refusal mean which repair."""

from __future__ import annotations

import pytest

from proxy_core.chat import Conversation, Image, Message, Sampling, Text
from proxy_core.errors import ErrorKind, UpstreamError
from proxy_core.facts import ModelFacts
from proxy_core.pipeline.attempt import Ask
from proxy_core.pipeline.repair import REPAIRS, is_of_the_request
from proxy_core.pipeline.trimming import Trimmed
from proxy_core.routing.route import Route
from proxy_core.settings import BUILTIN_SERVERS, DialectName, ProxySettings
from proxy_core.upstream_codes import find_code

SETTINGS = ProxySettings()
SYSTEM = Message("system", (Text("S"),))
SEEN = Message("user", (Image(url="https://pictures.example/cat.png"),))
SAID = Message("user", (Text("hi"),))


def ask(*messages: Message, max_tokens: int | None = 120_000) -> Ask:
    raw: dict[str, object] = {"max_tokens": max_tokens, "max_completion_tokens": max_tokens, "novel": 1}
    conversation = Conversation("openai", "m", messages or (SAID,), sampling=Sampling(max_tokens), raw=raw)
    route = Route(BUILTIN_SERVERS[0], DialectName.OPENAI, "m", ModelFacts("m"), "m", "text")
    return Ask(conversation, route, Trimmed(conversation, conversation))


def refusal(
    text: str, status: int = 400, code: str | None = None, body: dict[str, object] | None = None
) -> UpstreamError:
    return UpstreamError(text, kind=ErrorKind.BAD_REQUEST, status=status, code=code, body=body, known=find_code(code))


def repaired(text: str, asked: Ask, **fields: object) -> list[str]:
    """The names of the repairs that know a remedy."""
    error = refusal(text, **fields)
    return [name for name, repair in REPAIRS.items() if repair(error, asked, SETTINGS) is not None]


@pytest.mark.parametrize(
    ("text", "asked", "names"),
    [
        ("messages[1].role: unknown variant `system`, expected `user` or `assistant`", ask(SAID, SYSTEM), ["system"]),
        ("messages.1.role: Input should be 'user' or 'assistant'", ask(SAID, SYSTEM), ["system"]),
        ("messages.1.role: Input should be 'user' or 'assistant'", ask(SAID), []),
        ("messages 参数非法。请检查文档。", ask(SYSTEM, SAID), ["system"]),
        ("角色信息不正确", ask(SYSTEM, SAID), ["system"]),
        ("System detected potentially unsafe content", ask(SYSTEM, SAID), []),
        ("This model always engages in thinking and cannot be disabled", ask(), ["thinking"]),
        ("thinking mode for this model cannot be turned off", ask(), ["thinking"]),
        ("该模型的思考模式不支持关闭", ask(), ["thinking"]),
        ("max_tokens: 200000 > 98304, the maximum allowed number", ask(), ["max_tokens"]),
        ("The max_completion_tokens must be at most 98,304", ask(), ["max_tokens"]),
        ("max_tokens is wrong", ask(), []),
        ("max_tokens is wrong", ask(SEEN), ["no_max_tokens"]),
        ("API call parameter error, please check the documentation", ask(SEEN), ["no_max_tokens", "picture"]),
        ("API call parameter error, please check the documentation", ask(), []),
        ("Model do not support image input.", ask(SEEN), ["picture"]),
        ("This is an image-to-text model only", ask(SEEN), ["picture"]),
        ("Model do not support image input.", ask(), []),
        ("Something else", ask(SYSTEM, SEEN), []),
    ],
)
def test_words_and_their_repairs(text: str, asked: Ask, names: list[str]) -> None:
    assert repaired(text, asked) == names


@pytest.mark.parametrize(
    ("text", "cap"),
    [
        ("max_tokens参数非法，取值范围[1, 98304]", 98_304),
        ("max_tokens range is [512,98304].", 98_304),
        ("max_tokens: 120000 > 16,384, which is the maximum", 16_384),
        ("max_tokens is too large: 120000. This model supports at most 16384 completion tokens", 16_384),
        ("in 2048 words: max_tokens must be below 8192", 8_192),
        ("messages.3: max_tokens must be above 16", None),
        ("max_tokens must be below 262144", None),
        ("max_tokens 9f8304 v1.5000", None),
    ],
)
def test_the_figure_that_is_the_cap(text: str, cap: int | None) -> None:
    found = REPAIRS["max_tokens"](refusal(text), ask(), SETTINGS)
    assert (found.route.facts.max_output_tokens if found else None) == cap


def test_details_in_a_list_count_as_words() -> None:
    detail = {"loc": ["body", "max_tokens"], "msg": "Input should be less than or equal to 8192", "ctx": {"le": 8192}}
    body: dict[str, object] = {"detail": [detail]}
    assert repaired("The upstream answered with status 422.", ask(), status=422, body=body) == ["max_tokens"]


def test_no_form_of_max_tokens_is_left() -> None:
    found = REPAIRS["no_max_tokens"](refusal("max_tokens"), ask(SEEN), SETTINGS)
    assert found is not None
    assert (found.conversation.sampling.max_tokens, found.conversation.raw) == (None, {"novel": 1})


@pytest.mark.parametrize(
    ("status", "code", "is_worth"),
    [
        (400, None, True),
        (422, None, True),
        (400, "1210", True),
        (400, "1214", True),
        (400, "1261", True),
        (413, "1261", True),
        (413, None, False),
        (400, "1301", False),
        (400, "1211", False),
        (401, None, False),
        (429, None, False),
        (500, None, False),
    ],
)
def test_only_a_refusal_of_the_request_is_worth_a_repair(status: int, code: str | None, is_worth: bool) -> None:
    assert is_of_the_request(refusal("No", status, code)) is is_worth
