from __future__ import annotations

import json
import logging

import pytest

from app.logs import hide, set_level, setup_logging
from proxy_core.request_id import REQUEST_ID

KEY = "0123456789abcdef0123456789abcdef.AbCdEfGh12345678"


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


@pytest.mark.parametrize("structured", [False, True])
def test_a_secret_that_looks_like_a_word_is_masked_once_it_is_known(output, structured):
    hide("correct horse battery")
    setup_logging("INFO", structured=structured, stream=output)
    logging.getLogger("app.test").info("it was: correct horse battery")
    fail_with("correct horse battery")
    assert ("it was" in output.getvalue(), "horse" in output.getvalue()) == (True, False)


def test_json_lines_name_their_request(output):
    setup_logging("INFO", structured=True, stream=output)
    bound = REQUEST_ID.set("req_7")
    logging.getLogger("app.test").info("in it")
    REQUEST_ID.reset(bound)
    logging.getLogger("app.test").info("after it")
    first, second = map(json.loads, output.getvalue().splitlines())
    assert (first["request_id"], "request_id" in second) == ("req_7", False)


@pytest.mark.parametrize("name", ["app.access", "proxy_core.upstream.traffic.bodies"])
def test_what_is_made_for_the_files_stays_off_the_console(output, name):
    setup_logging("DEBUG", structured=False, stream=output)
    logging.getLogger(name).setLevel("DEBUG")
    logging.getLogger(name).critical("a prompt")
    assert output.getvalue() == ""


def test_a_secret_that_is_learned_later_is_masked_from_then_on(output):
    setup_logging("INFO", structured=True, stream=output)
    for _ in range(2):
        logging.getLogger("app.test").info("correct horse")
        hide("correct horse")
    assert output.getvalue().count("horse") == 1
