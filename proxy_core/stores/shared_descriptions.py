"""Descriptions that several proxies share: the store of this proxy's own files, and the shared one over it.

While the shared store is there, what it says holds, and is taken over into the files; so a proxy that is left alone
goes on with the same words. What was made or changed meanwhile is handed in afterwards. Deleted ones leave a mark, or
another proxy's files would bring them back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace

import orjson
from pydantic import TypeAdapter, ValidationError

from proxy_core.stores.description_files import FileDescriptionStore
from proxy_core.stores.descriptions import MOST_CHARS, Description, Draft, StoreSize, holds_words, is_sound
from proxy_core.stores.shared_link import LEASE_MS, PREFIX, Command, SharedLink, StoreGoneError

KEPT_S = 90 * 86_400
"""An unpinned description that nobody used for so long goes."""
_MARK_KEPT_S = 30 * 86_400
_LISTING_S = 2.0
_MOST_LISTED = 10_000
_AT_ONCE = 500
_MOST_VALUE_BYTES = 256 * 1024
_MOST_THUMBNAIL_BYTES = 256 * 1024
_JPEG = b"\xff\xd8\xff"
_GONE = b"deleted"
_FORM = TypeAdapter(Description)
_PICTURES, _THUMBNAILS, _CLAIMS = f"{PREFIX}picture:", f"{PREFIX}thumbnail:", f"{PREFIX}describing:"
_UNCLAIM = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"


class SharedDescriptionStore:
    """A `DescriptionStore`. own: this proxy's files."""

    def __init__(self, link: SharedLink, own: FileDescriptionStore) -> None:
        self._link = link
        self._own = own
        self._unsent: set[str] = set()
        self._claimed: set[str] = set()
        link.on_beat(self._tend)

    @property
    def revision(self) -> int:
        """Grows with every change that this store knows of."""
        return self._own.revision

    async def find(self, digests: Iterable[str]) -> dict[str, Description]:
        """Those there are, by digest; counts as use."""
        wanted = tuple(digests)
        return await self._reconciled(wanted, await self._own.find(wanted)) if wanted else {}

    async def get(self, digest: str) -> Description | None:
        """One of them, merely looked at."""
        own = await self._own.get(digest)
        return (await self._reconciled((digest,), {digest: own} if own else {})).get(digest)

    async def put(self, draft: Draft) -> Description:
        """Keep it. Where there is one already that shall not be made again, that one stays and is returned."""
        there = await self.get(draft.digest)
        kept = await self._own.put(draft)
        if there is None or there.is_to_be_made_again:
            await self._hand_in(kept, await self._own.thumbnail(draft.digest))
        return kept

    async def claim(self, digest: str) -> bool:
        """Whether a description may be made here; False while another proxy makes it."""
        key = f"{_CLAIMS}{digest}"
        try:
            is_mine = await self._link.ask("SET", key, self._link.name, "NX", "PX", LEASE_MS) is not None
        except StoreGoneError:
            return True
        if is_mine:
            self._claimed.add(digest)
        return is_mine

    async def unclaim(self, digest: str) -> None:
        """It is made, or will not be."""
        if digest in self._claimed:
            self._claimed.discard(digest)
            self._link.post(("EVAL", _UNCLAIM, 1, f"{_CLAIMS}{digest}", self._link.name))

    async def list(self, words: str = "") -> tuple[Description, ...]:
        """Those that hold all these words, the last used first."""
        found = {one.digest: one for one in await self._own.list()}
        try:
            shared = await self._read(await self._digests(), _LISTING_S)
        except StoreGoneError:
            shared = {}
        for digest, theirs in shared.items():
            mine = found.get(digest)
            found[digest] = _with_uses(theirs, mine) if mine else theirs
        known = [one for one in found.values() if holds_words(one, words)]
        return tuple(sorted(known, key=lambda one: (-one.last_used_at, one.digest)))

    async def thumbnail(self, digest: str) -> bytes | None:
        """A small JPEG of the picture."""
        own = await self._own.thumbnail(digest)
        if own is not None:
            return own
        try:
            theirs = await self._link.ask("GET", f"{_THUMBNAILS}{digest}")
        except StoreGoneError:
            return None
        is_picture = isinstance(theirs, bytes) and theirs.startswith(_JPEG) and len(theirs) <= _MOST_THUMBNAIL_BYTES
        return theirs if is_picture and isinstance(theirs, bytes) else None

    async def edit(self, digest: str, text: str) -> Description | None:
        """Other words; none at all make the upstream see a placeholder. None: there is no such description."""
        return await self._change(digest, lambda: self._own.edit(digest, text))

    async def pin(self, digest: str, *, pinned: bool) -> Description | None:
        """Whether it stays however full the store is."""
        return await self._change(digest, lambda: self._own.pin(digest, pinned=pinned))

    async def describe_again(self, digest: str) -> Description | None:
        """Have it made anew when the picture is next seen, over a person's words too."""
        return await self._change(digest, lambda: self._own.describe_again(digest))

    async def delete(self, digest: str) -> bool:
        """Whether there was one and it is gone, here and in the shared store."""
        if await self.get(digest) is None or not await self._own.delete(digest):
            return False
        self._unsent.discard(digest)
        await self._tell(digest, *_removal(digest))
        return True

    async def size(self) -> StoreSize:
        """How much is kept in this proxy's own files; the shared store is too large to be counted at every look."""
        return await self._own.size()

    async def close(self) -> None:
        """Write what is not written yet, and let others describe what was begun here."""
        for digest in tuple(self._claimed):
            await self.unclaim(digest)
        await self._own.close()

    async def _change(self, digest: str, change: Callable[[], Awaitable[Description | None]]) -> Description | None:
        if await self.get(digest) is None:
            return None
        changed = await change()
        if changed is not None:
            await self._hand_in(changed, None)
        return changed

    async def _hand_in(self, one: Description, thumbnail: bytes | None) -> None:
        await self._tell(one.digest, *_keeping(one, thumbnail))

    async def _tell(self, digest: str, *commands: Command) -> None:
        """What cannot be told now is told when the store is back."""
        try:
            await self._link.ask_all(commands)
            self._unsent.discard(digest)
        except StoreGoneError:
            self._unsent.add(digest)

    async def _reconciled(self, digests: tuple[str, ...], own: dict[str, Description]) -> dict[str, Description]:
        """What holds, by the shared store if it answers; both are brought to one state."""
        try:
            raw = await self._raw(digests)
        except StoreGoneError:
            return own
        found = {}
        for digest, value in raw.items():
            one = await self._settle(digest, value, own.get(digest))
            if one is not None:
                found[digest] = one
        return found

    async def _settle(self, digest: str, value: bytes | None, mine: Description | None) -> Description | None:
        if digest in self._unsent:
            await self._send_again(digest)
            return mine
        if value == _GONE:
            if mine is not None:
                await self._own.delete(digest)
            return None
        theirs = self._parsed(digest, value)
        if theirs is None:
            if mine is not None:
                self._link.post(*_keeping(mine, await self._own.thumbnail(digest)))
            return mine
        if not theirs.pinned:
            self._link.post(("EXPIRE", f"{_PICTURES}{digest}", KEPT_S), ("EXPIRE", f"{_THUMBNAILS}{digest}", KEPT_S))
        if mine is not None and _is_same(theirs, mine):
            return mine
        return await self._own.adopt(theirs)

    async def _send_again(self, digest: str) -> None:
        """What was made, changed or deleted while the store was gone."""
        mine = await self._own.get(digest)
        commands = _removal(digest) if mine is None else _keeping(mine, await self._own.thumbnail(digest))
        await self._tell(digest, *commands)

    async def _tend(self) -> None:
        """With each beat: keep what is claimed, hand in what waits. Raises StoreGoneError."""
        for digest in tuple(self._claimed):
            self._link.post(("PEXPIRE", f"{_CLAIMS}{digest}", LEASE_MS))
        for digest in tuple(self._unsent):
            await self._send_again(digest)

    async def _digests(self) -> tuple[str, ...]:
        """Of all there are in the shared store. Raises StoreGoneError."""
        found: list[str] = []
        cursor: object = 0
        while True:
            words = ("SCAN", int(str(cursor)), "MATCH", f"{_PICTURES}*", "COUNT", _AT_ONCE)
            answer = await self._link.ask(*words, within_s=_LISTING_S)
            cursor, keys = answer if isinstance(answer, list | tuple) else (0, ())
            names = [key.decode("utf-8", "replace").removeprefix(_PICTURES) for key in keys if isinstance(key, bytes)]
            found += [name for name in names if len(name) == 64]
            if int(str(cursor)) == 0 or len(found) >= _MOST_LISTED:
                return tuple(dict.fromkeys(found))

    async def _read(self, digests: tuple[str, ...], within_s: float) -> dict[str, Description]:
        found: dict[str, Description] = {}
        for start in range(0, len(digests), _AT_ONCE):
            raw = await self._raw(digests[start : start + _AT_ONCE], within_s)
            parsed = {digest: self._parsed(digest, value) for digest, value in raw.items() if value != _GONE}
            found |= {digest: one for digest, one in parsed.items() if one is not None}
            await asyncio.sleep(0)
        return found

    async def _raw(self, digests: tuple[str, ...], within_s: float | None = None) -> dict[str, bytes | None]:
        """Raises StoreGoneError."""
        words = ("MGET", *(f"{_PICTURES}{digest}" for digest in digests))
        answer = await (self._link.ask(*words, within_s=within_s) if within_s else self._link.ask(*words))
        values = answer if isinstance(answer, list) else [None] * len(digests)
        return {
            digest: value if isinstance(value, bytes) else None for digest, value in zip(digests, values, strict=True)
        }

    def _parsed(self, digest: str, value: bytes | None) -> Description | None:
        """A damaged one is set aside."""
        if value is None:
            return None
        try:
            one = _FORM.validate_json(value if len(value) <= _MOST_VALUE_BYTES else b"")
        except ValidationError:
            one = None
        if one is None or one.digest != digest or len(one.text) > MOST_CHARS or not is_sound(one):
            self._link.set_aside(f"{_PICTURES}{digest}")
            return None
        return one


def _keeping(one: Description, thumbnail: bytes | None) -> list[Command]:
    expiry: Command = () if one.pinned else ("EX", KEPT_S)
    commands: list[Command] = [("SET", f"{_PICTURES}{one.digest}", orjson.dumps(one), *expiry)]
    if thumbnail is not None:
        commands.append(("SET", f"{_THUMBNAILS}{one.digest}", thumbnail, *expiry))
    elif one.pinned:
        commands.append(("PERSIST", f"{_THUMBNAILS}{one.digest}"))
    return commands


def _removal(digest: str) -> list[Command]:
    mark: Command = ("SET", f"{_PICTURES}{digest}", _GONE, "EX", _MARK_KEPT_S)
    return [mark, ("DEL", f"{_THUMBNAILS}{digest}")]


def _is_same(theirs: Description, mine: Description) -> bool:
    """But for the figures of use."""
    return _with_uses(theirs, mine) == _with_uses(mine, theirs)


def _with_uses(one: Description, other: Description) -> Description:
    """One, with the more of both ones' uses."""
    last = max(one.last_used_at, other.last_used_at)
    return replace(one, hits=max(one.hits, other.hits), last_used_at=last)
