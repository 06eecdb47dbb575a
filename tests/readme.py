"""The settings table of README.md, written from the declarations.

And .env.example. usage: python -m tests.readme --write
"""

from __future__ import annotations

import re
import sys

from app.settings.describe import SettingRow, describe_settings, env_example
from tests.source import ROOT

README = ROOT / "README.md"
EXAMPLE = ROOT / ".env.example"
BEGIN = "<!-- settings: written by `make readme` -->\n"
END = "<!-- end of settings -->\n"


def settings_table() -> str:
    """Markdown: one row per setting."""
    lines = ["| environment | config.yaml | default | what it does |", "| --- | --- | --- | --- |"]
    lines += [table_row(row) for row in describe_settings()]
    return "\n".join(lines) + "\n"


def table_row(row: SettingRow) -> str:
    """One line; the aliases stand behind the name that we document."""
    name, *aliases = (f"`{name}`" for name in row.environment)
    names = f"{name} (also {', '.join(aliases)})" if aliases else name
    default = f"`{row.default}`" if row.default else ""
    text = re.sub(r"([|*])", r"\\\1", row.help.replace("\n", " "))
    return f"| {names} | `{row.field}` | {default} | {text} |"


def current_table() -> str:
    """What stands between the markers now."""
    return README.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]


def write() -> None:
    """Put the table of today between the markers."""
    before, begin, rest = README.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    EXAMPLE.write_text(env_example(), encoding="utf-8")
    README.write_text(before + begin + settings_table() + end + after, encoding="utf-8")


if __name__ == "__main__" and "--write" in sys.argv:
    write()
