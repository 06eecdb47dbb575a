"""Examining a key: which of the vendor's regions, plans and dialects takes it, asked side by side.

Users hold one key and have four addresses to choose from; a key of the wrong plan or region is refused with words
that do not say so (code 1113 for a plan's key at the pay-as-you-go address, 401 in the other region).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from proxy_core.errors import ErrorKind, ProxyError
from proxy_core.redact import MASK, redact_text
from proxy_core.settings import BUILTIN_SERVERS, DialectName, Plan, ProxySettings, Server
from proxy_core.upstream.client import UpstreamClient
from proxy_core.upstream.trial import ask_tiny, read_trial
from proxy_core.upstream_codes import ErrorClass

EXAMINATION_S = 2.8
"""For all questions together: whoever pressed a button waits three seconds at most."""
_PLANS: tuple[Plan, ...] = ("coding", "payg")
_EXPIRED = "1309"


class Finding(StrEnum):
    """What one address made of the key.

    limited: known there and of that plan, but not served at this moment. unfit: known, but not of that plan.
    refused: not known. unclear: the server's own trouble. silent: no answer in time.
    """

    ACCEPTED = "accepted"
    LIMITED = "limited"
    UNFIT = "unfit"
    REFUSED = "refused"
    UNCLEAR = "unclear"
    SILENT = "silent"
    UNREACHABLE = "unreachable"


_FINDING_OF_CLASS: Mapping[ErrorClass, Finding] = {
    ErrorClass.AUTH: Finding.REFUSED,
    ErrorClass.ACCOUNT: Finding.UNFIT,
    ErrorClass.BALANCE: Finding.UNFIT,
    ErrorClass.PERMISSION: Finding.UNFIT,
    ErrorClass.PLAN: Finding.LIMITED,
    ErrorClass.WINDOW_USED_UP: Finding.LIMITED,
    ErrorClass.DAILY: Finding.LIMITED,
    ErrorClass.CONCURRENCY: Finding.LIMITED,
    ErrorClass.FREQUENCY: Finding.LIMITED,
}
_FINDING_OF_KIND: Mapping[ErrorKind, Finding] = {
    ErrorKind.AUTH: Finding.REFUSED,
    ErrorKind.PERMISSION: Finding.REFUSED,
    ErrorKind.BILLING: Finding.UNFIT,
    ErrorKind.RATE_LIMIT: Finding.LIMITED,
}


@dataclass(frozen=True, slots=True)
class Row:
    """One address. plan None: it serves both plans, as the Anthropic-style one does.

    server: with the plan that was asked for. status: HTTP status, 0 without an answer. code: the upstream's own, or
    "". words: what it said.
    """

    server: Server
    plan: Plan | None
    dialect: DialectName
    finding: Finding
    status: int
    code: str
    words: str


class VerdictKind(StrEnum):
    """What the rows mean together."""

    CODING = "coding"
    PAYG = "payg"
    LIMITED = "limited"
    LOOKS_CODING = "looks_coding"
    PLAN_UNKNOWN = "plan_unknown"
    EXPIRED = "expired"
    NO_BALANCE = "no_balance"
    UNFIT = "unfit"
    REFUSED = "refused"
    NO_NETWORK = "no_network"
    SILENT = "silent"
    UNCLEAR = "unclear"


VERDICT_WORDS: Mapping[VerdictKind, str] = {
    VerdictKind.CODING: "This is a Coding Plan key of {host}: use the server {server} with the coding plan.",
    VerdictKind.PAYG: "This is a pay-as-you-go key of {host}: use the server {server} with pay as you go.",
    VerdictKind.LIMITED: "This key belongs to {host} (server {server}, plan {plan}), which limits it now: {reason}",
    VerdictKind.LOOKS_CODING: "This looks like a Coding Plan key of {host}, as pay as you go has no balance for it: "
    "use the server {server} with the coding plan.",
    VerdictKind.PLAN_UNKNOWN: "{host} accepts this key (server {server}), but its plan could not be told.",
    VerdictKind.EXPIRED: "The Coding Plan of this key at {host} has expired: renew it, or top up for pay as you go.",
    VerdictKind.NO_BALANCE: "{host} knows this key, but neither a balance nor a Coding Plan is behind it.",
    VerdictKind.UNFIT: "{host} knows this key, but does not serve it: {reason}",
    VerdictKind.REFUSED: "No region and no plan accepts this key: copy it anew and in full, or create another one.",
    VerdictKind.NO_NETWORK: "No server could be reached: check the network, VPN or outbound proxy.",
    VerdictKind.SILENT: "No server answered in time: try again.",
    VerdictKind.UNCLEAR: "No server accepts this key, but not all of them gave a clear answer: try again.",
}
"""Texts for people, with the values of `Verdict.values` to fill in."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """server: the one that this key is for, with its plan; None where none fits. values: for `VERDICT_WORDS`."""

    kind: VerdictKind
    server: Server | None
    values: Mapping[str, str]

    @property
    def words(self) -> str:
        """The verdict in English."""
        return VERDICT_WORDS[self.kind].format(**self.values)


@dataclass(frozen=True, slots=True)
class Examination:
    """All that came of it."""

    rows: tuple[Row, ...]
    verdict: Verdict


async def examine_key(
    client: UpstreamClient,
    settings: ProxySettings,
    key: str,
    *,
    regions: Sequence[Server] = BUILTIN_SERVERS,
    limit_s: float = EXAMINATION_S,
) -> Examination:
    """Ask every address of these regions at once. Never raises for what they do; the key is in none of the words."""
    deadline = asyncio.get_running_loop().time() + limit_s
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(_ask(client, settings, key, server, plan, dialect, deadline))
            for server, plan, dialect in _questions(regions)
        ]
    rows = tuple(task.result() for task in tasks)
    return Examination(rows, judge(rows))


def is_vendors(server: Server, regions: Sequence[Server] = BUILTIN_SERVERS) -> bool:
    """Whether both addresses of a server are the vendor's own; the key of any other must not travel there."""
    own = {each.base(dialect) for each, _, dialect in _questions(regions)}
    return all(server.base(dialect) in own for dialect in DialectName)


def _questions(regions: Sequence[Server]) -> list[tuple[Server, Plan | None, DialectName]]:
    asked: list[tuple[Server, Plan | None, DialectName]] = []
    for region in regions:
        asked.append((region, None, DialectName.ANTHROPIC))
        asked += [(region.model_copy(update={"plan": plan}), plan, DialectName.OPENAI) for plan in _PLANS]
    return asked


async def _ask(
    client: UpstreamClient,
    settings: ProxySettings,
    key: str,
    server: Server,
    plan: Plan | None,
    dialect: DialectName,
    deadline: float,
) -> Row:
    status, code, words = 0, "", ""
    try:
        async with asyncio.timeout_at(deadline):
            status, raw = await ask_tiny(client, settings, server, key, dialect)
        read_trial(dialect, status, raw, time.time())
        finding, words = Finding.ACCEPTED, "accepted"
    except TimeoutError:
        finding, words = Finding.SILENT, "no answer in time"
    except ProxyError as error:
        finding = _finding(error) if status else Finding.UNREACHABLE
        code, words = error.code or "", redact_text(error.message.replace(key, MASK))
    return Row(server, plan, dialect, finding, status, code.replace(key, MASK), words)


def _finding(error: ProxyError) -> Finding:
    if error.code == _EXPIRED:
        return Finding.UNFIT
    if error.known is not None:
        return _FINDING_OF_CLASS.get(error.known.rule.error_class, Finding.UNCLEAR)
    return _FINDING_OF_KIND.get(error.kind, Finding.UNCLEAR)


def judge(rows: Sequence[Row]) -> Verdict:
    """What the rows mean together. The surest row decides; of equal ones the first."""
    for finds in (_served, _limited, _looks_coding, _plan_unknown, _unfit):
        if (verdict := finds(rows)) is not None:
            return verdict
    return Verdict(_why_none(frozenset(row.finding for row in rows)), None, {})


def _served(rows: Sequence[Row]) -> Verdict | None:
    row = next((row for row in rows if row.plan and row.finding is Finding.ACCEPTED), None)
    if row is None:
        return None
    return _verdict(VerdictKind.CODING if row.plan == "coding" else VerdictKind.PAYG, row)


def _limited(rows: Sequence[Row]) -> Verdict | None:
    row = next((row for row in rows if row.plan and row.finding is Finding.LIMITED), None)
    return _verdict(VerdictKind.LIMITED, row) if row else None


def _looks_coding(rows: Sequence[Row]) -> Verdict | None:
    """No balance for pay as you go, while something else of that region speaks for the key or at least not against."""
    for row in rows:
        if row.plan == "payg" and _lacks_balance(row):
            others = {other.plan: other for other in rows if other.server.name == row.server.name}
            is_open = others["coding"].finding in (Finding.SILENT, Finding.UNCLEAR, Finding.UNREACHABLE)
            if is_open or others[None].finding in (Finding.ACCEPTED, Finding.LIMITED):
                return _verdict(VerdictKind.LOOKS_CODING, others["coding"])
    return None


def _plan_unknown(rows: Sequence[Row]) -> Verdict | None:
    row = next((row for row in rows if row.finding in (Finding.ACCEPTED, Finding.LIMITED)), None)
    return _verdict(VerdictKind.PLAN_UNKNOWN, row) if row else None


def _unfit(rows: Sequence[Row]) -> Verdict | None:
    unfit = [row for row in rows if row.finding is Finding.UNFIT]
    if not unfit:
        return None
    expired = next((row for row in unfit if row.code == _EXPIRED), None)
    if expired is not None:
        return _verdict(VerdictKind.EXPIRED, expired, fits=False)
    is_empty = all(_lacks_balance(row) for row in unfit)
    return _verdict(VerdictKind.NO_BALANCE if is_empty else VerdictKind.UNFIT, unfit[0], fits=False)


def _lacks_balance(row: Row) -> bool:
    return row.finding is Finding.UNFIT and (row.code == "1113" or row.status == 402)


def _why_none(findings: frozenset[Finding]) -> VerdictKind:
    alone = {
        Finding.REFUSED: VerdictKind.REFUSED,
        Finding.UNREACHABLE: VerdictKind.NO_NETWORK,
        Finding.SILENT: VerdictKind.SILENT,
    }
    return alone.get(next(iter(findings)), VerdictKind.UNCLEAR) if len(findings) == 1 else VerdictKind.UNCLEAR


def _verdict(kind: VerdictKind, row: Row, *, fits: bool = True) -> Verdict:
    host = urlsplit(row.server.endpoint).hostname or row.server.name
    values = {"host": host, "server": row.server.name, "plan": row.server.plan, "reason": row.words}
    return Verdict(kind, row.server if fits else None, values)
