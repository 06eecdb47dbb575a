"""Faults on demand: naming one in the prompt ("error 1302", "demo error cut") provokes it.

Codes, statuses and words are the real upstream's, as far as they are known.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from enum import StrEnum

from proxy_core.jsontypes import JsonObject

_BEIJING = timezone(timedelta(hours=8))
_RESET_AFTER = timedelta(hours=2)


class Trouble(StrEnum):
    """Faults that are no error reply. The words are those of the prompt."""

    CUT = "cut"
    """Begins to answer and dies in the middle."""
    SLOW = "slow"
    """Says nothing at all until the caller gives up."""
    STALL = "stall"
    """Begins to answer and falls silent."""
    SENSITIVE = "sensitive"
    """Stops with a refusal."""
    NETWORK = "network"
    """Stops with the odd finish reason `network_error`."""


@dataclass(frozen=True, slots=True)
class Fault:
    """An error reply. `{reset}` in the message becomes a time two hours ahead, on Beijing's clock."""

    status: int
    code: str
    message: str


_ROWS = (
    Fault(500, "500", "Internal network failure, please contact customer service."),
    Fault(401, "1000", "Authentication Failed"),
    Fault(401, "1001", "Authentication parameter not received in Header, unable to authenticate"),
    Fault(401, "1002", "Authentication Token invalid, please confirm its correct use"),
    Fault(401, "1003", "Authentication Token expired, please regenerate or obtain"),
    Fault(401, "1004", "Authentication failed with the provided Authentication Token"),
    Fault(429, "1112", "Your account has been locked, please contact customer service to unlock"),
    Fault(429, "1113", "Insufficient balance or no resource package. Please recharge."),
    Fault(500, "1200", "API call error"),
    Fault(400, "1210", "API call parameter error, please check the documentation"),
    Fault(400, "1211", "Unknown Model, please check the model code."),
    Fault(400, "1212", "The current model does not support the call method"),
    Fault(400, "1213", "A required parameter was not received"),
    Fault(400, "1214", "The messages parameter is illegal. Please check the documentation."),
    Fault(400, "1215", "Two parameters exclude each other, please check the documentation"),
    Fault(403, "1220", "You do not have permission to access this API"),
    Fault(404, "1222", "The API does not exist"),
    Fault(500, "1230", "API call process error"),
    Fault(429, "1231", "You already have a request with this request_id"),
    Fault(500, "1234", "Network error, please contact customer service"),
    Fault(400, "1261", "Prompt exceeds max length"),
    Fault(400, "1300", "The API call was blocked by policy"),
    Fault(400, "1301", "The request or its answer contains unsafe or sensitive content"),
    Fault(429, "1302", "Rate limit reached for requests"),
    Fault(429, "1303", "The frequency of requests is too high"),
    Fault(429, "1304", "The daily call limit for this API has been reached"),
    Fault(429, "1305", "The service may be temporarily overloaded, please try again later"),
    Fault(429, "1308", "Usage limit reached for 5 hour. Your limit will reset at {reset}"),
    Fault(429, "1309", "Your Coding Plan has expired. Please renew."),
    Fault(429, "1310", "Weekly/Monthly Limit Exhausted. Your limit will reset at {reset}"),
    Fault(429, "1311", "Your plan does not include this model"),
    Fault(429, "1313", "Your account is restricted by the Fair Usage Policy"),
)
FAULTS = {fault.code: fault for fault in _ROWS}
_OVERLOADED = Fault(529, "1305", FAULTS["1305"].message)
_BY_WORD = {
    "400": FAULTS["1210"],
    "401": FAULTS["1000"],
    "403": FAULTS["1220"],
    "404": FAULTS["1211"],
    "429": FAULTS["1302"],
    "503": Fault(503, "1305", FAULTS["1305"].message),
    "529": _OVERLOADED,
    "overloaded": _OVERLOADED,
    "balance": FAULTS["1113"],
    "quota": FAULTS["1308"],
    "length": FAULTS["1261"],
}
_WORDS = "|".join([*_BY_WORD, *(trouble.value for trouble in Trouble)])
_NAMED = re.compile(rf"\berror[\s:#-]+(\d{{3,4}}\b|(?:{_WORDS})\b)", re.IGNORECASE)
_TYPE_OF_STATUS = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
    503: "overloaded_error",
    529: "overloaded_error",
}


def find_fault(prompt: str) -> Fault | Trouble | None:
    """The fault that a prompt asks for by name, if any. An unlisted number is answered with that very code."""
    match = _NAMED.search(prompt)
    if match is None:
        return None
    word = match[1].lower()
    if word in set(Trouble):
        return Trouble(word)
    return FAULTS.get(word) or _BY_WORD.get(word) or _unlisted(word)


def _unlisted(number: str) -> Fault:
    status = int(number) if 400 <= int(number) <= 599 else 400
    return Fault(status, number, f"The demo server was asked for error {number}")


def openai_envelope(fault: Fault, now: datetime) -> JsonObject:
    """`{"error": {"code", "message"}}`: neither type nor param, the code a string."""
    return {"error": {"code": fault.code, "message": _message(fault, now)}}


def anthropic_envelope(fault: Fault, now: datetime) -> JsonObject:
    """The business code stands twice: as `code`, and inside the message as `[code][text][trace]`."""
    trace = "demo0000000000000000"
    return {
        "type": "error",
        "error": {
            "type": _TYPE_OF_STATUS.get(fault.status, "api_error"),
            "code": fault.code,
            "message": f"[{fault.code}][{_message(fault, now)}][{trace}]",
        },
        "request_id": trace,
    }


def _message(fault: Fault, now: datetime) -> str:
    reset = (now.astimezone(_BEIJING) + _RESET_AFTER).strftime("%Y-%m-%d %H:%M:%S")
    return fault.message.replace("{reset}", reset)
