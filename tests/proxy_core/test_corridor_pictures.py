"""Pictures through the whole proxy: they go to a model that sees, on the side that shows it the picture."""

from __future__ import annotations

import base64
import io

import anthropic
import openai
import pytest
from PIL import Image as Pixels

from proxy_core.chat import Conversation, Image, Text, ToolCall, ToolResult
from tests.corridor import Corridor
from tests.legs import Leg, ask, request, says, seen

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
INLINE = Image("image/png", PNG)
LINKED = Image(url="https://pictures.example/cat.png")
ADDRESSES = {INLINE: f"data:image/png;base64,{PNG}", LINKED: LINKED.url}
CALL = says(ToolCall("c1", "look", "{}"), role="assistant")
CLIENTS = pytest.mark.parametrize("client", ["anthropic", "openai"])
BOTH = pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])


def items(corridor: Corridor) -> tuple[object, ...]:
    """All that the user said, whatever the turn."""
    return tuple(item for role, said in seen(corridor.upstream.last).turns if role == "user" for item in said)


@BOTH
@CLIENTS
@pytest.mark.parametrize("picture", [INLINE, LINKED], ids=["inline", "linked"])
@pytest.mark.parametrize("suffix", ["", "-anthropic", "-openai"])
async def test_a_picture_goes_to_the_vision_model(
    corridor: Corridor, client: str, picture: Image, suffix: str, stream: bool
) -> None:
    talk = request(says("What is it?", picture), model=f"glm-4.6{suffix}")
    heard = await ask(corridor, Leg(client, "openai"), talk, stream=stream)
    assert items(corridor) == (("text", "What is it?"), ("picture", ADDRESSES[picture]))
    assert (corridor.upstream.last.dialect, seen(corridor.upstream.last).model) == ("openai", "glm-4.6v")
    assert (heard.text, heard.model) == ("Hello, world.", f"glm-4.6{suffix}")


@pytest.mark.parametrize(
    ("asked", "served"),
    [
        ("glm-5.3-flash", "glm-5.3-flash"),
        ("glm-4.6v", "glm-4.6v"),
        ("claude-sonnet-x", "glm-4.5v"),
        ("gpt-5-mini", "glm-4.5v"),
        ("glm-5.3", "glm-4.5v"),
    ],
)
@CLIENTS
async def test_a_model_that_sees_stays_any_other_gives_way(
    corridor: Corridor, client: str, asked: str, served: str
) -> None:
    corridor.change(autovision_model="glm-4.5v")
    await ask(corridor, Leg(client, "openai"), request(says("See?", INLINE), model=asked), stream=False)
    assert seen(corridor.upstream.last).model == served


async def test_pictures_in_tool_results_follow_in_a_message_of_the_user(corridor: Corridor) -> None:
    result = ToolResult("c1", (Text("two:"), INLINE, LINKED))
    talk = request("Look.", CALL, says(result, "Well?"), model="claude-sonnet-x")
    await ask(corridor, Leg("anthropic", "openai"), talk, stream=False)
    assert seen(corridor.upstream.last).model == "glm-4.6v"
    assert items(corridor) == (
        ("text", "Look."),
        ("result", "c1", "two:\n[image 1 attached below]\n[image 2 attached below]", False),
        ("text", "Images returned by tools:"),
        ("picture", ADDRESSES[INLINE]),
        ("picture", LINKED.url),
        ("text", "Well?"),
    )


@pytest.mark.parametrize(
    "talk",
    [
        request(says("See?", INLINE), says("yes", role="assistant"), "And now?", model="glm-4.6"),
        request("Look.", CALL, says(ToolResult("c1", (INLINE,))), model="glm-4.6"),
    ],
    ids=["in an earlier turn", "in a tool result"],
)
async def test_a_picture_counts_wherever_it_stands(corridor: Corridor, talk: Conversation) -> None:
    await ask(corridor, Leg("anthropic", "openai"), talk, stream=False)
    assert corridor.upstream.last.dialect == "openai"
    assert seen(corridor.upstream.last).model == "glm-4.6v"


@CLIENTS
async def test_without_a_picture_text_goes_to_the_anthropic_side(corridor: Corridor, client: str) -> None:
    await ask(corridor, Leg(client, "anthropic"), request("hi", model="glm-4.6"), stream=False)
    assert corridor.upstream.last.dialect == "anthropic"


@pytest.mark.parametrize(
    ("client", "extra"),
    [
        ("openai", {"response_format": {"type": "json_object"}}),
        ("anthropic", {"output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}}}),
    ],
)
async def test_json_output_goes_where_it_exists(corridor: Corridor, client: str, extra: dict[str, object]) -> None:
    await ask(corridor, Leg(client, "openai"), request("hi", model="glm-4.6"), stream=False, **extra)
    assert corridor.upstream.last.dialect == "openai"
    assert corridor.upstream.last.body["response_format"] == {"type": "json_object"}


def picture_file(kind: str, size: tuple[int, int]) -> Image:
    file = io.BytesIO()
    Pixels.new("RGB", size, "red").save(file, kind)
    return Image(f"image/{kind.lower()}", base64.b64encode(file.getvalue()).decode())


@CLIENTS
@pytest.mark.parametrize(("kind", "size", "sent"), [("WEBP", (8, 6), (8, 6)), ("PNG", (6500, 2), (6000, 2))])
async def test_a_picture_is_made_to_fit(
    corridor: Corridor, client: str, kind: str, size: tuple[int, int], sent: tuple[int, int]
) -> None:
    talk = request(says("What?", picture_file(kind, size)), model="glm-4.6v")
    await ask(corridor, Leg(client, "openai"), talk, stream=False)
    words, (_, url) = items(corridor)
    assert words == ("text", "What?")
    assert url.startswith("data:image/png;base64,")
    assert Pixels.open(io.BytesIO(base64.b64decode(url.split(",")[1]))).size == sent


@CLIENTS
async def test_a_broken_picture_is_refused_and_named(corridor: Corridor, client: str) -> None:
    broken = Image("image/webp", base64.b64encode(b"RIFF no picture at all").decode())
    with pytest.raises((anthropic.BadRequestError, openai.BadRequestError), match=r"messages\.0: the picture"):
        await ask(corridor, Leg(client, "openai"), request(says("What?", broken), model="glm-4.6v"), stream=False)
    assert corridor.upstream.requests == []
