"""All stores of one proxy together, as they are opened and closed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from proxy_core.stores.description_files import FileDescriptionStore
from proxy_core.stores.descriptions import DescriptionStore
from proxy_core.stores.ratios import FileRatioStore, RatioStore
from proxy_core.stores.summaries import FileSummaryStore, SummaryStore


@dataclass(frozen=True, slots=True)
class Stores:
    """What was paid for once."""

    descriptions: DescriptionStore
    summaries: SummaryStore
    ratios: RatioStore

    async def close(self) -> None:
        """Write what waits."""
        await self.descriptions.close()
        await self.ratios.close()


def file_stores(folder: Path, description_mb: Callable[[], int], clock: Callable[[], float]) -> Stores:
    """The embedded ones, as files under `folder`, which is made when something is first kept.

    description_mb: the bound of the descriptions, asked anew each time. clock: unix seconds.
    """
    return Stores(
        FileDescriptionStore(folder / "pictures", description_mb, clock),
        FileSummaryStore(folder / "summaries", clock),
        FileRatioStore(folder / "ratios.json"),
    )
