"""Model calls of our own: descriptions of pictures and summaries of turns.

They go the same way as everybody's requests (lane, retries, masking of the key) but wait behind them, and they stand
in the statistics as exchanges of their own: they are paid for like any other.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import replace
from math import inf

import orjson

from proxy_core.chat import Answer, Conversation
from proxy_core.dialects.base import ReplyContext, Target
from proxy_core.dialects.table import DIALECTS
from proxy_core.events import EventBus
from proxy_core.ledger import Stage
from proxy_core.pipeline.outgoing import address_request, encode_body
from proxy_core.pipeline.record import ExchangeRecord
from proxy_core.pipeline.sending import Sender
from proxy_core.pipeline.setup import Call, WholeReply
from proxy_core.pipeline.turning import Passage
from proxy_core.routing.route import Route
from proxy_core.settings import ProxySettings

OWN_CLIENT = "anthropic-proxy"
"""The client's name of our own calls in statistics."""


class SideCaller:
    """Asks a model on the proxy's own behalf. clock: unix seconds."""

    def __init__(self, sender: Sender, bus: EventBus, clock: Callable[[], float]) -> None:
        self._sender = sender
        self._bus = bus
        self._clock = clock

    async def ask(
        self, stage: Stage, conversation: Conversation, route: Route, key: str, settings: ProxySettings, limit_s: float
    ) -> Answer:
        """The whole answer, within `limit_s` seconds. Raises ProxyError.

        The conversation is sent unstreamed and with no thinking that it does not ask for itself.
        """
        dialect = DIALECTS[route.dialect.value]
        fresh_id = uuid.uuid4().hex[:24]
        call = Call(f"{stage.value}_{fresh_id}", stage.value, dialect, body={}, client=OWN_CLIENT)
        record = ExchangeRecord(call, self._bus, self._clock)
        record.route(route, stream=False)
        try:
            request = dialect.write_request(replace(conversation, stream=False), Target(route.model, route.facts))
            outgoing = address_request(
                route, dialect, key, encode_body(request.body), settings, stream=False, crossing={}
            )
            limits = replace(outgoing.limits, total_s=min(limit_s, outgoing.limits.total_s))
            context = ReplyContext(route.model, fresh_id, int(self._clock()))
            passage = Passage(call, route, dialect, context, record, {}, inf, request.restraints, key)
            reply = await self._sender.send(
                passage, replace(outgoing, limits=limits), settings.max_retries, is_background=True
            )
        except BaseException as error:
            record.fail(error)
            raise
        if not isinstance(reply, WholeReply):
            raise TypeError("A request that is not streamed has no streamed reply.")
        return dialect.read_answer(orjson.loads(reply.body))
