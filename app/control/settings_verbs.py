"""The settings over control: all with their declarations, and changes that hold at once."""

from __future__ import annotations

from aiohttp import web

from app.control.answers import RefusedError, Row, answer, read_object, text_in
from app.control.facts import setting_object
from app.logs import set_level
from app.runtime import Runtime
from app.settings.describe import choices, describe_settings


class SettingsVerbs:
    """GET and POST settings, POST log-level."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def rows(self) -> tuple[Row, ...]:
        """What these verbs answer."""
        return (
            ("GET", "settings", self._list),
            ("POST", "settings", self._change),
            ("POST", "log-level", self._log_level),
        )

    async def _list(self, _: web.Request) -> web.Response:
        runtime = self._runtime
        found = [setting_object(row, runtime.store) for row in describe_settings()]
        return answer({"settings": found})

    async def _change(self, request: web.Request) -> web.Response:
        changes = (await read_object(request)).get("changes")
        if not isinstance(changes, dict) or not changes:
            raise RefusedError(400, 'Say what to change: {"changes": {"log_level": "DEBUG"}}.')
        runtime = self._runtime
        before = runtime.proxy.address
        await runtime.apply(changes)
        unsaved = {field: runtime.store.fixed_by(field) for field in changes if runtime.store.fixed_by(field)}
        return answer(
            {
                "applied": sorted(changes),
                "rebound": runtime.proxy.address != before,
                "address": runtime.state.snapshot().address,
                "unsaved": unsaved,
            }
        )

    async def _log_level(self, request: web.Request) -> web.Response:
        level = text_in(await read_object(request), "level").upper()
        if level not in choices("log_level"):
            raise RefusedError(400, f"level must be one of {', '.join(choices('log_level'))}.")
        set_level(level)
        return answer({"level": level})
