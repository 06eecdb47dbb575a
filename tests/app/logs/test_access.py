"""Every line that belongs to a request says to which, in each file and from each task that worked for it."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from collections import Counter
from pathlib import Path

from app.logs import close_files, open_files, setup_logging
from app.logs.files import LogBounds
from tests.app.runtimes import ask, make_runtime


def read(folder: Path, stream: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / f"{stream}.jsonl").read_text().splitlines()]


async def test_trouble_with_the_files_is_a_notice_also_if_it_came_before(tmp_path: Path, output: io.StringIO) -> None:
    setup_logging("INFO", structured=False, stream=output)
    (tmp_path / "logs").write_text("in the way")
    open_files(tmp_path / "logs", LogBounds())
    logging.getLogger("app.test").info("lost")
    async with asyncio.timeout(20):
        while "cannot be written" not in output.getvalue():
            await asyncio.sleep(0.01)
    runtime = make_runtime(tmp_path, demo=True)
    await runtime.start()
    async with asyncio.timeout(20):
        while not (notices := [one for one in runtime.state.snapshot().notices if "cannot be written" in one]):
            await asyncio.sleep(0.01)
    await runtime.stop()
    assert len(notices) == 1


async def test_each_exchange_is_one_line_and_its_requests_bear_its_id(tmp_path: Path, output: object) -> None:
    setup_logging("DEBUG", structured=False, stream=output)
    open_files(tmp_path / "logs", LogBounds())
    runtime = make_runtime(tmp_path, demo=True, config="max_retries: 0\n")
    await runtime.start()
    statuses = [(await ask(runtime, text=text))[0] for text in ("fast", "error 1302", "fast")]
    await runtime.stop()
    close_files()
    access = read(tmp_path / "logs", "access")
    assert [line["status"] for line in access] == statuses
    assert {(line["event"], line["door"], line["server"]) for line in access} == {
        ("exchange", "/v1/chat/completions", "demo")
    }
    ids = [line["request_id"] for line in access]
    sent = Counter(line.get("request_id") for line in read(tmp_path / "logs", "upstream") if "request" in line["event"])
    assert [sent[request_id] - line["retries"] for request_id, line in zip(ids, access, strict=True)] == [1, 1, 1]
    told = [line for line in read(tmp_path / "logs", "application") if any(i in str(line["event"]) for i in ids)]
    assert {line.get("request_id") in ids for line in told} == {True}
