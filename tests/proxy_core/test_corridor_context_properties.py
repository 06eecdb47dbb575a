"""Random sessions of agents through all edits: what goes out is valid, stands still, and is never more than came in."""

from __future__ import annotations

import asyncio
import copy
import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from proxy_core.chat import Answer, Conversation, Image, Message, StopReason, Text, ToolCall, ToolResult, Usage
from proxy_core.dialects.table import DIALECTS
from proxy_core.ledger import Stage
from proxy_core.pipeline.condensing import Condenser
from proxy_core.pipeline.describing import Describer
from proxy_core.pipeline.outgoing import target_of
from proxy_core.pipeline.picture_fitting import PictureFitter
from proxy_core.pipeline.prompt_count import PromptCounter
from proxy_core.pipeline.setup import Setup
from proxy_core.pipeline.trimming import Trimmed, Trimmer
from proxy_core.routing.route import Route, choose_route
from proxy_core.settings import BUILTIN_SERVERS, ProxySettings
from proxy_core.stores.bundle import file_stores
from tests.legs import anthropic_body, openai_body, request, says
from tests.proxy_core.context.talks import SUMMARY
from tests.proxy_core.context_rig import SEEN, block
from tests.proxy_core.pipeline.describers import red
from tests.wire_rules import broken_rules

BODIES = {"anthropic": anthropic_body, "openai": openai_body}
HEADERS = {"content-type": "application/json", "anthropic-version": "2023-06-01", "authorization": "Bearer k"}
BYTES = 10**9
WORDS = st.sampled_from(
    ["ok", "word " * 30, "def parse(x):\n    return x\n" * 25, "窗口太小了" * 40, "```\n" + block(99) + "\n```"]
)
LIVE = "# Open Tabs"
LISTING = "# Current Workspace Directory (/w) Files\na.py"


@dataclass(frozen=True)
class Step:
    """An answer, the results of its calls, and what the user says; whether a block and a picture stand behind it."""

    said: str
    results: tuple[str, ...]
    follow: str
    has_block: bool
    lists: bool
    in_result: bool
    picture: int


STEPS = st.builds(
    Step,
    said=WORDS,
    results=st.lists(WORDS, max_size=3).map(tuple),
    follow=st.sampled_from(["", "Go on."]) | WORDS,
    has_block=st.booleans(),
    lists=st.booleans(),
    in_result=st.booleans(),
    picture=st.sampled_from([0, 0, 0, 1, 2]),
)
SCRIPTS = st.lists(STEPS, min_size=2, max_size=9)


def messages(number: int, step: Step, dialect: str) -> list[Message]:
    calls = [ToolCall(f"c{number}_{place}", "read", "{}") for place in range(len(step.results))]
    pictures = (red(step.picture * 300),) if step.picture else ()
    results = [ToolResult(one.id, (Text(text),)) for one, text in zip(calls, step.results, strict=True)]
    words = step.follow if results else step.follow or "And?"
    state = [block(number, LIVE, *[LISTING] * step.lists)] * step.has_block
    if results and step.in_result:
        inner = (*results[-1].parts, *map(Text, state), *(pictures if dialect == "anthropic" else ()))
        if dialect == "openai":
            inner = (Text("\n".join(part.text for part in inner)),)
        results[-1] = ToolResult(results[-1].call_id, inner)
        return [says(step.said, *calls, role="assistant"), says(*results, *[words] * bool(words))]
    return [says(step.said, *calls, role="assistant"), says(*results, *[words] * bool(words), *state, *pictures)]


def talk(steps: list[Step], dialect: str) -> Conversation:
    """As a client sends it after these steps, with a nonce of its own."""
    said = [message for number, step in enumerate(steps) for message in messages(number, step, dialect)]
    nonce = f"x-anthropic-billing-header: cch={len(steps)};\nYou are Claude Code."
    return request("Build a parser.", *said, model="glm-4.6", system=(Text(nonce),))


@dataclass
class Model:
    """Answers our own calls and checks what it is asked."""

    broken: list[str] = field(default_factory=list)

    async def ask(
        self, stage: Stage, asked: Conversation, route: Route, key: str, options: ProxySettings, limit_s: float
    ) -> Answer:
        self.broken += broken(asked, route, options)
        text = SEEN if stage is Stage.PICTURES else SUMMARY
        return Answer("i", route.model, (Text(text),), StopReason.END_TURN, Usage(10, 0, 0, 5))


def written(conversation: Conversation, route: Route, options: ProxySettings) -> dict[str, object]:
    return DIALECTS[route.dialect.value].write_request(conversation, target_of(route, options)).body


def broken(conversation: Conversation, route: Route, options: ProxySettings) -> list[str]:
    body = json.loads(json.dumps(written(conversation, route, options)))
    return broken_rules(route.dialect.value, body, HEADERS)


class Session:
    """One client's session through one trimmer."""

    def __init__(self, folder: Path, dialect: str, **changes: object) -> None:
        self.dialect = dialect
        small = {"real_text_model_tokens": 2_000, "real_vision_model_tokens": 1_500}
        self.setup = Setup(ProxySettings.model_validate({**small, **changes}), BUILTIN_SERVERS[0])
        self.model = Model()
        self.counter = PromptCounter(lambda: lambda text: len(text.encode()) // 4)
        self.fitter = PictureFitter()
        stores = file_stores(folder, lambda: 200, lambda: 0.0)
        describer = Describer(self.model, stores.descriptions, self.fitter)
        condenser = Condenser(self.model, self.counter.count, stores.summaries, clock=lambda: 0.0, time=lambda: 0.0)
        self.trimmer = Trimmer(describer, condenser, self.counter, stores.ratios, lambda: 0.0)

    async def turn(self, steps: list[Step]) -> tuple[Conversation, Trimmed, Route]:
        """What the client sends, what becomes of it, and where it goes. Checks what is true of each request alone."""
        body = {**BODIES[self.dialect](talk(steps, self.dialect))}
        before = copy.deepcopy(body)
        read = DIALECTS[self.dialect].read_request(body)
        trimmed = await self.trimmer.trim(read, self.setup, "k")
        route = choose_route(trimmed.conversation, self.setup.settings, self.setup.server)
        done = await self.trimmer.condense(trimmed, route, "k", self.setup, BYTES)
        assert body == before
        assert broken(done.conversation, route, self.setup.settings) + self.model.broken == []
        assert await self.counter.count(done.conversation) <= await self.counter.count(read)
        await self.check_still(trimmed)
        return read, done, route

    async def check_still(self, trimmed: Trimmed) -> None:
        again = await self.trimmer.trim(trimmed.conversation, self.setup, "k")
        assert again.conversation == trimmed.conversation
        assert again.ledger.cuts == ()

    async def close(self) -> None:
        await self.trimmer.close()
        self.counter.close()
        self.fitter.close()


def newest(conversation: Conversation) -> list[Message]:
    """All that was said since the last answer."""
    behind = itertools.takewhile(lambda message: message.role != "assistant", reversed(conversation.messages))
    return list(behind)[::-1]


def check_session(
    dialect: str,
    steps: list[Step],
    check: Callable[[list[tuple[Conversation, Trimmed, Route]]], None],
    **changes: object,
) -> None:
    async def session() -> None:
        with TemporaryDirectory() as folder:
            one = Session(Path(folder), dialect, **changes)
            try:
                check([await one.turn(steps[: number + 1]) for number in range(len(steps))])
            finally:
                await one.close()

    asyncio.run(session())


def check_newest(turns: list[tuple[Conversation, Trimmed, Route]]) -> None:
    for read, trimmed, _ in turns:
        kept = newest(trimmed.conversation)
        assert kept == newest(read)
        assert [message.raw for message in kept] == [message.raw for message in newest(read)]


def by_place(read: Conversation, trimmed: Trimmed) -> dict[int, Message]:
    """Messages as they go out, by their place in what the client sent, the summary at -1."""
    sent = trimmed.conversation.messages
    shift = len(read.messages) - len(sent)
    is_condensed = any(cut.stage is Stage.SUMMARY for cut in trimmed.ledger.cuts)
    first = next(place for place, message in enumerate(sent) if message.role != "system") if is_condensed else -1
    return {-1 if place == first else place if place < first else place + shift: one for place, one in enumerate(sent)}


def loose(read: Conversation) -> set[int]:
    """Places that may change with the next turn: those of the newest turn, and of the one with the newest block."""
    said = read.messages
    live = max((place for place, message in enumerate(said) if LIVE in str(message.parts)), default=len(said) - 1)
    own = range(len(said) - len(newest(read)), len(said))
    return {
        *own,
        *itertools.takewhile(lambda at: said[at].role == "user", range(live, -1, -1)),
        *itertools.takewhile(lambda at: said[at].role == "user", range(live, len(said))),
    }


def has_picture(message: Message) -> bool:
    parts = [inner for part in message.parts for inner in (part.parts if isinstance(part, ToolResult) else (part,))]
    return any(isinstance(part, Image) for part in parts)


def summaries(trimmed: Trimmed) -> int:
    return sum(cut.items for cut in trimmed.ledger.cuts if cut.stage is Stage.SUMMARY)


def check_prefix(turns: list[tuple[Conversation, Trimmed, Route]]) -> None:
    for (read, before, one), (later, after, other) in itertools.pairwise(turns):
        sent, next_ = by_place(read, before), by_place(later, after)
        may_change = loose(read)
        is_same_model = one.model == other.model and summaries(before) == summaries(after)
        for place, message in sent.items():
            if place < 0:
                assert not is_same_model or next_[-1] == message
            elif place in next_ and place not in may_change and not has_picture(message):
                assert (next_[place], next_[place].raw) == (message, message.raw)


few = settings(
    max_examples=12,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)
BOTH = pytest.mark.parametrize("dialect", ["anthropic", "openai"])


@BOTH
@few
@given(steps=SCRIPTS)
def test_the_newest_turn_goes_as_it_came(dialect: str, steps: list[Step]) -> None:
    check_session(dialect, steps, check_newest)


@BOTH
@few
@given(steps=SCRIPTS)
def test_what_was_sent_stands(dialect: str, steps: list[Step]) -> None:
    check_session(dialect, steps, check_prefix)


@BOTH
@pytest.mark.parametrize(
    "changes", [{"environment_deduplication_strategy": "merge"}, {"image_strategy": "describe"}], ids=str
)
@few
@given(steps=SCRIPTS)
def test_the_other_strategies(dialect: str, changes: dict[str, object], steps: list[Step]) -> None:
    check_session(dialect, steps, check_prefix, **changes)


@BOTH
@few
@given(steps=st.lists(STEPS, min_size=6, max_size=9))
def test_without_the_ceiling(dialect: str, steps: list[Step]) -> None:
    check_session(dialect, steps, check_prefix, real_text_model_tokens=200_000, real_vision_model_tokens=60_000)
