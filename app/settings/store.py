"""The current settings, and config.yaml as the place where changes stay."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from pydantic import ValidationError

from app.paths import CONFIG_FILE
from app.settings.load import Loaded
from app.settings.problems import SettingProblem, SettingsRefusedError, unknown_key
from app.settings.schema import Settings
from app.settings.sources import Origin
from app.settings.values import bad_value, check_value
from app.settings.yamlfile import BrokenFileError, edit_mapping, put_aside

_WHERE = "settings"


class SettingsStore:
    """Holds the one frozen value; whoever wants to change something makes a new one and replaces it."""

    def __init__(self, loaded: Loaded) -> None:
        self._path: Path = loaded.home / CONFIG_FILE
        self._current = loaded.settings
        self._origins = dict(loaded.origins)

    @property
    def current(self) -> Settings:
        """The settings that hold now."""
        return self._current

    def fixed_by(self, field: str) -> str:
        """What stands above config.yaml for this field ("PORT (environment)"), "" where nothing does.

        A change to such a field holds for this run and is not written.
        """
        origin = self._origins.get(field)
        return str(origin) if origin is not None and origin.is_fixed else ""

    def origin(self, field: str) -> Origin | None:
        """Where the value that holds now came from; None: it is the default. What was written counts as the file's."""
        return self._origins.get(field)

    def check(self, changes: Mapping[str, object]) -> Settings:
        """The settings with these changes, which may be text. Raises SettingsRefusedError naming every bad one."""
        problems = [
            unknown_key(_WHERE, key, Settings.model_fields) for key in changes if key not in Settings.model_fields
        ]
        values: dict[str, object] = {}
        for field in changes.keys() & Settings.model_fields.keys():
            try:
                values[field] = check_value(field, changes[field])
            except ValueError:
                problems.append(bad_value(_WHERE, field, field, changes[field]))
        if problems:
            raise SettingsRefusedError(problems)
        return self._with(values)

    def _with(self, values: Mapping[str, object]) -> Settings:
        try:
            return Settings.model_validate(self._current.model_dump() | dict(values))
        except ValidationError as error:
            message = error.errors(include_url=False, include_input=False)[0]["msg"]
            raise SettingsRefusedError([SettingProblem(_WHERE, ", ".join(values), message)]) from error

    def use(self, settings: Settings) -> None:
        """From now on these hold."""
        self._current = settings

    def save(self, before: Settings, kept_out: Collection[str] = (), asked: Collection[str] = ()) -> tuple[str, ...]:
        """Write what differs from `before` to config.yaml, except for the fields in `kept_out`; those that something
        above the file fixes are returned instead. Blocks (fsync): call it in a thread. Raises OSError.

        asked: fields that somebody set; of these also what only a flag said so far, be the value the same.
        """
        fields = [name for name in Settings.model_fields if name not in kept_out]
        flagged = {name for name in asked if (origin := self.origin(name)) is not None and origin.kind == "flag"}
        changed = [name for name in fields if name in flagged or getattr(self._current, name) != getattr(before, name)]
        fixed = tuple(name for name in changed if self.fixed_by(name))
        values = {name: _plain(getattr(self._current, name)) for name in changed if name not in fixed}
        for name in kept_out:
            if getattr(self._current, name) != getattr(before, name):
                self._origins[name] = Origin("flag", "this run", name)
        if values:
            self._write(values)
            self._origins |= {name: Origin("file", str(self._path), name) for name in values}
        return fixed

    def _write(self, values: Mapping[str, object]) -> None:
        try:
            edit_mapping(self._path, lambda data: data.update(values))
        except BrokenFileError as error:
            put_aside(self._path, str(error))
            edit_mapping(self._path, lambda data: data.update(values))


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value
