"""usage: python -m tests.bench.session [--turns N]

Prints what one long session costs in four ways, by a vendor's prices and a prefix cache as the vendor documents it.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import aiohttp
import orjson

from app.paths import resources
from proxy_core.events import EventBus
from proxy_core.pipeline.setup import Setup
from proxy_core.server.proxy import Proxy
from proxy_core.settings import ProxySettings, Server
from proxy_core.stores.bundle import file_stores
from proxy_core.tokens.tables import load_encoder
from tests.bench.session import naive
from tests.bench.session.story import TURNS, requests
from tests.bench.session.vendor import Billed, Vendor, VendorServer

GOAL = Decimal("0.75")
_MOST_POINTS_LOST = 10
_EXPLAINED = f"""
calls: beyond the {{turns}} turns. points lost: of the cached share, against passing through, outside of turns on
which a summary is made or the model changes.
Goal: the cheapest of the first two and ours, at most {GOAL} of passing through, at most {_MOST_POINTS_LOST} points
lost: """


@dataclass(frozen=True)
class Outcome:
    """One way through the session. changes: indexes of turns on which a summary was made or the model changed."""

    title: str
    bills: tuple[Billed, ...]

    @property
    def cost(self) -> Decimal:
        return sum((bill.cost for bill in self.bills), Decimal(0))

    @property
    def turns(self) -> list[Billed]:
        return [bill for bill in self.bills if bill.purpose == "turn"]

    def quiet_turns(self) -> set[int]:
        """Turns with the same model as before and no summary on the way."""
        quiet, model, number, is_disturbed = set(), "", 0, False
        for bill in self.bills:
            if bill.purpose == "turn":
                if not is_disturbed and bill.model == model:
                    quiet.add(number)
                model, is_disturbed, number = bill.model, False, number + 1
            else:
                is_disturbed = is_disturbed or bill.purpose == "summary"
        return quiet


def cached_share(outcome: Outcome, turns: set[int]) -> float:
    """Cached tokens of these turns' prompts, of all their tokens."""
    chosen = [bill.usage for number, bill in enumerate(outcome.turns) if number in turns]
    return sum(usage.cached_tokens for usage in chosen) / max(sum(usage.prompt_tokens for usage in chosen), 1)


def pass_through(turns: int) -> Outcome:
    """Nothing is edited, and the text model takes pictures: the cheapest that doing nothing can be."""
    vendor = Vendor()
    for _, body in zip(range(turns), requests(), strict=False):
        vendor.bill(body, "turn", 90)
    return Outcome("passed through", tuple(vendor.bills))


def naively(turns: int) -> Outcome:
    """Edited as described in `naive`."""
    vendor = Vendor()
    for turn, body in zip(range(turns), requests(), strict=False):
        vendor.bill(naive.edit(body, turn, vendor), "turn", 90)
    return Outcome("naive edits", tuple(vendor.bills))


async def through_proxy(title: str, turns: int, **changes: object) -> Outcome:
    """The real proxy over HTTP, with all its stages."""
    server = VendorServer()
    upstream = await server.start()
    settings = ProxySettings.model_validate({"port": 0, **changes})
    with tempfile.TemporaryDirectory() as folder:
        proxy = _proxy(settings, upstream, Path(folder))
        await proxy.start()
        try:
            await _converse(proxy, turns)
        finally:
            await proxy.stop(0.0)
            await server.stop()
    return Outcome(title, tuple(server.vendor.bills))


async def _converse(proxy: Proxy, turns: int) -> None:
    assert proxy.address is not None
    url = f"http://127.0.0.1:{proxy.address[1]}/v1/messages"
    headers = {"x-api-key": "a-client-key", "content-type": "application/json"}
    async with aiohttp.ClientSession() as session:
        for turn, body in zip(range(turns), requests(), strict=False):
            async with session.post(url, data=orjson.dumps(body), headers=headers) as response:
                text = await response.text()
                assert response.status == 200, f"turn {turn}: {response.status} {text[:300]}"


def _told(outcome: Outcome, base: Outcome) -> str:
    prompts = sum(bill.usage.prompt_tokens for bill in outcome.bills)
    cached = sum(bill.usage.cached_tokens for bill in outcome.bills)
    calls = len(outcome.bills) - len(outcome.turns)
    quiet = outcome.quiet_turns()
    lost = (cached_share(base, quiet) - cached_share(outcome, quiet)) * 100
    return (
        f"{outcome.title:<34}{float(outcome.cost):>9.4f}{float(outcome.cost / base.cost):>8.2f}{prompts:>12,}"
        f"{cached / prompts:>9.1%}{lost:>12.1f}{calls:>8}{max(bill.usage.prompt_tokens for bill in outcome.bills):>11,}"
    )


async def main(turns: int) -> int:
    """Print the table; 1 if a goal is missed."""
    base = pass_through(turns)
    others = [naively(turns)]
    ours = await through_proxy("proxy", turns)
    others += [ours, await through_proxy("proxy, IMAGE_STRATEGY=describe", turns, image_strategy="describe")]
    sys.stdout.write(
        f"{'':<34}{'USD':>9}{'share':>8}{'prompt':>12}{'cached':>9}{'points lost':>12}{'calls':>8}{'longest':>11}\n"
    )
    for outcome in (base, *others):
        sys.stdout.write(_told(outcome, base) + "\n")
    quiet = ours.quiet_turns()
    lost = (cached_share(base, quiet) - cached_share(ours, quiet)) * 100
    is_cheapest = ours.cost == min(found.cost for found in (base, others[0], ours))
    is_met = is_cheapest and ours.cost <= GOAL * base.cost and lost <= _MOST_POINTS_LOST
    sys.stdout.write(f"{_EXPLAINED.format(turns=turns)}{'met' if is_met else 'MISSED'}\n")
    return 0 if is_met else 1


def _proxy(settings: ProxySettings, upstream: Server, folder: Path) -> Proxy:
    async def key_of(_: str) -> str:
        return "a-key-of-the-bench"

    return Proxy(
        setup=lambda: Setup(settings, upstream),
        key_of=key_of,
        bus=EventBus(),
        encoder=lambda: load_encoder(resources() / "tokenizers"),
        stores=file_stores(folder, lambda: settings.description_store_mb, time.time),
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="tests.bench.session")
    parser.add_argument("--turns", type=int, default=TURNS)
    raise SystemExit(asyncio.run(main(parser.parse_args().turns)))
