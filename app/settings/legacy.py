"""What the older program of this name wrote or read and this one does not: said, never refused.

Keys that stand in clear in such files are found here too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from app.settings.keys import ACCESS_KEY_USER, FoundKey, is_placeholder, is_sendable
from app.settings.servers import canonical

RETIRED_KEYS: Mapping[str, str] = {
    "servers": "servers stand in servers.yaml now",
    "current_model": "see autotext_model",
    "models": "the models are built in; see autotext_model and autovision_model",
    "ip_overrides": "it is gone",
    "cli": "it is gone",
}
"""Keys of the older config.yaml, and what there is instead."""

_OLDER_NAMES = """
    FORWARD_COUNT_TO_UPSTREAM FORCE_ANTHROPIC_BETA DEFAULT_ANTHROPIC_BETA OPENAI_MODELS_LIST_JSON RETRY_BACKOFF
    HTTP_POOL_CONNECTIONS HTTP_POOL_MAXSIZE HTTP_KEEPALIVE_CONNECTIONS OPENAI_TEXT_REAL_TOKENS
    OPENAI_VISION_REAL_TOKENS SCALE_COUNT_TOKENS_FOR_VISION COUNT_SHAPE_COMPAT
    TOKEN_VALIDATION_PERCENTAGE_THRESHOLD TOKEN_VALIDATION_MIN_DIFFERENCE TIKTOKEN_CACHE_SIZE BASE_IMAGE_TOKENS
    IMAGE_TOKENS_PER_CHAR ENABLE_DYNAMIC_IMAGE_TOKENS ENABLE_TOKEN_COUNTING_LOGGING IMAGE_DESCRIPTION_CACHE_SIZE
    CACHE_CONTEXT_MESSAGES IMAGE_AGE_TRUNCATION_MESSAGE IMAGE_DESCRIPTION_PROMPT CACHE_ENABLE_LOGGING
    ENV_DEDUPLICATION_STRATEGY ENV_DETAILS_MAX_AGE_MINUTES ENV_DEDUPLICATION_LOGGING ENV_DEDUPLICATION_STATS
    CONDENSATION_DEFAULT_STRATEGY CONDENSATION_CAUTION_THRESHOLD CONDENSATION_WARNING_THRESHOLD
    CONDENSATION_CRITICAL_THRESHOLD CONDENSATION_MIN_MESSAGES CONDENSATION_MAX_MESSAGES CONDENSATION_TIMEOUT
    CONDENSATION_CACHE_TTL ENABLE_CHUNK_BASED_CONDENSATION CHUNK_SIZE_MESSAGES CHUNK_MAX_TOKENS
    CHUNK_OVERLAP_MESSAGES CHUNK_CACHE_SIZE CHUNK_CACHE_TTL CHUNK_AGE_THRESHOLD ENABLE_CHUNK_PERSISTENCE
    SKIP_CONDENSED_CHUNKS CHUNK_CONDENSATION_STRATEGY ENABLE_CONTEXT_PERFORMANCE_LOGGING CONTEXT_CACHE_SIZE
    CONTEXT_ANALYSIS_CACHE_TTL LOGGING_PERFORMANCE_LEVEL LOG_PAYLOAD_THRESHOLD ENABLE_REQUEST_BODY_LOGGING
    ENABLE_RESPONSE_BODY_LOGGING UPSTREAM_LOG_ROTATION UPSTREAM_LOG_MAX_SIZE_MB UPSTREAM_LOG_BACKUP_COUNT
    UPSTREAM_LOG_COMPRESSION UPSTREAM_LOG_COMPRESS_IMMEDIATELY UPSTREAM_LOG_RETENTION_DAYS UPSTREAM_LOG_DIR
    LOG_CLEANUP_INTERVAL_HOURS LOG_ROTATION_LOGGING PROXY_HOST PROXY_PORT ENABLE_STATS
    ENVIRONMENT_DEDUPLICATION_STRATEGY ENVIRONMENT_DEDUPLICATION_SIMILARITY_THRESHOLD CONDENSATION_MODEL
    CONDENSATION_EMERGENCY_THRESHOLD ENABLE_TOKEN_VALIDATION TOKEN_ACCURACY_WARNING_THRESHOLD
    TOKEN_ACCURACY_ERROR_THRESHOLD TOKEN_COUNTING_MODEL CACHE_ASYNC_WRITE CACHE_COMPRESSION
    CACHE_DEFAULT_TTL_SECONDS CACHE_1H_TTL_SECONDS MIN_CACHEABLE_TOKENS ENABLE_CORS CORS_ORIGINS
    ENABLE_HEALTH_CHECK HEALTH_CHECK_PATH ENABLE_METRICS METRICS_PATH RATE_LIMIT_PER_MINUTE MAX_REQUEST_SIZE_MB
    ENABLE_REQUEST_ID_TRACKING
"""
RETIRED_NAMES = frozenset(_OLDER_NAMES.split())
"""Names that stood in the older .env."""

_KEYS_IN_CONFIG: Mapping[str, str] = {
    "api_key": "",
    "server_api_key": "",
    "proxy_access_key": ACCESS_KEY_USER,
}


def keys_in_config(path: Path, data: Mapping[str, object], current_server: str) -> Iterator[FoundKey]:
    """Keys that stand in clear in config.yaml: at its top, or below `servers`."""
    for name, user in _KEYS_IN_CONFIG.items():
        yield from _found(user or current_server, data.get(name), path, (name,))
    servers = data.get("servers")
    for name, entry in servers.items() if isinstance(servers, dict) else ():
        if isinstance(entry, dict):
            yield from _found(canonical(str(name)), entry.get("api_key"), path, ("servers", str(name), "api_key"))


def is_key_in_config(name: str) -> bool:
    """Whether a key of config.yaml holds a secret."""
    return name in _KEYS_IN_CONFIG


def _found(server: str, value: object, path: Path, place: tuple[str, ...]) -> Iterator[FoundKey]:
    text = value.strip() if isinstance(value, str) else ""
    if not is_placeholder(text) and is_sendable(text):
        yield FoundKey(server, text, path, place)


def retired(where: str, names: list[str]) -> str:
    """One sentence about names that no longer mean anything."""
    hints = "; ".join(f"{name}: {RETIRED_KEYS[name]}" for name in names if name in RETIRED_KEYS)
    return f"{where}: no longer in use and without effect: {', '.join(names)}" + (f" ({hints})" if hints else "")
