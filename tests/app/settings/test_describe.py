from __future__ import annotations

import pytest

from app.settings.describe import bounds, choices, describe_settings
from app.settings.schema import Settings
from app.settings.values import check_value

ROWS = {row.field: row for row in describe_settings()}
DOCUMENTED = """
    HOST PORT UPSTREAM_BASE OPENAI_UPSTREAM_BASE AUTOTEXT_MODEL AUTOVISION_MODEL TEXT_ENDPOINT_PREFERENCE
    ENABLE_ZAI_THINKING ENABLE_ACCURATE_TOKEN_COUNTING ENABLE_ENVIRONMENT_DEDUPLICATION ENABLE_MESSAGE_CONDENSATION
    IMAGE_AGE_THRESHOLD GENERATE_IMAGE_DESCRIPTIONS IMAGE_DESCRIPTION_MAX_TOKENS REQUEST_TIMEOUT STREAM_TIMEOUT
    CONNECT_TIMEOUT LOG_LEVEL ENABLE_STRUCTURED_LOGGING DEBUG MODEL_MAP_JSON ANTHROPIC_EXPECTED_TOKENS
    OPENAI_EXPECTED_TOKENS REAL_TEXT_MODEL_TOKENS REAL_VISION_MODEL_TOKENS CACHE_DIR MAX_RETRIES FORWARD_CLIENT_KEY
"""


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_every_field_is_declared_in_full_and_its_default_round_trips(row):
    assert all((row.help.endswith("."), row.title, row.group, row.allowed))
    assert check_value(row.field, row.default) == getattr(Settings(), row.field)


def test_every_documented_name_is_taken():
    names = {name for row in ROWS.values() for name in row.environment}
    assert set(DOCUMENTED.split()) - names == set()


def test_no_name_means_two_fields():
    names = [name for row in ROWS.values() for name in row.environment]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("port", "a whole number from 0 to 65535"),
        ("request_timeout", "a number above 0 to 86400"),
        ("theme", "one of auto, light, dark"),
        ("debug", "true or false (also 1/0, yes/no, on/off)"),
        ("host", "text, not empty"),
        ("cache_dir", "text"),
        ("upstream_base", "an http:// or https:// address"),
        ("allowed_hosts", "names separated by commas"),
    ],
)
def test_what_is_allowed_in_words(field, expected):
    assert ROWS[field].allowed == expected


def test_choices_and_bounds_for_forms():
    assert choices("log_level") == ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
    assert choices("host") == ()
    assert bounds("port") == (0, 65_535)
    assert bounds("shutdown_grace") == (0, 600)
