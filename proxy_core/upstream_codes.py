"""What the codes of z.ai and bigmodel.cn mean and what follows from them: the one table (protocols A.6).

Whoever meets a code looks it up here; nothing about single codes stands anywhere else. Rows are grouped by their
rule. Statuses and words differ between Anthropic and OpenAI callers, since each SDK knows its own: an empty account
is 402 `billing_error` for the one and 429 `insufficient_quota` for the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class ErrorClass(StrEnum):
    """Why the upstream refused, as finely as somebody acts on it."""

    AUTH = "auth"
    ACCOUNT = "account"
    BALANCE = "balance"
    PLAN = "plan"
    WINDOW_USED_UP = "window_used_up"
    CONCURRENCY = "concurrency"
    FREQUENCY = "frequency"
    DAILY = "daily"
    OVERLOAD = "overload"
    TOO_LONG = "too_long"
    CONTENT = "content"
    BAD_REQUEST = "bad_request"
    MODEL = "model"
    PERMISSION = "permission"
    NETWORK = "network"
    SERVER = "server"
    CONFLICT = "conflict"


@dataclass(frozen=True, slots=True)
class Words:
    """The same in English and in simplified Chinese."""

    en: str
    zh: str


@dataclass(frozen=True, slots=True)
class OpenAiError:
    """How an OpenAI caller is told. code None: the upstream's own number is passed on."""

    status: int
    type: str
    code: str | None = None


@dataclass(frozen=True, slots=True)
class RetryAdvice:
    """Sending the same request again is worth it: after `least_s` the first time, doubling up to `most_s`, with
    jitter, and at most so many times."""

    least_s: float
    most_s: float
    times: int = 10


@dataclass(frozen=True, slots=True)
class Rule:
    """What follows from every code of a group.

    status: for Anthropic callers; their error type follows from it. retry None: sending the same again is useless.
    client_wait_s: what the client is told to wait where the upstream names no time, as it never does by a header.
    names_reset: the message tells on Beijing's clock when the limit ends.
    """

    error_class: ErrorClass
    status: int
    openai: OpenAiError
    remedy: Words
    retry: RetryAdvice | None = None
    client_wait_s: float | None = None
    names_reset: bool = False


@dataclass(frozen=True, slots=True)
class UpstreamCode:
    """One row of the table."""

    code: str
    meaning: Words
    rule: Rule


_INVALID = "invalid_request_error"
_QUOTA = OpenAiError(429, "insufficient_quota", "insufficient_quota")
_SLOW_DOWN = OpenAiError(429, "rate_limit_exceeded", "rate_limit_exceeded")
_FAILED = OpenAiError(500, "server_error")
_SOON = RetryAdvice(1, 8, times=2)

_AUTH = Rule(
    ErrorClass.AUTH,
    401,
    OpenAiError(401, _INVALID, "invalid_api_key"),
    Words(
        "Check the stored key: it must belong to this server's region (z.ai or bigmodel.cn) and plan.",
        "请检查已保存的密钥，它必须属于该服务器所在的区域（z.ai 或 bigmodel.cn）和套餐。",
    ),
)
_ACCOUNT = Rule(
    ErrorClass.ACCOUNT,
    403,
    OpenAiError(403, "permission_error"),
    Words("Sign in to the vendor's console and settle the state of the account.", "请登录官方控制台处理账户状态。"),
)
_ACCOUNT_UNREACHABLE = Rule(
    ErrorClass.ACCOUNT,
    403,
    OpenAiError(403, "permission_error"),
    Words("Try again in a moment; if it stays, ask the vendor's support.", "请稍后重试；如仍失败，请联系官方客服。"),
    RetryAdvice(1, 8, times=1),
)
_BALANCE = Rule(
    ErrorClass.BALANCE,
    402,
    _QUOTA,
    Words(
        "Top up the account, or, if the key belongs to a Coding Plan, set this server's plan to coding plan.",
        "请充值；如果密钥属于编程套餐（Coding Plan），请把该服务器的套餐设为编程套餐。",
    ),
)
_PLAN_EXPIRED = Rule(
    ErrorClass.PLAN,
    402,
    _QUOTA,
    Words(
        "Renew the Coding Plan, or set this server's plan to pay as you go.",
        "请续订编程套餐（Coding Plan），或把该服务器的套餐设为按量付费。",
    ),
)
_PLAN_LACKS_MODEL = Rule(
    ErrorClass.PLAN,
    403,
    OpenAiError(403, "permission_error"),
    Words("Choose a model that the plan includes, or upgrade the plan.", "请选择套餐包含的模型，或升级套餐。"),
)
_PLAN_LIMIT = Rule(
    ErrorClass.PLAN,
    429,
    _QUOTA,
    Words(
        "See the vendor's console for the limit that was met, or switch to another server or key.",
        "请在官方控制台查看触发的限制，或切换到其他服务器或密钥。",
    ),
    names_reset=True,
)
_WINDOW_USED_UP = Rule(
    ErrorClass.WINDOW_USED_UP,
    429,
    _QUOTA,
    Words(
        "Wait until the limit resets (times are Beijing time, UTC+8), or switch to another server or key.",
        "请等待额度重置（时间为北京时间），或切换到其他服务器或密钥。",
    ),
    names_reset=True,
)
_DAILY = Rule(
    ErrorClass.DAILY,
    429,
    _QUOTA,
    Words(
        "Wait until tomorrow (Beijing time, UTC+8), or use another model or key.",
        "请等到明天（北京时间），或更换模型或密钥。",
    ),
    names_reset=True,
)
_CONCURRENCY = Rule(
    ErrorClass.CONCURRENCY,
    429,
    _SLOW_DOWN,
    Words("Run fewer requests at the same time, or try again in some seconds.", "请减少并发请求，或几秒后重试。"),
    RetryAdvice(1, 30),
    client_wait_s=5,
)
_FREQUENCY = Rule(
    ErrorClass.FREQUENCY,
    429,
    _SLOW_DOWN,
    Words("Send requests less often, or try again in a minute.", "请降低请求频率，或一分钟后重试。"),
    RetryAdvice(5, 60),
    client_wait_s=20,
)
_OVERLOAD = Rule(
    ErrorClass.OVERLOAD,
    529,
    OpenAiError(503, "server_error", "overloaded"),
    Words("Try again in a while, or use another model.", "请稍后重试，或换用其他模型。"),
    RetryAdvice(5, 40),
    client_wait_s=10,
)
_TOO_LONG = Rule(
    ErrorClass.TOO_LONG,
    400,
    OpenAiError(400, _INVALID, "context_length_exceeded"),
    Words("Compact or shorten the conversation.", "请压缩或缩短对话。"),
)
_POLICY = Rule(
    ErrorClass.CONTENT,
    400,
    OpenAiError(400, _INVALID, "content_policy_violation"),
    Words("Remove what the policy does not allow.", "请移除不符合使用政策的内容。"),
)
_SENSITIVE = Rule(
    ErrorClass.CONTENT,
    400,
    OpenAiError(400, _INVALID, "content_filter"),
    Words(
        "Rephrase the request, or begin a new conversation without that content.",
        "请修改措辞，或在新对话中避开该内容。",
    ),
)
_BAD_REQUEST = Rule(
    ErrorClass.BAD_REQUEST,
    400,
    OpenAiError(400, _INVALID),
    Words(
        "Correct the named parameter; pictures need a vision model, and some models cannot stop thinking.",
        "请更正所指出的参数；图片需要视觉模型，部分模型无法关闭思考。",
    ),
)
_NO_SUCH_API = Rule(
    ErrorClass.BAD_REQUEST,
    404,
    OpenAiError(404, _INVALID),
    Words("Check the server's addresses and its plan in the settings.", "请在设置中检查该服务器的地址和套餐。"),
)
_MODEL = Rule(
    ErrorClass.MODEL,
    404,
    OpenAiError(404, _INVALID, "model_not_found"),
    Words("Choose one of the models that GET /v1/models lists.", "请从 GET /v1/models 列出的模型中选择。"),
)
_MODEL_UNFIT = Rule(
    ErrorClass.MODEL,
    400,
    OpenAiError(400, _INVALID),
    Words("Choose another model, or ask without streaming or tools.", "请换用其他模型，或不使用流式或工具调用。"),
)
_PERMISSION = Rule(
    ErrorClass.PERMISSION,
    403,
    OpenAiError(403, "permission_error"),
    Words("Check in the vendor's console what this key may use.", "请在官方控制台检查该密钥的权限。"),
)
_NETWORK = Rule(
    ErrorClass.NETWORK,
    500,
    OpenAiError(502, "server_error"),
    Words("Try again; the fault lies within the vendor's network.", "请重试，故障出在官方网络内部。"),
    RetryAdvice(1, 8),
)
_SERVER = Rule(
    ErrorClass.SERVER,
    500,
    _FAILED,
    Words("Try again; if it stays, switch to another server or model.", "请重试；如仍失败，请切换服务器或模型。"),
    _SOON,
)
_CONFLICT = Rule(
    ErrorClass.CONFLICT,
    409,
    OpenAiError(409, _INVALID, "conflict"),
    Words("Give every request a request_id of its own, or none.", "请为每个请求使用不同的 request_id，或不传。"),
    RetryAdvice(1, 8, times=1),
)

_USED_UP = Words("A usage window of the plan is used up", "套餐某一时段的额度已用完")
_LIMIT = Words("A further limit of the plan or account was met", "触发了套餐或账户的其他限制")

_GROUPS: tuple[tuple[Rule, Mapping[str, Words]], ...] = (
    (
        _AUTH,
        {
            "401": Words("Not authorized", "未授权"),
            "1000": Words("Authentication failed", "身份验证失败"),
            "1001": Words("The request carried no credential", "请求头中未收到鉴权参数"),
            "1002": Words("The key is not valid", "密钥（Token）非法"),
            "1003": Words("The key has expired", "密钥（Token）已过期"),
            "1004": Words("Authentication failed with this key", "提供的密钥（Token）验证失败"),
            "1005": Words("Authentication failed", "身份验证失败"),
        },
    ),
    (
        _ACCOUNT,
        {
            "1100": Words("The account could not be read", "账户读写出错"),
            "1110": Words("The account is inactive", "账户未激活"),
            "1111": Words("The account does not exist", "账户不存在"),
            "1112": Words("The account is locked", "账户已被锁定"),
            "1121": Words("The account is locked for irregular activity", "账户因异常行为被锁定"),
        },
    ),
    (_ACCOUNT_UNREACHABLE, {"1120": Words("The account cannot be reached at the moment", "暂时无法访问账户")}),
    (_BALANCE, {"1113": Words("No balance and no resource package", "账户欠费或无可用资源包")}),
    (
        _SERVER,
        {
            "500": Words("Internal error of the vendor", "官方内部错误"),
            "1200": Words("The API call failed", "API 调用出错"),
            "1230": Words("The API call failed on the way", "API 调用流程出错"),
        },
    ),
    (
        _BAD_REQUEST,
        {
            "1210": Words("A parameter is wrong", "API 调用参数有误"),
            "1213": Words("A required parameter is missing", "缺少必需的参数"),
            "1214": Words("A parameter has an illegal value", "参数值非法"),
            "1215": Words("Two parameters exclude each other", "两个参数不能同时设置"),
        },
    ),
    (_MODEL, {"1211": Words("The model does not exist", "模型不存在")}),
    (_MODEL_UNFIT, {"1212": Words("The model does not support this way of calling", "该模型不支持此调用方式")}),
    (_PERMISSION, {"1220": Words("No permission for this API", "无权访问该 API")}),
    (
        _NO_SUCH_API,
        {
            "1221": Words("The API was taken offline", "该 API 已下线"),
            "1222": Words("The API does not exist", "该 API 不存在"),
        },
    ),
    (_CONFLICT, {"1231": Words("A request with this request_id is running", "相同 request_id 的请求正在处理")}),
    (_NETWORK, {"1234": Words("Network error within the vendor", "官方网络错误")}),
    (_TOO_LONG, {"1261": Words("The prompt is longer than the model's window", "提示词超过模型上下文长度")}),
    (_POLICY, {"1300": Words("Blocked by the vendor's policy", "调用被官方策略阻止")}),
    (_SENSITIVE, {"1301": Words("Unsafe or sensitive content", "包含不安全或敏感内容")}),
    (_CONCURRENCY, {"1302": Words("Too many requests at the same time", "并发请求过多")}),
    (_FREQUENCY, {"1303": Words("Requests come too often", "请求频率过高")}),
    (_DAILY, {"1304": Words("The daily limit of calls is reached", "已达到每日调用上限")}),
    (
        _OVERLOAD,
        {
            "1305": Words("The service is overloaded", "服务过载"),
            "1312": Words("The model is overloaded", "模型访问量过大"),
        },
    ),
    (
        _WINDOW_USED_UP,
        {
            "1308": Words("The plan's 5-hour window is used up", "套餐的 5 小时额度已用完"),
            "1310": Words("The plan's weekly or monthly window is used up", "套餐的每周或每月额度已用完"),
            **{str(code): _USED_UP for code in range(1316, 1322)},
        },
    ),
    (_PLAN_EXPIRED, {"1309": Words("The Coding Plan has expired", "编程套餐（Coding Plan）已到期")}),
    (_PLAN_LACKS_MODEL, {"1311": Words("The plan does not include this model", "套餐不包含该模型")}),
    (
        _PLAN_LIMIT,
        {
            "1313": Words("Restricted by the fair usage policy", "受公平使用政策限制"),
            "1314": _LIMIT,
            "1315": _LIMIT,
        },
    ),
)

CODES: Mapping[str, UpstreamCode] = {
    code: UpstreamCode(code, meaning, rule) for rule, meanings in _GROUPS for code, meaning in meanings.items()
}

_CODE_OF_WORD = {"context_length_exceeded": "1261", "network_error": "1234"}
_CODE_OF_PHRASE = {"prompt is too long": "1261", "prompt exceeds max length": "1261", "maximum context length": "1261"}

RETRY_OF_STATUS: Mapping[int, RetryAdvice] = {
    429: RetryAdvice(2, 30),
    500: _SOON,
    502: RetryAdvice(1, 8),
    503: RetryAdvice(3, 30),
    529: RetryAdvice(5, 40),
}
"""For refusals without a known code: gateways in between answer with a status only."""


def find_code(word: str | None) -> UpstreamCode | None:
    """The row of a number, or of the word that other upstreams use for the same."""
    return CODES.get(_CODE_OF_WORD.get(word, word)) if word else None


def find_phrase(message: str) -> UpstreamCode | None:
    """The row of a message whose sender gave no code but wrote a phrase that is known."""
    said = message.lower()
    code = next((code for phrase, code in _CODE_OF_PHRASE.items() if phrase in said), None)
    return find_code(code)
