"""`anthropic-proxy` and `python -m app`: from the command line to a face, which is imported only when chosen."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from app.errors import EndingError, no_desktop, no_display
from app.settings.load import Loaded, find_home, has_display, load
from proxy_core.version import __version__

_DESKTOP_MODULES = ("PySide6", "qasync", "pyqtgraph")
_SHARED_LIBRARY = "shared object file"

cli = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"anthropic-proxy {__version__}")
        raise typer.Exit


@cli.command()
def start(
    headless: Annotated[bool, typer.Option("--headless", help="Run in the foreground, without a window.")] = False,
    demo: Annotated[bool, typer.Option("--demo", help="Add the built-in server: no key, no network needed.")] = False,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[str | None, typer.Option(help="Port to listen on.")] = None,
    server: Annotated[str | None, typer.Option(help="Server that requests go to, for this run.")] = None,
    log_level: Annotated[str | None, typer.Option(help="DEBUG, INFO, WARNING, ERROR or CRITICAL.")] = None,
    home: Annotated[str | None, typer.Option(help="Data folder; default ~/.anthropic-proxy.")] = None,
    version: Annotated[bool, typer.Option("--version", callback=_print_version, is_eager=True)] = False,
    health: Annotated[
        bool, typer.Option("--health", help="Ask the running instance if it is well: exit 0 or 1.")
    ] = False,
    self_test: Annotated[bool, typer.Option("--self-test", hidden=True)] = False,
) -> None:
    """A local LLM proxy: OpenAI and Anthropic APIs on localhost, GLM models behind them."""
    if self_test:
        raise typer.Exit(_test_itself(headless))
    folder = find_home(home, Path.cwd())
    flags = {"host": host, "port": port, "current_server": server, "log_level": log_level}
    face = _ask_health if health else _run_headless if headless else _run_tray
    try:
        code = face(folder, load(folder, flags, demo=demo), demo)
    except EndingError as error:
        typer.echo(error.message, err=True)
        code = error.exit_code
    raise typer.Exit(code)


def _run_headless(home: Path, loaded: Loaded, demo: bool) -> int:
    from app import headless

    return headless.run(home, loaded, demo=demo)


def _ask_health(home: Path, loaded: Loaded, demo: bool) -> int:
    from app.control.health import ask_health
    from app.control.lock import read_record

    record = read_record(home)
    host, port = loaded.settings.host, loaded.settings.port
    is_well, sentence = ask_health((record.host, record.port) if record is not None and not port else (host, port))
    typer.echo(sentence, err=not is_well)
    return 0 if is_well else 1


def _run_tray(home: Path, loaded: Loaded, demo: bool) -> int:
    missing = [name for name in _DESKTOP_MODULES if find_spec(name) is None]
    if missing:
        raise no_desktop(f"{missing[0]} is missing")
    if not has_display():
        raise no_display()
    try:
        from app.gui.main import run
    except ImportError as error:
        if _SHARED_LIBRARY in str(error):  # Qt is there, but not what Qt itself needs
            raise no_desktop(str(error)) from error
        raise
    return run(home, loaded, demo)


def _test_itself(headless: bool) -> int:
    from app.self_test import run

    return run(headless=headless)


def main() -> None:
    """The entry point."""
    sys.exit(cli())


if __name__ == "__main__":
    main()
