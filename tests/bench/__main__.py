"""usage: python -m tests.bench [--quick] [--rounds N] [--only WORD] [--targets headless,tray]

Prints the table and keeps every sample in build/bench/latest.json.
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import json
import os
import pathlib
import platform
import random
import sys
import tempfile
import time

from tests.bench import targets as programs
from tests.bench.measures import Measure, all_measures, cpu_per_request, read_streams
from tests.bench.shapes import MESSAGES
from tests.bench.table import Line, Samples, is_missed, line, render
from tests.bench.targets import Target

QUIET_LOAD = 0.7  # above it other programs take part in what is measured
RESULTS = pathlib.Path("build/bench/latest.json")
SETTLE_S = 3.0  # by then the token tables are loaded, in a thread


@dataclasses.dataclass(frozen=True)
class Plan:
    """How much is measured. blocks: of the decay run, each of block requests."""

    rounds: int
    starts: int
    scale: float
    blocks: int
    block: int
    only: str
    ours: tuple[str, ...]


def make_plan(arguments: list[str]) -> Plan:
    parser = argparse.ArgumentParser(prog="tests.bench")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--only", default="", help="only lines whose title contains this")
    parser.add_argument("--targets", default="headless,tray")
    args = parser.parse_args(arguments)
    ours = tuple(name for name in args.targets.split(",") if name)
    if args.quick:
        return Plan(args.rounds or 2, 1, 0.3, 4, 1000, args.only, ours)
    return Plan(args.rounds or 5, 3, 1.0, 6, 5000, args.only, ours)


def tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


async def interleaved(plan: Plan, measures: list[Measure], all_targets: list[Target]) -> dict[str, Samples]:
    """Every measure on every target, round by round, in a new order each time."""
    found: dict[str, Samples] = {measure.title: {target.name: [] for target in all_targets} for measure in measures}
    for number in range(plan.rounds):
        tell(f"round {number + 1} of {plan.rounds} (load {os.getloadavg()[0]:.1f})")
        for measure in random.sample(measures, len(measures)):
            for target in random.sample(all_targets, len(all_targets)):
                with programs.only(target, all_targets):
                    found[measure.title][target.name].append(await measure.run(target))
    return found


async def starts_and_memory(plan: Plan, upstream_port: int, folder: pathlib.Path) -> dict[str, Samples]:
    """Fresh processes: seconds to the first answer, MiB idle and what 200 streams add."""
    names = ("bare", "bare-qt", *plan.ours)
    found: dict[str, Samples] = {title: {name: [] for name in names} for title in ("start", "idle", "grown")}
    for number in range(plan.starts):
        tell(f"starts and memory, {number + 1} of {plan.starts}")
        for name in random.sample(names, len(names)):
            async with programs.running([name], upstream_port, folder) as [target]:
                await asyncio.sleep(SETTLE_S)
                idle = target.rss_mib()
                await read_streams(target, MESSAGES, 200, 25)
                found["start"][name].append(target.start_s)
                found["idle"][name].append(idle)
                found["grown"][name].append(target.rss_mib() - idle)
    return found


def memory_lines(found: dict[str, Samples]) -> list[Line]:
    """Headless beside the bare one, the tray program beside the bare one on Qt with a plot."""

    def ratios(title: str) -> dict[str, list[float]]:
        beside = {"headless": "bare", "tray": "bare-qt"}
        samples = found[title]
        pairs = {name: zip(samples[name], samples[beside[name]], strict=True) for name in beside if name in samples}
        return {name: [mine / floor for mine, floor in pair] for name, pair in pairs.items()}

    start, idle, grown = ratios("start"), ratios("idle"), found["grown"].get("tray", [])
    return [
        Line(
            "start to first answer", "s", found["start"], start, "<= 2x bare on Qt", is_missed(start.get("tray", []), 2)
        ),
        Line("memory, idle", "MiB", found["idle"], idle, "<= 1.5x bare on Qt", is_missed(idle.get("tray", []), 1.5)),
        Line("memory, more after 200 streams", "MiB", found["grown"], {}, "<= 15 MiB", is_missed(grown, 15)),
    ]


async def decay(plan: Plan, upstream_port: int, folder: pathlib.Path) -> list[Line]:
    """CPU a request in the last block beside the first one, in fresh processes."""
    costs: dict[str, list[float]] = {}
    for name in ("bare", *plan.ours):
        tell(f"{plan.blocks * plan.block} requests: {name}")
        async with programs.running([name], upstream_port, folder) as [target]:
            costs[name] = await cpu_per_request(target, plan.blocks, plan.block)
    first = {name: cost[:1] for name, cost in costs.items()}
    last = {name: cost[-1:] for name, cost in costs.items()}
    falls = {name: [cost[-1] / cost[0]] for name, cost in costs.items()}
    missed = is_missed(falls.get("tray", []), 1.2)
    return [
        Line(f"CPU a request, first {plan.block}", "ms", first, {}),
        Line(f"CPU a request, after {plan.blocks * plan.block}", "ms", last, {}),
        Line("last : first", "", falls, {}, "<= 1.2", missed),
    ]


async def measure_all(plan: Plan, folder: pathlib.Path) -> list[Line]:
    """All parts of the bench, one after the other."""
    measures = [measure for measure in all_measures(plan.scale) if plan.only in measure.title]
    lines: list[Line] = []
    with programs.upstream() as direct:
        if measures:
            async with programs.running(("bare", *plan.ours), direct.port, folder) as started:
                found = await interleaved(plan, measures, [direct, *started])
            lines += [line(measure, found[measure.title]) for measure in measures]
        if plan.only in "starts and memory":
            lines += memory_lines(await starts_and_memory(plan, direct.port, folder))
        if plan.only in "decay":
            lines += await decay(plan, direct.port, folder)
    return lines


def keep(lines: list[Line], took_s: float, load: float) -> None:
    """Every sample, for comparison with a later run."""
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    facts = {
        "python": platform.python_version(),
        "system": platform.system(),
        "took_s": round(took_s),
        "load_before": load,
    }
    rows = [dataclasses.asdict(one) for one in lines]
    RESULTS.write_text(json.dumps({**facts, "lines": rows}, indent=1))


def main() -> None:
    plan = make_plan(sys.argv[1:])
    began, load = time.monotonic(), os.getloadavg()[0]
    if load > QUIET_LOAD:
        tell(f"Other programs are busy (load {load:.1f}): do not trust the figures, least of all p99.")
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        lines = asyncio.run(measure_all(plan, pathlib.Path(folder)))
    keep(lines, time.monotonic() - began, load)
    print(render(lines))
    print(
        f"\nMedians of {plan.rounds} rounds. Memory and start of the tray program are beside the bare one on Qt with a"
        f" plot. {time.monotonic() - began:.0f} s, Python {platform.python_version()}, {os.cpu_count()} cores,"
        f" load before {load:.1f}."
    )


if __name__ == "__main__":
    main()
