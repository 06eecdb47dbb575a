"""The command line's table of commands, and the one border behind which nobody sees a traceback."""

from __future__ import annotations

import json
import logging
import sys
from typing import Annotated

import typer
from typer.completion import completion_init  # type: ignore[attr-defined]  # the one way without its own options

from app.cli import life
from app.cli.completion import completion
from app.cli.config import config
from app.cli.desk import make_console
from app.cli.doctor import doctor
from app.cli.exits import CODES, EXIT_FAILED, EXIT_INTERRUPTED, EXIT_NOT_RUNNING, EXIT_USAGE, CommandError
from app.cli.images import images
from app.cli.interactive import interactive, tui
from app.cli.keys import keys
from app.cli.logs import logs
from app.cli.models import models
from app.cli.servers import servers
from app.cli.stats import stats
from app.control.client import ControlError
from app.errors import EndingError
from proxy_core.redact import redact_text
from proxy_core.version import __version__

cli = typer.Typer(
    name="proxy-cli",
    help="Run and look after the proxy from a terminal.",
    epilog=CODES,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
_HTTP_BAD_VALUES = (400, 404)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"proxy-cli {__version__}")
        raise typer.Exit


@cli.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Say which.")
    ] = False,
) -> None:
    """Run and look after the proxy from a terminal."""


for command in (
    life.status,
    life.start,
    life.stop,
    life.restart,
    life.switch,
    life.show,
    config,
    logs,
    models,
    doctor,
    tui,
    interactive,
    completion,
):
    cli.command()(command)
cli.add_typer(servers, name="servers")
cli.add_typer(keys, name="keys")
cli.add_typer(stats, name="stats")
cli.add_typer(images, name="images")


def main() -> None:
    """The entry point."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    logging.getLogger().addHandler(logging.NullHandler())
    sys.exit(run())


def run() -> int:
    """One command, as `sys.argv` has it; its exit code."""
    completion_init()  # the shell asks this program itself what to offer
    try:
        cli(prog_name="proxy-cli")
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 0
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except CommandError as error:
        return _fail(str(error), error.hint, error.exit_code)
    except ControlError as error:
        return _fail(str(error), error.hint, _code_of(error))
    except EndingError as error:
        return _fail(error.message, "", error.exit_code)
    except OSError as error:
        return _fail(f"{error.filename or 'The system'}: {error.strerror or error}", "", EXIT_FAILED)
    except Exception as error:  # noqa: BLE001  # the border: whatever it is, a person gets a sentence
        return _fail(f"proxy-cli itself failed ({type(error).__name__}: {redact_text(str(error))}).", "", EXIT_FAILED)
    return 0


def _code_of(error: ControlError) -> int:
    if error.status == 0:
        return EXIT_NOT_RUNNING
    return EXIT_USAGE if error.status in _HTTP_BAD_VALUES else EXIT_FAILED


def _fail(message: str, hint: str, code: int) -> int:
    if "--json" in sys.argv:
        sys.stdout.write(json.dumps({"error": message, "hint": hint, "exit_code": code}, ensure_ascii=False) + "\n")
        return code
    console = make_console(to_stderr=True)
    console.print(message, style="red", soft_wrap=True)
    if hint:
        console.print(hint, soft_wrap=True)
    return code


if __name__ == "__main__":
    main()
