"""What the person typed, told apart from all that agents put around it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from proxy_core.chat import Conversation, Image, Message, Text, ToolCall, ToolResult, all_parts

_INJECTED = re.compile(
    r"<(system-reminder|environment_details|environment_context|user_instructions|INSTRUCTIONS|env|context"
    r"|command-[a-z]+|local-command-[a-z]+|workspace_info|reminder)>.*?</\1>",
    re.DOTALL,
)
_TYPED = re.compile(r"<(task|user_message|userRequest|user_query|feedback|answer)>\s*(.*?)\s*</\1>", re.DOTALL)
_QUOTED = re.compile(r'"([^"]*)"')
_DIRECTORY = (
    re.compile(r"working (?:in the )?directory(?: is)?:\s*`?([/~][^\n`<]*|[A-Za-z]:\\[^\n`<]*)", re.IGNORECASE),
    re.compile(r"<(?:cwd|directory)>\s*([^<\s][^<\n]*?)\s*</"),
    re.compile(r"# Current (?:Working|Workspace) Directory \(([^)\n]+)\)"),
)
_BACKGROUND = re.compile(r"\b(title|topic|summari[sz]e|summary|isNewTopic|branch name)\b", re.IGNORECASE)
_BACKGROUND_PROMPTS = ("quota", "warmup")


@dataclass(frozen=True, slots=True)
class Turn:
    """The newest thing the person typed, and what has happened since.

    calls and results: the tool calls made after it and their answers. pictures: those the newest message
    brought, tool results included.
    """

    prompt: str
    calls: tuple[ToolCall, ...] = ()
    results: tuple[ToolResult, ...] = ()
    pictures: tuple[Image, ...] = ()


def last_turn(conversation: Conversation) -> Turn:
    """The turn that wants an answer."""
    messages = conversation.messages
    for place in range(len(messages) - 1, -1, -1):
        prompt = typed_text(messages[place]) if messages[place].role == "user" else ""
        if prompt:
            parts = [part for message in messages[place + 1 :] for part in message.parts]
            calls = tuple(part for part in parts if isinstance(part, ToolCall))
            results = tuple(part for part in parts if isinstance(part, ToolResult))
            return Turn(prompt, calls, results, _new_pictures(conversation))
    return Turn("", pictures=_new_pictures(conversation))


def typed_text(message: Message) -> str:
    """The person's words in a user message; "" where agents alone are speaking.

    `opencode run` hands its argument on in quotation marks; they are not part of what was typed.
    """
    text = "\n".join(part.text for part in message.parts if isinstance(part, Text))
    bare = _INJECTED.sub("", text)
    typed = _TYPED.search(bare)
    words = (typed[2] if typed else bare).strip()
    quoted = _QUOTED.fullmatch(words)
    return quoted[1] if quoted else words


def working_directory(conversation: Conversation) -> str:
    """Where the agent works, if it says so anywhere; "" otherwise."""
    texts = [part.text for part in conversation.system]
    texts += [part.text for part in all_parts(conversation) if isinstance(part, Text)]
    for text in texts:
        for pattern in _DIRECTORY:
            if match := pattern.search(text):
                return match[1].strip().rstrip("/\\") or "/"
    return ""


def is_background(conversation: Conversation, turn: Turn) -> bool:
    """Whether this is an agent's own small request (a title, a probe) and no turn of the conversation."""
    if conversation.tools:
        return False
    if conversation.sampling.max_tokens == 1 or turn.prompt.lower() in _BACKGROUND_PROMPTS:
        return True
    return bool(_BACKGROUND.search(system_text(conversation)[:2000]))


def system_text(conversation: Conversation) -> str:
    """Every system text, wherever it stands."""
    texts = [part.text for part in conversation.system]
    for message in conversation.messages:
        if message.role == "system":
            texts += [part.text for part in message.parts if isinstance(part, Text)]
    return "\n".join(texts)


def _new_pictures(conversation: Conversation) -> tuple[Image, ...]:
    """Pictures since the assistant last spoke (OpenAI agents may spread one turn over several messages)."""
    fresh: list[Message] = []
    for message in reversed(conversation.messages):
        if message.role == "assistant":
            break
        fresh.insert(0, message)
    newest = Conversation(conversation.dialect, conversation.model, tuple(fresh))
    return tuple(part for part in all_parts(newest) if isinstance(part, Image))
