"""Where a request goes, row by row."""

import pytest

from proxy_core.chat import Conversation, Image, JsonFormat, Message, Part, Text, ToolResult, Unknown
from proxy_core.errors import UnknownModelError
from proxy_core.routing.route import ResolvedModel, choose_route, list_models, resolve_model, split_variant
from proxy_core.settings import BUILTIN_SERVERS, DialectName, ProxySettings

SETTINGS = ProxySettings(model_map_json={"my-model": "glm-5.2", "pinned": "glm-4.7-openai"})
PICTURE = Image(media_type="image/png", data="aGk=")
VIDEO, FILE = Unknown("video_url"), Unknown("file_url")
ANT, OAI = DialectName.ANTHROPIC, DialectName.OPENAI


def said(model: str, *parts: Part, json: bool = False) -> Conversation:
    fmt = JsonFormat() if json else None
    return Conversation("openai", model, (Message("user", parts or (Text("hi"),)),), json_format=fmt)


@pytest.mark.parametrize(
    ("name", "model", "forced"),
    [
        ("glm-4.6", "glm-4.6", None),
        ("GLM-4.6", "glm-4.6", None),
        ("glm-4.6-openai", "glm-4.6", OAI),
        ("glm-4.6-Anthropic", "glm-4.6", ANT),
        ("glm-5.3[1m]", "glm-5.3", None),
        ("claude-glm-5.3", "glm-5.3", None),
        ("claude-sonnet-4-5", "glm-4.6", None),
        ("claude-3-5-haiku-20241022", "glm-4.5-air", None),
        ("gpt-4o", "glm-4.6", None),
        ("gpt-4o-mini-openai", "glm-4.5-air", OAI),
        ("gpt-5-nano", "glm-4.5-air", None),
        ("o3", "glm-4.6", None),
        ("glm-99-future", "glm-99-future", None),
        ("my-model", "glm-5.2", None),
        ("my-model-openai", "glm-5.2", OAI),
        ("pinned", "glm-4.7", OAI),
        ("pinned-anthropic", "glm-4.7", ANT),
    ],
)
def test_names(name: str, model: str, forced: DialectName | None) -> None:
    resolved = resolve_model(name, SETTINGS)
    assert (resolved.model, resolved.forced) == (model, forced)


@pytest.mark.parametrize("name", ["llama-3", "-openai", "mistral-large-openai", "omega"])
def test_unknown_names_are_refused_with_the_list(name: str) -> None:
    with pytest.raises(UnknownModelError) as caught:
        resolve_model(name, SETTINGS)
    assert caught.value.status == 404
    assert "glm-4.6v" in caught.value.hint


@pytest.mark.parametrize(
    ("conversation", "dialect", "model"),
    [
        (said("glm-4.6"), ANT, "glm-4.6"),
        (said("glm-4.6-openai"), OAI, "glm-4.6"),
        (said("glm-4.6", json=True), OAI, "glm-4.6"),
        (said("glm-4.6-anthropic", json=True), ANT, "glm-4.6"),
        (said("glm-4.6", PICTURE), OAI, "glm-4.6v"),
        (said("glm-4.6-anthropic", PICTURE), OAI, "glm-4.6v"),
        (said("glm-5.3-flash", PICTURE), OAI, "glm-5.3-flash"),
        (said("glm-4.6", ToolResult("t", (PICTURE,))), OAI, "glm-4.6v"),
        (said("glm-4.6-anthropic", VIDEO), OAI, "glm-4.6v"),
        (said("glm-4.6", FILE, PICTURE), OAI, "glm-4.6v"),
        (said("glm-5.3-flash", FILE), OAI, "glm-5.3-flash"),
        (said("glm-4.6", ToolResult("t", (VIDEO,))), OAI, "glm-4.6v"),
        (said("glm-4.6", Unknown("input_video")), ANT, "glm-4.6"),
    ],
)
def test_routes(conversation: Conversation, dialect: DialectName, model: str) -> None:
    route = choose_route(conversation, SETTINGS, BUILTIN_SERVERS[0])
    assert (route.dialect, route.model) == (dialect, model)
    assert route.asked == conversation.model
    assert route.reason


@pytest.mark.parametrize(("preference", "dialect"), [("openai", OAI), ("anthropic", ANT)])
def test_preference_decides_where_nothing_is_forced(preference: str, dialect: DialectName) -> None:
    settings = ProxySettings.model_validate({"text_endpoint_preference": preference})
    assert choose_route(said("glm-4.6"), settings, BUILTIN_SERVERS[0]).dialect is dialect
    assert choose_route(said("glm-4.6-openai"), settings, BUILTIN_SERVERS[0]).dialect is OAI


@pytest.mark.parametrize(
    ("part", "model", "reason"),
    [
        (PICTURE, "glm-4.6", "a picture: the vision model"),
        (VIDEO, "glm-4.6", "a video: the vision model"),
        (FILE, "glm-5.3-flash", "a file: the model asked for sees"),
    ],
)
def test_the_reason_names_what_must_be_seen(part: Part, model: str, reason: str) -> None:
    assert choose_route(said(model, part), SETTINGS, BUILTIN_SERVERS[0]).reason == reason


def test_a_configured_vision_model_counts_as_seeing() -> None:
    settings = ProxySettings(autovision_model="house-vision")
    route = choose_route(said("glm-4.6", PICTURE), settings, BUILTIN_SERVERS[0])
    assert (route.model, route.facts.sees) == ("house-vision", True)


def test_listed_names_are_all_known() -> None:
    assert [resolve_model(name, SETTINGS).model for name in list_models(SETTINGS)]
    assert split_variant("glm-4.6") == ("glm-4.6", None)


def test_what_the_server_lists_can_be_asked_for() -> None:
    assert resolve_model("house-7b-openai", SETTINGS, ["house-7b"]) == ResolvedModel("house-7b", DialectName.OPENAI)
    with pytest.raises(UnknownModelError):
        resolve_model("house-8b", SETTINGS, ["house-7b"])
