"""What a running instance tells, as values: JSON of the control channel in, frozen dataclasses out.

Fields that an older or newer instance does not know take their defaults; what cannot be read at all is a
ControlError, like any other answer that makes no sense.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Self, TypeVar

from pydantic import TypeAdapter, ValidationError

from app.control.client import ControlError
from proxy_core.jsontypes import JsonObject
from proxy_core.telemetry.rows import ExchangeRow
from proxy_core.telemetry.series import CAPACITY, Sample

MOST_ROWS = 200
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Status:
    """GET status. address: "" while nothing listens. started_at: unix seconds. Tokens: sums since the start."""

    pid: int = 0
    kind: str = ""
    version: str = ""
    started_at: float = 0.0
    address: str = ""
    server: str = ""
    servers: tuple[str, ...] = ()
    paused: bool = False
    in_flight: int = 0
    last_error: str = ""
    notices: tuple[str, ...] = ()
    requests: int = 0
    failures: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    saved_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Reach:
    """How far away a server is, in ms; message: why it cannot be reached."""

    ok: bool
    latency_ms: float
    message: str = ""


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """One of GET servers. key: where it comes from, "none" for nowhere. reach: None where nobody has looked."""

    name: str
    endpoint: str = ""
    plan: str = ""
    region: str = ""
    current: bool = False
    key: str = "none"
    breaker: str = ""
    reach: Reach | None = None


@dataclass(frozen=True, slots=True)
class SettingFacts:
    """One of GET settings. text: the value as it is written; live: a change needs no new listener."""

    field: str
    value: object = None
    text: str = ""
    default: str = ""
    allowed: str = ""
    choices: tuple[str, ...] = ()
    help: str = ""
    title: str = ""
    group: str = ""
    live: bool = True
    environment: tuple[str, ...] = ()
    origin: str = "default"
    fixed_by: str = ""


@dataclass(frozen=True, slots=True)
class Changed:
    """The answer to a change of settings. unsaved: field → what decides at the next start."""

    applied: tuple[str, ...] = ()
    rebound: bool = False
    address: str = ""
    unsaved: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Trial:
    """The answer to a test of a key."""

    ok: bool
    status: int
    message: str
    latency_ms: float


_STATUS = TypeAdapter(Status)
_SAMPLE = TypeAdapter(Sample | None)
_SAMPLES = TypeAdapter(tuple[Sample, ...])
_ROWS = TypeAdapter(tuple[ExchangeRow, ...])
_SERVERS = TypeAdapter(tuple[ServerFacts, ...])
_SETTINGS = TypeAdapter(tuple[SettingFacts, ...])
_CHANGED = TypeAdapter(Changed)
_TRIAL = TypeAdapter(Trial)


def _read(kind: TypeAdapter[T], body: object) -> T:
    try:
        return kind.validate_python(body)
    except ValidationError as error:
        raise ControlError("The running instance speaks another version of control.") from error


@dataclass(frozen=True, slots=True)
class Picture:
    """All that is seen of an instance at one moment. samples: oldest first; running, recent: newest first."""

    status: Status = field(default_factory=Status)
    samples: tuple[Sample, ...] = ()
    running: tuple[ExchangeRow, ...] = ()
    recent: tuple[ExchangeRow, ...] = ()

    @property
    def latest(self) -> Sample:
        """The newest sample; all zero before the first."""
        return self.samples[-1] if self.samples else Sample(at=0.0)

    def row(self, request_id: str) -> ExchangeRow | None:
        """The request of this id, as far as it is remembered."""
        return next((row for row in (*self.running, *self.recent) if row.id == request_id), None)

    def after(self, snapshot: JsonObject) -> Self:
        """With one more snapshot of the event stream. Raises ControlError."""
        fresh = _read(_ROWS, snapshot.get("recent", ()))
        return replace(
            self,
            status=_read(_STATUS, snapshot.get("status")),
            samples=_appended(self.samples, _read(_SAMPLE, snapshot.get("sample"))),
            running=_read(_ROWS, snapshot.get("running", ())),
            recent=_without_twins((*fresh, *self.recent))[:MOST_ROWS],
        )


def _appended(samples: tuple[Sample, ...], newest: Sample | None) -> tuple[Sample, ...]:
    """A stream may tell the same sample twice: its second and the meter's are not the same."""
    if newest is None or (samples and samples[-1].at == newest.at):
        return samples
    return (*samples, newest)[-CAPACITY:]


def _without_twins(rows: Iterable[ExchangeRow]) -> tuple[ExchangeRow, ...]:
    seen: dict[str, ExchangeRow] = {}
    for row in rows:
        seen.setdefault(row.id, row)
    return tuple(seen.values())


def first_picture(series: JsonObject) -> Picture:
    """Before the first snapshot: the samples of the last minutes. Raises ControlError."""
    return Picture(samples=_read(_SAMPLES, series.get("samples", ())))


def read_servers(body: JsonObject) -> tuple[ServerFacts, ...]:
    """The servers of GET servers. Raises ControlError."""
    return _read(_SERVERS, body.get("servers"))


def read_settings(body: JsonObject) -> tuple[SettingFacts, ...]:
    """The settings of GET settings. Raises ControlError."""
    return _read(_SETTINGS, body.get("settings"))


def read_change(body: JsonObject) -> Changed:
    """What a change did. Raises ControlError."""
    return _read(_CHANGED, body)


def read_trial(body: JsonObject) -> Trial:
    """What a test of a key found. Raises ControlError."""
    return _read(_TRIAL, body)
