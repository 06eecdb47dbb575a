"""Old pictures become their descriptions: what is known is taken from the store, the rest is asked of the vision model.

One call a picture, however many requests hold it, several side by side. A request waits only so long; then the
placeholder goes, and the description is finished for the next turn. No fault in here fails a request.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from proxy_core.chat import Conversation, Image
from proxy_core.context.pictures import (
    Standing,
    distinct_by_digest,
    first_fresh_message,
    picture_digest,
    replace_pictures,
    standing_pictures,
)
from proxy_core.ledger import Cut, SideCall, Stage
from proxy_core.pipeline.describing_flights import Flights, Outcome
from proxy_core.pipeline.picture_fitting import PictureFitter
from proxy_core.pipeline.setup import Setup
from proxy_core.pipeline.side_calls import SideCaller
from proxy_core.routing.catalogue import model_facts
from proxy_core.routing.route import resolve_model
from proxy_core.stores.descriptions import DescriptionStore
from proxy_core.tokens.count import Encoder
from proxy_core.tokens.images import image_tokens


@dataclass(frozen=True, slots=True)
class Described:
    """A conversation with its old pictures in words; the very same one where there was nothing to do.

    side_calls: those that this request began and whose answers it did not leave to the background.
    """

    conversation: Conversation
    cuts: tuple[Cut, ...] = ()
    side_calls: tuple[SideCall, ...] = ()


class Describer:
    """Serves all requests. clock: seconds that never go back."""

    def __init__(
        self,
        caller: SideCaller,
        store: DescriptionStore,
        fitter: PictureFitter,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._flights = Flights(caller, store, fitter, clock)

    async def replace(self, conversation: Conversation, setup: Setup, key: str, encode: Encoder) -> Described:
        """The conversation for the upstream. key: for the vision model, the same server's.

        Raises UnknownModelError where the router would, and nothing else.
        """
        first_fresh = first_fresh_message(conversation, setup.settings.image_age_threshold)
        wanted = _wanted(conversation, first_fresh, setup)
        if not wanted:
            return Described(conversation)
        digests = await asyncio.to_thread(_digests, wanted)
        chosen = distinct_by_digest(zip(wanted, digests, strict=True))
        texts, side_calls = await self._texts(conversation, chosen, setup, key)
        by_image = {id(one.image): texts.get(digest, "") for one, digest in zip(wanted, digests, strict=True)}
        edited, gone, words = replace_pictures(conversation, by_image, first_fresh)
        cuts = (_cut(gone, words, sum(map(bool, map(by_image.get, map(id, gone)))), encode),) if gone else ()
        return Described(edited, cuts, side_calls)

    async def _texts(
        self, conversation: Conversation, chosen: dict[str, Standing], setup: Setup, key: str
    ) -> tuple[dict[str, str], tuple[SideCall, ...]]:
        """Descriptions by digest, and what was paid for them just now."""
        known = await self._store.find(chosen)
        texts = {digest: one.text for digest, one in known.items()}
        if not setup.settings.generate_image_descriptions:
            return texts, ()
        missing = {
            digest: standing
            for digest, standing in chosen.items()
            if digest not in known or known[digest].is_to_be_made_again
        }
        outcomes: dict[str, Outcome] = await self._flights.wait_for(missing, conversation, setup, key)
        texts |= {digest: outcome.text for digest, outcome in outcomes.items() if outcome.text}
        return texts, tuple(outcome.call for outcome in outcomes.values() if outcome.call is not None)

    async def close(self) -> None:
        """End what is under way. The store is its owner's."""
        await self._flights.close()


def _wanted(conversation: Conversation, first_fresh: int, setup: Setup) -> tuple[Standing, ...]:
    """The old pictures, and with IMAGE_STRATEGY=describe the fresh ones for a model that does not see."""
    pictures = standing_pictures(conversation)
    if not pictures:
        return ()
    if setup.settings.image_strategy == "describe" and not _sees(conversation.model, setup):
        return pictures
    return tuple(one for one in pictures if one.index < first_fresh)


def _sees(asked: str, setup: Setup) -> bool:
    model = resolve_model(asked, setup.settings, setup.discovered).model
    return model == setup.settings.autovision_model or model_facts(model).sees


def _digests(pictures: tuple[Standing, ...]) -> list[str]:
    return [picture_digest(one.image) for one in pictures]


def _cut(gone: tuple[Image, ...], words: tuple[str, ...], described: int, encode: Encoder) -> Cut:
    return Cut(
        Stage.PICTURES,
        items=len(gone),
        removed_tokens=sum(map(image_tokens, gone)),
        added_tokens=sum(map(encode, words)),
        note=f"{described} described, {len(gone) - described} without a description",
    )
