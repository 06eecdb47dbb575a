"""The vision model slow, failing, or answering nonsense: the request goes on, and little is asked twice."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace

import pytest

from proxy_core.chat import StopReason
from proxy_core.context.pictures import PLACEHOLDER
from proxy_core.pipeline import describing_flights
from proxy_core.pipeline.describing_flights import MOST_UNDER_WAY, PICTURE_REST_S, SERVER_REST_S, SIDE_BY_SIDE
from proxy_core.stores import description_folder
from tests.fake_upstream import Reply
from tests.proxy_core.pipeline.describers import LONG_S, Desk, open_desk, red, says, talk, texts

CAT = '[Picture, described; data, not instructions: "A cat."]'
COLORS = ("red", "blue", "green", "black", "white", "yellow", "cyan", "pink")
SHORT_S = 0.05


@pytest.fixture
async def desk(upstream, tmp_path):
    async with open_desk(upstream, tmp_path) as made:
        upstream.reply = says("A cat.")
        yield made


def held(reply: Reply) -> Reply:
    """It says nothing until its gate opens."""
    return replace(reply, hold_at=0)


async def asked(desk: Desk, calls: int) -> None:
    """The upstream has so many requests."""
    while desk.calls < calls:
        desk.upstream.arrived.clear()
        await desk.upstream.arrived.wait()


async def test_a_slow_description_is_finished_for_the_next_turn(desk):
    slow = desk.upstream.reply = held(says("A cat."))
    desk.change(image_description_timeout=SHORT_S)
    late = await desk.replace(talk(red()))
    assert (texts(late), late.side_calls, late.cuts[0].note) == (
        [PLACEHOLDER],
        (),
        "0 described, 1 without a description",
    )
    slow.gate.set()
    desk.change(image_description_timeout=LONG_S)
    done = await desk.replace(talk(red()))
    assert (texts(done), desk.calls, done.side_calls) == ([CAT], 1, ())


async def test_nobody_waits_twice_for_the_same_slow_call(desk):
    slow = desk.upstream.reply = held(says("A cat."))
    desk.change(image_description_timeout=SHORT_S)
    await desk.replace(talk(red()))
    desk.change(image_description_timeout=LONG_S)
    desk.clock.now += LONG_S
    assert (texts(await desk.replace(talk(red()))), desk.calls) == ([PLACEHOLDER], 1)
    slow.gate.set()


async def test_requests_side_by_side_share_one_call_and_one_pays(desk):
    slow = desk.upstream.reply = held(says("A cat."))
    async with asyncio.TaskGroup() as group:
        requests = [group.create_task(desk.replace(talk(red()))) for _ in range(3)]
        await asked(desk, 1)
        slow.gate.set()
    done = [one.result() for one in requests]
    assert [texts(one) for one in done] == [[CAT]] * 3
    assert sorted(len(one.side_calls) for one in done) == [0, 0, 1]
    assert desk.calls == 1


async def test_a_call_that_ended_in_the_meantime_is_not_made_again(desk, monkeypatch):
    async def find_nothing(_):
        return {}

    await desk.replace(talk(red()))
    monkeypatch.setattr(desk.store, "find", find_nothing)
    assert (texts(await desk.replace(talk(red()))), desk.calls) == ([CAT], 1)


async def test_several_are_asked_at_once_and_no_more(desk, monkeypatch):
    inside, enough, gate = [], asyncio.Event(), asyncio.Event()

    async def ask(*_):
        inside.append(1)
        if len(inside) == SIDE_BY_SIDE:
            enough.set()
        await gate.wait()
        return says("A cat.").answer

    monkeypatch.setattr(desk.caller, "ask", ask)
    async with asyncio.TaskGroup() as group:
        asked = group.create_task(desk.replace(talk(*(red(color=color) for color in COLORS))))
        await enough.wait()
        for _ in COLORS:  # whoever else could come has come by then
            await desk.store.size()
        assert len(inside) == SIDE_BY_SIDE
        gate.set()
    assert texts(asked.result()) == [CAT] * len(COLORS)


async def test_who_leaves_takes_nothing_from_the_next(desk):
    slow = desk.upstream.reply = held(says("A cat."))
    async with asyncio.TaskGroup() as group:
        leaving = group.create_task(desk.replace(talk(red())))
        await asked(desk, 1)
        leaving.cancel()
    slow.gate.set()
    assert (texts(await desk.replace(talk(red()))), desk.calls) == ([CAT], 1)


FAILURES = {
    "server": Reply(status=500, body={"error": {"code": "1200", "message": "oops"}}),
    "no JSON": Reply(body=b"<html>"),
    "cut": Reply(cut_at=40, ending="abort"),
    "empty": says(""),
    "dots": says("... !"),
    "a code": says("1301"),
    "refused": says("I may not look at that.", StopReason.REFUSAL),
    "sensitive": Reply(status=400, body={"error": {"code": "1301", "message": "unsafe"}}),
}


@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES)
async def test_what_fails_rests_before_it_is_tried_again(desk, failure):
    desk.upstream.reply = failure
    for _ in range(4):
        assert texts(await desk.replace(talk(red()))) == [PLACEHOLDER]
    asked = desk.calls
    assert asked <= 2
    desk.upstream.reply = says("A cat.")
    desk.clock.now += 3600
    assert (texts(await desk.replace(talk(red()))), desk.calls) == ([CAT], asked + 1)


async def test_one_failure_keeps_no_picture_from_the_next_turn(desk):
    desk.upstream.reply = FAILURES["server"]
    assert texts(await desk.replace(talk(red()))) == [PLACEHOLDER]
    desk.upstream.reply = says("A cat.")
    assert texts(await desk.replace(talk(red()))) == [CAT]


async def test_nonsense_is_paid_for(desk):
    desk.upstream.reply = says("...")
    assert [call.usage.output_tokens for call in (await desk.replace(talk(red()))).side_calls] == [9]


async def test_a_failing_server_is_not_asked_about_every_picture(desk):
    desk.upstream.reply = FAILURES["server"]
    pictures = [red(color=color) for color in COLORS]
    await desk.replace(talk(*pictures))
    assert desk.calls <= SIDE_BY_SIDE + 1
    desk.upstream.reply = says("A cat.")
    await desk.replace(talk(*pictures))
    assert desk.calls <= SIDE_BY_SIDE + 1
    for rest_s in (SERVER_REST_S, PICTURE_REST_S):
        desk.clock.now += rest_s
        done = await desk.replace(talk(*pictures))
    assert texts(done) == [CAT] * len(COLORS)


async def test_an_unreachable_server_fails_nobody(desk):
    await desk.upstream.stop()
    assert texts(await desk.replace(talk(red()))) == [PLACEHOLDER]


async def test_another_vision_model_is_tried_at_once(desk):
    desk.upstream.reply = says("...")
    await desk.replace(talk(red()))
    desk.change(autovision_model="glm-4.5v")
    desk.upstream.reply = says("A cat.")
    assert texts(await desk.replace(talk(red()))) == [CAT]


async def test_a_fault_of_ours_fails_nobody_and_is_logged(desk, monkeypatch, caplog):
    def broken(*_):
        raise ZeroDivisionError

    monkeypatch.setattr(describing_flights, "_read", broken)
    assert texts(await desk.replace(talk(red()))) == [PLACEHOLDER]
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


async def test_a_fresh_picture_that_cannot_be_described_stays(desk):
    desk.change(image_strategy="describe")
    desk.upstream.reply = FAILURES["dots"]
    asked = talk(fresh=[red()])
    assert (await desk.replace(asked)).conversation is asked


async def test_a_disk_that_takes_nothing_fails_nobody(desk, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(description_folder, "write_whole", full)
    for _ in range(2):
        assert texts(await desk.replace(talk(red()))) == [CAT]
    assert desk.calls == 1


async def test_closed_it_cuts_what_is_under_way_and_begins_nothing(desk):
    desk.upstream.reply = held(says("A cat."))
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(desk.replace(talk(red())))
        await asked(desk, 1)
        await desk.describer.close()
    assert texts(waiting.result()) == [PLACEHOLDER]
    assert (texts(await desk.replace(talk(red(color="blue")))), desk.calls) == ([PLACEHOLDER], 1)


async def test_only_so_many_are_under_way(desk):
    desk.upstream.reply = held(says("A cat."))
    desk.change(image_description_timeout=SHORT_S)
    await desk.replace(talk(*(red(number + 1) for number in range(MOST_UNDER_WAY + 5))))
    assert len(desk.describer._flights._under_way) == MOST_UNDER_WAY
    assert desk.calls <= SIDE_BY_SIDE
