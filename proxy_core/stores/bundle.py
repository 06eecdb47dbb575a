"""All stores of one proxy together, as they are opened and closed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from proxy_core.stores.description_files import FileDescriptionStore
from proxy_core.stores.descriptions import DescriptionStore
from proxy_core.stores.ratios import FileRatioStore, RatioStore
from proxy_core.stores.shared_breakers import SharedBreakers
from proxy_core.stores.shared_descriptions import SharedDescriptionStore
from proxy_core.stores.shared_limits import SharedLimits
from proxy_core.stores.shared_link import SharedLink
from proxy_core.stores.shared_ratios import SharedRatioStore
from proxy_core.stores.shared_summaries import SharedSummaryStore
from proxy_core.stores.summaries import FileSummaryStore, SummaryStore


@dataclass(frozen=True, slots=True)
class Stores:
    """What was paid for once, and what proxies agree on. link: to the store shared with others, if there is one."""

    descriptions: DescriptionStore
    summaries: SummaryStore
    ratios: RatioStore
    link: SharedLink | None = None
    limits: SharedLimits | None = None
    breakers: SharedBreakers | None = None

    async def open(self) -> None:
        """To be called on the loop before use. Idempotent; never raises for a store."""
        if self.link is not None:
            await self.link.open()

    async def close(self) -> None:
        """Write what waits."""
        await self.descriptions.close()
        await self.ratios.close()
        if self.link is not None:
            await self.link.close()


def file_stores(folder: Path, description_mb: Callable[[], int], clock: Callable[[], float]) -> Stores:
    """The embedded ones, as files under `folder`, which is made when something is first kept.

    description_mb: the bound of the descriptions, asked anew each time. clock: unix seconds.
    """
    return open_stores("", folder, description_mb, clock)


def open_stores(
    shared: str,
    folder: Path,
    description_mb: Callable[[], int],
    clock: Callable[[], float],
    say: Callable[[str], None] = lambda _: None,
) -> Stores:
    """As `file_stores`, and over them the store of this address that other proxies share; "": none.

    say: told once when that store goes, and once when it is back. Raises ValueError for what is no address.
    """
    descriptions = FileDescriptionStore(folder / "pictures", description_mb, clock)
    summaries = FileSummaryStore(folder / "summaries", clock)
    ratios = FileRatioStore(folder / "ratios.json")
    if not shared:
        return Stores(descriptions, summaries, ratios)
    link = SharedLink(shared, say)
    return Stores(
        SharedDescriptionStore(link, descriptions),
        SharedSummaryStore(link, summaries),
        SharedRatioStore(link, ratios),
        link,
        SharedLimits(link),
        SharedBreakers(link),
    )
