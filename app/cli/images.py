"""images: the descriptions that stand for old pictures: list, show, edit, pin, delete, have made again."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from typing import Annotated

import typer
from rich.table import Table

from app.cli.desk import AsJson, Desk, Home, inner, number, objects, plain, text
from app.cli.editor import edited
from app.cli.exits import EXIT_USAGE, CommandError
from app.cli.offline_images import description_store
from app.cli.tables import pairs, table
from app.cli.words import clipped, moment, size
from app.control.client import ControlClient
from proxy_core.jsontypes import JsonObject
from proxy_core.stores.descriptions import DescriptionStore

images = typer.Typer(help="Descriptions of pictures: list, show, edit, pin, delete.", no_args_is_help=True)

Digest = Annotated[str, typer.Argument(metavar="ID", help="The picture's SHA-256, or the start of it.")]
_SHORT = 12


@images.command("list")
def list_images(
    search: Annotated[str, typer.Argument(help="Only those that hold these words.")] = "",
    as_json: AsJson = False,
    home: Home = None,
) -> None:
    """List the descriptions, the last used first."""
    desk = Desk.open(home, as_json)
    found = _list(desk, search)
    desk.tell(found, lambda: _table(found))


def _list(desk: Desk, search: str) -> JsonObject:
    client = desk.find()
    if client is not None:
        return client.images(search)
    store = _store(desk)

    async def read() -> JsonObject:
        return plain({"images": await store.list(search), "size": await store.size()})

    return asyncio.run(read())


def _store(desk: Desk) -> DescriptionStore:
    return description_store(desk.home, desk.loaded().settings)


def _table(found: JsonObject) -> Table | str:
    rows = objects(found, "images")
    if not rows:
        return "There are no descriptions."
    kept = inner(found, "size")
    used = f"{text(kept, 'pictures')} pictures, {size(number(kept, 'stored_bytes'))} of "
    title = used + size(number(kept, "bound_bytes"))
    heads = ("ID", "Used", "Hits>", "Kept", "Description")
    return table(heads, (_row(row) for row in rows), title)


def _row(row: JsonObject) -> tuple[str, ...]:
    marks = [word for word in ("pinned", "edited") if row.get(word)]
    used = moment(number(row, "last_used_at")) if row.get("last_used_at") else "–"
    return text(row, "digest")[:_SHORT], used, text(row, "hits"), " ".join(marks), clipped(text(row, "text"), 60)


def _find(desk: Desk, start: str) -> JsonObject:
    """The one description whose id begins so. Raises CommandError."""
    found = [row for row in objects(_list(desk, ""), "images") if text(row, "digest").startswith(start.lower())]
    if len(found) == 1:
        return found[0]
    if not found:
        raise CommandError(f"No picture {start!r} is described.", "See: proxy-cli images list", EXIT_USAGE)
    raise CommandError(f"{len(found)} pictures begin with {start!r}.", "Give more of the id.", EXIT_USAGE)


@images.command("show")
def show(digest: Digest, as_json: AsJson = False, home: Home = None) -> None:
    """Show one description in full."""
    desk = Desk.open(home, as_json)
    row = _find(desk, digest)
    desk.tell({"image": row}, lambda: _details(row), lambda: "\n" + text(row, "text"))


def _details(row: JsonObject) -> Table:
    marks = [word for word in ("pinned", "edited") if row.get(word)]
    measure = f"{text(row, 'width')} × {text(row, 'height')}, " if row.get("width") else ""
    return pairs(
        [
            ("ID", text(row, "digest")),
            ("Picture", f"{measure}{text(row, 'media_type')} {size(number(row, 'picture_bytes'))}"),
            ("Described by", f"{text(row, 'model')}, {moment(number(row, 'made_at'))}"),
            ("Used", f"{text(row, 'hits')} times"),
            ("Kept", ", ".join(marks)),
            ("Seen with", clipped(text(row, "context"), 300)),
        ]
    )


@images.command("edit")
def edit(
    digest: Digest,
    words: Annotated[
        str | None, typer.Option("--text", help="The new words; without it they are read or edited.")
    ] = None,
    as_json: AsJson = False,
    home: Home = None,
) -> None:
    """Change a description: in your editor, from --text, or from what is piped in."""
    desk = Desk.open(home, as_json)
    row = _find(desk, digest)
    if words is None:
        words = edited(text(row, "text"))
    _change(desk, row, {"text": words}, "The description is changed; it is what the model sees from now on.")


def _change(desk: Desk, row: JsonObject, changes: Mapping[str, object], said: str) -> None:
    digest = text(row, "digest")
    client = desk.find()
    found = client.change_image(digest, changes) if client is not None else _change_file(desk, digest, changes)
    desk.tell(found, said)


def _change_file(desk: Desk, digest: str, changes: Mapping[str, object]) -> JsonObject:
    store = _store(desk)

    async def write() -> JsonObject:
        found = await store.get(digest)
        if "text" in changes:
            found = await store.edit(digest, str(changes["text"]))
        if "pinned" in changes:
            found = await store.pin(digest, pinned=bool(changes["pinned"]))
        await store.close()
        return plain({"image": found})

    return asyncio.run(write())


@images.command("pin")
def pin(digest: Digest, as_json: AsJson = False, home: Home = None) -> None:
    """Keep a description however full the store is."""
    desk = Desk.open(home, as_json)
    _change(desk, _find(desk, digest), {"pinned": True}, "It is pinned.")


@images.command("unpin")
def unpin(digest: Digest, as_json: AsJson = False, home: Home = None) -> None:
    """Let a description go when the store is full and it was not used for long."""
    desk = Desk.open(home, as_json)
    _change(desk, _find(desk, digest), {"pinned": False}, "It is not pinned any more.")


@images.command("again")
def again(digest: Digest, as_json: AsJson = False, home: Home = None) -> None:
    """Have the picture described anew when it is next seen."""
    desk = Desk.open(home, as_json)
    name = text(_find(desk, digest), "digest")
    client = desk.find()
    if client is not None:
        client.describe_image(name)
    else:
        asyncio.run(_store(desk).describe_again(name))
    desk.tell({"digest": name, "is_to_be_made_again": True}, "It is described anew when it is next seen.")


@images.command("delete")
def delete(
    digest: Digest,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: AsJson = False,
    home: Home = None,
) -> None:
    """Forget a description; the picture is described again when it is next needed."""
    desk = Desk.open(home, as_json)
    name = text(_find(desk, digest), "digest")
    if not yes and sys.stdin.isatty() and not typer.confirm(f"Forget the description of {name[:_SHORT]}?", err=True):
        raise CommandError("Nothing was deleted.")
    _delete(desk, desk.find(), name)
    desk.tell({"deleted": name}, "It is deleted.")


def _delete(desk: Desk, client: ControlClient | None, name: str) -> None:
    if client is not None:
        client.delete_image(name)
        return
    if not asyncio.run(_store(desk).delete(name)):
        raise CommandError("It could not be deleted.")
