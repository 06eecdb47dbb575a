"""The session that is simulated: 60 turns of a coding agent in the manner of Cline, as its client would send them.

Deterministic. Each turn the agent reads a file (or edits one), the client sends the result with an environment block
as the last part, as Roo, Kilo and Cline do; twice the user pastes a screenshot.
"""

from __future__ import annotations

import base64
import io
import random
import re
from collections.abc import Iterator

from PIL import Image, ImageDraw

from proxy_core.jsontypes import JsonObject

TURNS = 60
SCREENSHOTS = (14, 38)
_WORDS = re.findall(
    r"\w+",
    "value index result request buffer stream parse token window cursor branch commit lock queue worker session "
    "handler cache entry digest layout render update handle socket packet frame header field config option",
)
_FILE_LINES = 170
_TABS = 45
_LISTING = 220
TOOLS: list[JsonObject] = [
    {
        "name": name,
        "description": f"Use this tool to {name.replace('_', ' ')} in the workspace. " * 6,
        "input_schema": {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]},
    }
    for name in ("read_file", "write_to_file", "apply_diff", "search_files", "execute_command", "list_files")
]
SYSTEM = "You are a careful engineer who works in steps and uses one tool per message. " * 120


def requests() -> Iterator[JsonObject]:
    """The body of each turn in order: the whole history, as stateless clients send it."""
    rng = random.Random(60)
    messages: list[JsonObject] = []
    for turn in range(TURNS):
        messages.append({"role": "user", "content": _user_parts(turn, rng)})
        yield {
            "model": "glm-4.6",
            "max_tokens": 4096,
            "system": [{"type": "text", "text": SYSTEM}],
            "tools": TOOLS,
            "messages": [*messages],
        }
        messages.append({"role": "assistant", "content": _answer_parts(turn, rng)})


def _user_parts(turn: int, rng: random.Random) -> list[JsonObject]:
    parts: list[JsonObject] = []
    if turn == 0:
        parts.append(
            {"type": "text", "text": "<task>\nMake the importer twice as fast and keep its tests green.\n</task>"}
        )
    else:
        text = _source(turn, rng)
        parts.append({"type": "tool_result", "tool_use_id": f"toolu_{turn - 1}", "content": text})
    if turn in SCREENSHOTS:
        parts.append({"type": "text", "text": "This is what the window shows now; the column on the right is wrong."})
        parts.append({"type": "image", "source": screenshot(turn)})
    parts.append({"type": "text", "text": _environment(turn, rng)})
    return parts


def _answer_parts(turn: int, rng: random.Random) -> list[JsonObject]:
    said = f"Step {turn}: next I look at src/module_{turn}.py. " + " ".join(rng.choices(_WORDS, k=60))
    call: JsonObject = {
        "type": "tool_use",
        "id": f"toolu_{turn}",
        "name": "read_file",
        "input": {"path": f"src/module_{turn}.py"},
    }
    return [{"type": "text", "text": said}, call]


def _source(turn: int, rng: random.Random) -> str:
    lines = [f"# src/module_{turn - 1}.py"]
    for number in range(_FILE_LINES + rng.randrange(60)):
        left, right, third = rng.choices(_WORDS, k=3)
        lines.append(f"{number + 1:4} |     {left}_{number} = {right}({third}, {rng.randrange(1000)})")
    return "\n".join(lines)


def _environment(turn: int, rng: random.Random) -> str:
    tabs = "\n".join(f"src/{rng.choice(_WORDS)}/module_{rng.randrange(90)}.py" for _ in range(_TABS))
    listing = ""
    if turn == 0:
        files = "\n".join(f"src/{rng.choice(_WORDS)}/file_{number}.py" for number in range(_LISTING))
        listing = f"\n\n# Current Workspace Directory (/home/dev/importer) Files\n{files}"
    return (
        f"<environment_details>\n# VSCode Visible Files\nsrc/module_{turn}.py\n\n# VSCode Open Tabs\n{tabs}\n\n"
        f"# Current Time\nCurrent time in ISO 8601 UTC format: 2026-03-10T21:{turn:02}:05.000Z\n"
        f"User time zone: Europe/Berlin, UTC+1:00\n\n# Current Cost\n${turn * 0.03:.2f}\n\n"
        "# Current Mode\n<slug>code</slug>\n<name>Code</name>\n<model>glm-4.6</model>"
        f"{listing}\n</environment_details>"
    )


def screenshot(turn: int) -> JsonObject:
    """An Anthropic picture source: a window of 1280 by 800 with some boxes."""
    picture = Image.new("RGB", (1280, 800), "white")
    draw = ImageDraw.Draw(picture)
    for row in range(12):
        draw.rectangle((40, 40 + row * 60, 400 + row * turn, 80 + row * 60), fill=(row * 20, 90, 200 - row * 10))
    data = io.BytesIO()
    picture.save(data, "PNG")
    return {"type": "base64", "media_type": "image/png", "data": base64.b64encode(data.getvalue()).decode()}
