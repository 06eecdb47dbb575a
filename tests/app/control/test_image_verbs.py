from __future__ import annotations

import pytest

from app.control.client import ControlError
from proxy_core.chat import Image
from proxy_core.stores.descriptions import Draft

DIGEST = "ab" * 32


async def keep(host) -> None:
    await host.runtime.descriptions.put(
        Draft(DIGEST, "A cat on a mat.", "glm-4.6v", Image(url="https://example.com/cat.png"))
    )


async def test_a_description_is_found_edited_pinned_and_deleted(host, ask):
    await keep(host)
    listed = await ask(lambda client: client.images("cat"))
    edited = await ask(lambda client: client.change_image(DIGEST, {"text": "A dog.", "pinned": True}))
    again = await ask(lambda client: client.describe_image(DIGEST))
    assert [row["digest"] for row in listed["images"]] == [DIGEST]
    assert (edited["image"]["text"], edited["image"]["pinned"], edited["image"]["edited"]) == ("A dog.", True, True)
    assert again["image"]["is_to_be_made_again"] is True
    await ask(lambda client: client.delete_image(DIGEST))
    assert (await ask(lambda client: client.images()))["images"] == []


@pytest.mark.parametrize(
    ("verb", "status"),
    [
        (lambda client: client.image(DIGEST), 404),
        (lambda client: client.image("..%2f..%2fconfig"), 404),
        (lambda client: client.delete_image(DIGEST), 404),
        (lambda client: client.change_image(DIGEST, {}), 400),
        (lambda client: client.change_image(DIGEST, {"pinned": 1}), 400),
    ],
)
async def test_what_is_not_there_is_refused(ask, verb, status):
    with pytest.raises(ControlError) as refused:
        await ask(verb)
    assert refused.value.status == status
