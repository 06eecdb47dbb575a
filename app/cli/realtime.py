"""stats --realtime: the running instance, once a second."""

from __future__ import annotations

import asyncio
import json
import sys
from collections import deque
from collections.abc import Callable

from rich.live import Live
from rich.table import Table

from app.cli.desk import Desk, inner, number, objects, text
from app.cli.tables import pairs, table
from app.cli.words import clipped, count, duration, sparkline
from app.control.client import ControlClient
from proxy_core.jsontypes import JsonObject

_WIDTH = 48
_ROWS = 8
_RATES = {"Requests/s": "requests_per_s", "Tokens out/s": "output_tokens_per_s", "Tokens in/s": "input_tokens_per_s"}


class Curves:
    """The last minute, from the samples that snapshots bring."""

    def __init__(self) -> None:
        self._samples: deque[JsonObject] = deque(maxlen=_WIDTH)

    def add(self, sample: JsonObject) -> None:
        """One more; the same one again is none."""
        if sample and (not self._samples or self._samples[-1].get("at") != sample.get("at")):
            self._samples.append(sample)

    def rows(self) -> list[tuple[str, str]]:
        """A line for each rate: the newest value and its curve."""
        last = self._samples[-1] if self._samples else {}
        return [
            (label, f"{number(last, name):>9,.1f}  {sparkline([number(one, name) for one in self._samples], _WIDTH)}")
            for label, name in _RATES.items()
        ]


def watch(desk: Desk, seconds: int) -> None:
    """Until interrupted, for so many seconds (0: for ever), or until the instance ends."""
    client = desk.need()
    curves = Curves()
    for sample in objects(client.series(_WIDTH), "samples"):
        curves.add(sample)
    try:
        if desk.as_json or not desk.out.is_terminal:
            asyncio.run(_follow(client, seconds, _json_line if desk.as_json else _text_line))
            return
        with Live(console=desk.out, auto_refresh=False, screen=False) as live:
            asyncio.run(_follow(client, seconds, lambda seen: live.update(_picture(seen, curves), refresh=True)))
    except KeyboardInterrupt:
        return


async def _follow(client: ControlClient, seconds: int, show: Callable[[JsonObject], None]) -> None:
    from app.control.live_client import LiveControlClient  # aiohttp, which other commands need not wait for

    seen = 0
    async for snapshot in LiveControlClient(client).events():
        show(snapshot)
        seen += 1
        if seconds and seen >= seconds:
            return


def _json_line(snapshot: JsonObject) -> None:
    sys.stdout.write(json.dumps(snapshot, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def _text_line(snapshot: JsonObject) -> None:
    status, sample = inner(snapshot, "status"), inner(snapshot, "sample")
    rates = "  ".join(f"{label} {number(sample, name):.1f}" for label, name in _RATES.items())
    line = f"{rates}  running {text(status, 'in_flight')}  ended {text(status, 'requests')}"
    sys.stdout.write(f"{line}  failed {text(status, 'failures')}\n")
    sys.stdout.flush()


def _picture(snapshot: JsonObject, curves: Curves) -> Table:
    status = inner(snapshot, "status")
    curves.add(inner(snapshot, "sample"))
    head = f"{text(status, 'address')} → {text(status, 'server')}"
    head += f"   {text(status, 'in_flight')} running, {count(number(status, 'requests'))} ended"
    head += f", {count(number(status, 'failures'))} failed"
    whole = Table.grid()
    whole.add_row(head)
    whole.add_row(pairs(curves.rows()))
    running = objects(snapshot, "running")[:_ROWS]
    if running:
        heads = ("Client", "Model", "For>", "Out>")
        whole.add_row(table(heads, (_running(row) for row in running)))
    whole.add_row("Ctrl+C ends this view; the proxy goes on.")
    return whole


def _running(row: JsonObject) -> tuple[str, ...]:
    client, model = clipped(text(row, "client"), 24), clipped(text(row, "served_model"), 24)
    return client, model, duration(number(row, "duration_s")), count(number(row, "output_tokens"))
