"""What is known of all descriptions: the files' words and figures, their use since, and what no file could take.

Blocking and for one thread at a time. Files may be changed and taken away at any time, by people or by another proxy
on the same folder: each is looked at before it is used.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from proxy_core.stores.description_folder import DescriptionFolder, Filed, Sight, Stamp
from proxy_core.stores.descriptions import Description, StoreSize

MOST_UNFILED = 500
"""So many wait in memory for a disk that takes them."""
_SAVE_USE_EVERY_S = 60.0


@dataclass(slots=True)
class _Held:
    """One description. stamp: its file as last seen; None: it has none. unsaved_hits: uses that no file knows of.

    thumbnail: only until it is in its file.
    """

    description: Description
    stamp: Stamp | None = None
    unsaved_hits: int = 0
    thumbnail: bytes | None = None
    thumbnail_bytes: int = 0
    is_unsaved: bool = False

    @property
    def stored_bytes(self) -> int:
        return (self.stamp[1] if self.stamp else 0) + self.thumbnail_bytes


class Shelf:
    """bound_bytes is asked anew each time; clock: unix seconds."""

    def __init__(self, folder: DescriptionFolder, bound_bytes: Callable[[], int], clock: Callable[[], float]) -> None:
        self._folder = folder
        self._bound_bytes = bound_bytes
        self._clock = clock
        self._held: dict[str, _Held] = {}
        self._is_complete = False
        self._use_saved_at = clock()
        self.revision = 0

    def use(self, digests: tuple[str, ...]) -> dict[str, Description]:
        """Those there are; they were used."""
        found: dict[str, Description] = {}
        now = self._clock()
        for digest in digests:
            if held := self._look(digest):
                held.unsaved_hits += 1
                hits = held.description.hits + 1
                held.description = found[digest] = replace(held.description, hits=hits, last_used_at=now)
                self.revision += 1
        if now - self._use_saved_at >= _SAVE_USE_EVERY_S:
            self.save()
        return found

    def get(self, digest: str) -> Description | None:
        """One as it stands."""
        held = self._look(digest)
        return held.description if held else None

    def all(self) -> list[Description]:
        """Every one, the last used first."""
        self._look_at_all()
        found = [held.description for held in self._held.values()]
        return sorted(found, key=lambda one: (-one.last_used_at, one.digest))

    def put(self, fresh: Description, thumbnail: bytes | None) -> Description:
        """Keep it, unless there is one that shall stay; the one that is kept."""
        held = self._look(fresh.digest)
        if held is None:
            held = self._held[fresh.digest] = _Held(fresh)
        elif not held.description.is_to_be_made_again:
            return held.description
        before, now = held.description, self._clock()
        held.description = replace(fresh, made_at=now, last_used_at=now, hits=before.hits, pinned=before.pinned)
        if thumbnail is not None:
            held.thumbnail, held.thumbnail_bytes = thumbnail, len(thumbnail)
        self._write(held)
        kept = held.description
        self._evict()
        return kept

    def adopt(self, other: Description, thumbnail: bytes | None) -> Description:
        """Keep it as another proxy has it, over what stands here; uses are the more of both."""
        held = self._look(other.digest)
        if held is None:
            held = self._held[other.digest] = _Held(other)
        before = held.description
        last = max(other.last_used_at, before.last_used_at)
        held.description = replace(other, hits=max(other.hits, before.hits), last_used_at=last)
        if thumbnail is not None:
            held.thumbnail, held.thumbnail_bytes = thumbnail, len(thumbnail)
        self._write(held)
        kept = held.description
        self._evict()
        return kept

    def change(self, digest: str, change: Callable[[Description], Description]) -> Description | None:
        """Another form of one; None where there is none."""
        held = self._look(digest)
        if held is None:
            return None
        held.description = change(held.description)
        self._write(held)
        return held.description

    def delete(self, digest: str) -> bool:
        """Whether there was one and it is gone."""
        if self._look(digest) is None or not self._folder.delete(digest):
            return False
        del self._held[digest]
        self.revision += 1
        return True

    def thumbnail(self, digest: str) -> bytes | None:
        """The small picture; None where there is none."""
        held = self._look(digest)
        if held is None:
            return None
        return self._folder.thumbnail(digest) if held.thumbnail is None else held.thumbnail

    def size(self) -> StoreSize:
        """How much there is."""
        self._look_at_all()
        pinned = sum(held.description.pinned for held in self._held.values())
        return StoreSize(len(self._held), pinned, self._stored_bytes(), self._bound_bytes())

    def save(self) -> None:
        """Write what is only in memory: uses, and what the disk did not take before."""
        self._use_saved_at = self._clock()
        for digest in list(self._held):
            held = self._look(digest)
            if held is not None and (held.unsaved_hits or held.is_unsaved):
                self._write(held)

    def _look(self, digest: str) -> _Held | None:
        """What is known of it, after a look at its file."""
        held = self._held.get(digest)
        seen = self._folder.look(digest, held.stamp if held else None)
        if isinstance(seen, Filed):
            return self._take(seen, held)
        if seen is Sight.MISSING and held is not None and held.stamp is not None:  # somebody took it away
            del self._held[digest]
            self.revision += 1
            return None
        return held

    def _take(self, filed: Filed, before: _Held | None) -> _Held:
        """The file's words, and our uses that it does not know of."""
        unsaved = before.unsaved_hits if before else 0
        last = max(filed.description.last_used_at, before.description.last_used_at if before else 0.0)
        description = replace(filed.description, hits=filed.description.hits + unsaved, last_used_at=last)
        held = _Held(description, filed.stamp, unsaved, thumbnail_bytes=filed.thumbnail_bytes)
        self._held[description.digest] = held
        self.revision += 1
        return held

    def _write(self, held: _Held) -> None:
        self.revision += 1
        filed = self._folder.write(held.description, held.thumbnail)
        if filed is None:
            held.is_unsaved = True
            return
        held.stamp, held.thumbnail_bytes = filed.stamp, filed.thumbnail_bytes
        held.unsaved_hits, held.thumbnail, held.is_unsaved = 0, None, False

    def _look_at_all(self) -> None:
        for digest in self._folder.digests() | set(self._held):
            self._look(digest)
        self._is_complete = True

    def _evict(self) -> None:
        """What was not used for longest goes; pinned ones stay."""
        if not self._is_complete:
            self._look_at_all()
        excess = self._stored_bytes() - self._bound_bytes()
        unfiled = sum(held.stamp is None for held in self._held.values()) - MOST_UNFILED
        if excess <= 0 and unfiled <= 0:
            return
        loose = [held for held in self._held.values() if not held.description.pinned]
        for held in sorted(loose, key=lambda one: one.description.last_used_at):
            if (excess if held.stamp else unfiled) > 0 and self.delete(held.description.digest):
                excess -= held.stored_bytes
                unfiled -= held.stamp is None

    def _stored_bytes(self) -> int:
        return sum(held.stored_bytes for held in self._held.values() if held.stamp)
