"""A describer over a scripted upstream and a folder of the test, and conversations with pictures."""

from __future__ import annotations

import io
from base64 import b64encode
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path

from PIL import Image as Pixels

from proxy_core.chat import Answer, Conversation, Image, Message, StopReason, Text, Usage
from proxy_core.events import Event, EventBus
from proxy_core.pipeline.describing import Described, Describer
from proxy_core.pipeline.picture_fitting import PictureFitter
from proxy_core.pipeline.sending import Sender
from proxy_core.pipeline.setup import Setup
from proxy_core.pipeline.side_calls import SideCaller
from proxy_core.settings import ProxySettings, Server
from proxy_core.stores.descriptions import DescriptionStore
from proxy_core.upstream.client import UpstreamClient
from proxy_core.upstream.retry import Pace
from tests.fake_upstream import FakeUpstream, Reply
from tests.proxy_core.stores.shelves import Clock, open_store

KEY = "key-of-the-test"
LONG_S = 3000.0
"""Nothing here takes so long: a request that waits, waits for the event."""


def says(text: str, stop: StopReason = StopReason.END_TURN) -> Reply:
    """What the vision model answers."""
    return Reply(answer=Answer("a1", "glm-4.6v", (Text(text),), stop, Usage(500, 0, 0, 9)))


@cache
def red(side: int = 20, kind: str = "PNG", color: str = "red") -> Image:
    """A picture of one colour."""
    file = io.BytesIO()
    Pixels.new("RGB", (side, side), color).save(file, kind)
    return Image(f"image/{kind.lower()}", b64encode(file.getvalue()).decode())


def talk(*images: Image, model: str = "glm-4.6", fresh: Sequence[Image] = ()) -> Conversation:
    """A message for each picture, an answer, three turns without one, and a last message with the fresh ones."""
    old = [Message("user", (Text("Look:"), image)) for image in images]
    between = [Message("assistant", (Text("Yes."),)), Message("user", (Text("Go on."),))] * 2
    end = [Message("assistant", (Text("Done."),)), Message("user", (Text("And this?"), *fresh))]
    return Conversation("openai", model, (*old, *between, *end))


def texts(done: Described) -> list[str]:
    """What stands in the places of the pictures; "picture" for one that stays."""
    second = [message.parts[1] for message in done.conversation.messages if len(message.parts) > 1]
    return [part.text if isinstance(part, Text) else "picture" for part in second]


class Desk:
    """The describer and all that it needs, in the test's hands."""

    def __init__(self, upstream: FakeUpstream, server: Server, client: UpstreamClient, store: DescriptionStore) -> None:
        self.upstream = upstream
        self.server = server
        self.settings = ProxySettings(max_retries=0, image_description_timeout=LONG_S)
        self.clock = Clock()
        self.store = store
        self.fitter = PictureFitter()
        self.events: list[Event] = []
        bus = EventBus()
        bus.subscribe(self.events.append)
        self.caller = SideCaller(Sender(client, Pace(), Clock()), bus, Clock())
        self.describer = self.another()

    def another(self, store: DescriptionStore | None = None) -> Describer:
        """As after a restart, or in another process."""
        return Describer(self.caller, store or self.store, self.fitter, self.clock)

    def change(self, **changes: object) -> None:
        """Other settings from the next request on."""
        self.settings = ProxySettings.model_validate(self.settings.model_dump() | changes)

    async def replace(self, conversation: Conversation, describer: Describer | None = None) -> Described:
        """One request."""
        setup = Setup(self.settings, self.server)
        return await (describer or self.describer).replace(conversation, setup, KEY, len)

    @property
    def calls(self) -> int:
        """So many descriptions were asked for."""
        return len(self.upstream.requests)


@asynccontextmanager
async def open_desk(upstream: FakeUpstream, folder: Path) -> AsyncIterator[Desk]:
    """All of it, closed at the end in the order of a proxy."""
    server = await upstream.start()
    client = UpstreamClient()
    await client.open()
    desk = Desk(upstream, server, client, open_store(folder))
    yield desk
    await desk.describer.close()
    await client.close()
    desk.fitter.close()
