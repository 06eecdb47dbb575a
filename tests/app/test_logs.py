from __future__ import annotations

import io
import json
import logging

import pytest

from app.logs import set_level, setup_logging

KEY = "0123456789abcdef0123456789abcdef.AbCdEfGh12345678"


@pytest.fixture
def output():
    """A stream to log to; the logging of the test run is put back afterwards."""
    root = logging.getLogger()
    loggers = [root, *(logging.getLogger(name) for name in ("app", "proxy_core", "aiohttp.access"))]
    before = [(logger, logger.level, logger.disabled) for logger in loggers]
    handlers = root.handlers[:]
    yield io.StringIO()
    root.handlers[:] = handlers
    logging.captureWarnings(False)
    for logger, level, disabled in before:
        logger.setLevel(level)
        logger.disabled = disabled


def fail_with(message: str) -> None:
    try:
        raise ValueError(message)
    except ValueError:
        logging.getLogger("app.test").exception("it failed: %s", message)


def test_lines_for_people(output):
    setup_logging("INFO", structured=False, stream=output)
    logging.getLogger("app.test").info("listening on %s", 5000)
    assert "listening on 5000" in output.getvalue()
    assert not output.getvalue().startswith("{")


def test_json_where_no_person_watches(output):
    setup_logging("INFO", structured=True, stream=output)
    logging.getLogger("app.test").warning('said "%s"', "so")
    fail_with("x")
    first, second = map(json.loads, output.getvalue().splitlines())
    assert (first["event"], first["level"], first["logger"]) == ('said "so"', "warning", "app.test")
    assert "ValueError: x" in second["exception"]


def test_a_person_at_the_terminal_gets_lines_anyway(output):
    output.isatty = lambda: True
    setup_logging("INFO", structured=True, stream=output)
    logging.getLogger("app.test").warning("hello")
    assert not output.getvalue().startswith("{")


@pytest.mark.parametrize("structured", [False, True])
@pytest.mark.parametrize("text", [KEY, f"Bearer {KEY}", f'{{"api_key": "{KEY}"}}', f"x-api-key: {KEY}"])
def test_no_key_gets_through(output, structured, text):
    setup_logging("DEBUG", structured=structured, stream=output)
    logging.getLogger("app.test").info("got %s", text)
    fail_with(text)
    assert output.getvalue().count("\n") >= 2
    assert KEY not in output.getvalue()
    assert not structured or all(json.loads(line) for line in output.getvalue().splitlines())


def test_the_level_changes_at_once(output):
    setup_logging("WARNING", structured=False, stream=output)
    log = logging.getLogger("proxy_core.test")
    log.info("one")
    set_level("DEBUG")
    log.debug("two")
    set_level("ERROR")
    log.warning("three")
    assert ["one" in output.getvalue(), "two" in output.getvalue(), "three" in output.getvalue()] == [
        False,
        True,
        False,
    ]


@pytest.mark.parametrize(("name", "shown"), [("aiohttp.access", False), ("aiohttp.client", False), ("app.x", True)])
def test_libraries_stay_quiet(output, name, shown):
    setup_logging("DEBUG", structured=False, stream=output)
    logging.getLogger(name).debug("headers")
    assert ("headers" in output.getvalue()) is shown


def test_setting_up_again_does_not_double_the_lines(output):
    for _ in range(2):
        setup_logging("INFO", structured=False, stream=output)
    logging.getLogger("app.test").info("once")
    assert output.getvalue().count("once") == 1
