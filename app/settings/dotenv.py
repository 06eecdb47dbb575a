""".env files: read with every line accounted for, and one name blanked without touching the rest."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dotenv.parser import Binding, parse_stream
from dotenv.variables import parse_variables

from app.paths import write_private
from app.settings.yamlfile import read_text


@dataclass(frozen=True, slots=True)
class DotenvFile:
    """Names and values of a .env file. bad_lines: numbers of the lines that are no `NAME=value`, from 1."""

    path: Path
    values: Mapping[str, str]
    bad_lines: tuple[int, ...] = ()


def read_dotenv(path: Path, environ: Mapping[str, str]) -> DotenvFile:
    """The file's names; `${NAME}` is filled from the environment and the lines above. Empty where there is no file.

    Raises BrokenFileError (not UTF-8) and OSError.
    """
    bindings = list(parse_stream(io.StringIO(read_text(path))))
    values: dict[str, str] = {}
    for binding in bindings:
        if binding.key and binding.value is not None:
            values[binding.key] = _filled(binding.value, values, environ)
    bad = tuple(binding.original.line for binding in bindings if _is_bad(binding))
    return DotenvFile(path, values, bad)


def _is_bad(binding: Binding) -> bool:
    return binding.error or (binding.key is not None and binding.value is None)


def _filled(value: str, above: Mapping[str, str], environ: Mapping[str, str]) -> str:
    known: dict[str, str | None] = {**above, **environ}
    return "".join(atom.resolve(known) for atom in parse_variables(value))


def blank_name(path: Path, name: str) -> None:
    """Empty the value of one name; every other line stays as it is. Raises BrokenFileError and OSError."""
    bindings = parse_stream(io.StringIO(read_text(path)))
    write_private(path, "".join(_blanked(b) if b.key == name else b.original.string for b in bindings))


def _blanked(binding: Binding) -> str:
    # The parser counts the empty lines above a name, and the line's end, to the name's own text.
    text = binding.original.string
    above = text[: len(text) - len(text.lstrip())]
    return f"{above}{binding.key}=\n"
