"""Old environment blocks cut out of a conversation (protocols E.1).

Clients append the state of the editor to each of the user's turns; what the older ones say is out of date. A block is
cut once, as soon as a newer one exists, and from then on its message stays as it is: one turn of cache is paid for it.

Kept are
* the newest block with its whole message, and in a tool result of the newest turn whatever it holds: the model may just
  have read a file that has such blocks in it;
* the first block that lists the files of the workspace, and each later one unless the next turn lists them anew;
* blocks in the middle of a tool result: clients append theirs, so that is what the tool said.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from proxy_core.chat import Conversation, Message, ResultPart, Text, ToolResult
from proxy_core.context.edits import Edited, map_parts, with_text
from proxy_core.context.environment_blocks import CLOSING, OPENING, Block, find_blocks
from proxy_core.ledger import Cut, Stage
from proxy_core.settings import EnvironmentStrategy
from proxy_core.tokens.count import Encoder

_EARLIER = "# Earlier"
_OF_THE_MOMENT = ("# Current Time", "# Current Cost", "# Context Window Usage")
"""Sections whose old lines tell nothing beside the new ones."""
_STRUCTURE = re.compile(r"[ \t]*(?:`{3}|~{3}|>)")
"""Fences and quotes would change what the lines behind them are."""


@dataclass(frozen=True, slots=True)
class _Place:
    """A block and where it stands. index: of its message. turn: how many runs of answers stand before it."""

    index: int
    turn: int
    part: Text
    block: Block
    is_in_result: bool = False


def drop_old_environments(conversation: Conversation, strategy: EnvironmentStrategy, encode: Encoder) -> Edited:
    """The conversation without its old blocks. merge: what they say and no other block does goes into the newest,
    the only one that ever changes."""
    places = list(_places(conversation.messages)) if strategy != "off" else []
    old = _old(places)
    if not old:
        return Edited(conversation)
    newest = places[-1]
    merged = _merged(old, places) if strategy == "merge" else newest.block.text
    blocks_of: defaultdict[tuple[int, int], list[Block]] = defaultdict(list)
    for place in old:
        blocks_of[place.index, id(place.part)].append(place.block)

    def change(index: int, part: ResultPart) -> ResultPart | None:
        if not isinstance(part, Text):
            return part
        if index == newest.index and part is newest.part:
            return with_text(part, _replaced(part.text, newest.block, merged))
        blocks = blocks_of.get((index, id(part)))
        text = _without(part.text, blocks) if blocks else part.text
        return with_text(part, text) if text or not blocks else None

    return Edited(map_parts(conversation, change), (_cut(old, newest.block, merged, encode),))


def _places(messages: Sequence[Message]) -> Iterator[_Place]:
    turn = 0
    for index, message in enumerate(messages):
        if message.role != "user":
            turn += message.role == "assistant" and (not index or messages[index - 1].role != "assistant")
            continue
        for part in message.parts:
            if isinstance(part, Text):
                yield from (_Place(index, turn, part, block) for block in find_blocks(part.text))
            elif isinstance(part, ToolResult):
                yield from _places_in(part, index, turn)


def _places_in(result: ToolResult, index: int, turn: int) -> Iterator[_Place]:
    for part in result.parts:
        if isinstance(part, Text):
            blocks = _at_the_end(part.text, find_blocks(part.text))
            yield from (_Place(index, turn, part, block, is_in_result=True) for block in blocks)


def _at_the_end(text: str, blocks: Sequence[Block]) -> Sequence[Block]:
    """Those of the blocks behind which nothing but blocks follows."""
    end = len(text)
    for number in range(len(blocks) - 1, -1, -1):
        if text[blocks[number].end : end].strip():
            return blocks[number + 1 :]
        end = blocks[number].start
    return blocks


def _old(places: Sequence[_Place]) -> list[_Place]:
    """Those to be cut. Decided by what stands before a block and within the turn behind it, so that it stays decided
    when the conversation goes on, and when it comes back with the cut ones missing."""
    listings = [place for place in places if place.block.has_listing]
    kept = {id(place) for place in listings[:1]}
    kept |= {id(place) for place, later in pairwise(listings) if later.turn > place.turn + 1}
    kept |= {id(place) for place in listings[-1:]}
    newest = places[-1] if places else None
    return [place for place in places if id(place) not in kept and not _is_new(place, newest)]


def _is_new(place: _Place, newest: _Place | None) -> bool:
    if newest is None:
        return False
    return place.index == newest.index or (place.is_in_result and place.turn == newest.turn)


def _without(text: str, blocks: Sequence[Block]) -> str:
    """The text without the blocks (in order): "" where nothing is left, a blank line between what stood around one."""
    left: list[str] = []
    position = 0
    for block in blocks:
        before = text[position : block.start].rstrip()
        left.append(before.lstrip() if position else before)
        position = block.end
    left.append(text[position:].lstrip())
    return "\n\n".join(piece for piece in left if piece)


def _replaced(text: str, block: Block, instead: str) -> str:
    return text if instead == block.text else f"{text[: block.start]}{instead}{text[block.end :]}"


def _merged(old: Sequence[_Place], places: Sequence[_Place]) -> str:
    """The newest block with the lines of the old ones that no kept one has."""
    newest = places[-1].block
    gone = {id(place) for place in old}
    known = {line.strip() for place in places if id(place) not in gone for line in place.block.body.splitlines()}
    lines = [line for place in old for line in _lasting_lines(place.block.body) if line.strip() not in known]
    if not lines:
        return newest.text
    return "\n".join([OPENING, newest.body.strip("\n"), "", _EARLIER, *dict.fromkeys(lines), CLOSING])


def _lasting_lines(body: str) -> Iterator[str]:
    """Lines that say something by themselves: no headings, nothing of the moment."""
    is_lasting = True
    for line in (line.rstrip() for line in body.splitlines()):
        if line.startswith("# "):
            is_lasting = not line.startswith(_OF_THE_MOMENT)
        elif is_lasting and line and not _STRUCTURE.match(line) and CLOSING[2:] not in line:
            yield line


def _cut(old: Sequence[_Place], newest: Block, merged: str, encode: Encoder) -> Cut:
    removed = sum([encode(place.block.text) for place in old])
    added = encode(merged) - encode(newest.text) if merged != newest.text else 0
    return Cut(Stage.ENVIRONMENT, len(old), removed, added, "older than the newest")
