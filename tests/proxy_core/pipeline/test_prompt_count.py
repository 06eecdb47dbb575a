"""Counting beside the waiting, without a backlog that holds every conversation in memory."""

from threading import Event

from proxy_core.chat import Conversation, Message, Text
from proxy_core.pipeline.prompt_count import MOST_BEGUN, PromptCounter

TALK = Conversation("anthropic", "m", (Message("user", (Text("hello"),)),))


def test_with_several_counts_waiting_the_next_is_a_guess() -> None:
    gate = Event()

    def encode(text: str) -> int:
        gate.wait(5)
        return 100

    counter = PromptCounter(lambda: encode)
    begun = [counter.begin(TALK, 36) for _ in range(MOST_BEGUN + 3)]
    assert [count() for count in begun] == [10] * len(begun)
    assert len(counter._begun) == MOST_BEGUN
    gate.set()
    counter.close()
    counter._executor.shutdown(wait=True)
    assert not counter._begun
