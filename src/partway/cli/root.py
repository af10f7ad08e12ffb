"""The command ``partway`` and its subcommands.

What is imported here is imported for every ``--help`` and every completion, and in an installation
without the server: Typer, and nothing else that is not the standard library.
"""

from __future__ import annotations

import io
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from partway.cli import jobs, keys, tokens
from partway.cli.delete import delete
from partway.cli.doctor import doctor
from partway.cli.finish import finish
from partway.cli.listing import list_videos
from partway.cli.migrate import migrate
from partway.cli.outcome import INTERRUPTED, exit_code, say, sentence
from partway.cli.serve import serve
from partway.cli.show import show
from partway.cli.upload import upload
from partway.cli.watch import watch
from partway.cli.worker import worker
from partway.errors import PartwayError

_SERVER_EXTRA = "This command needs the server, which is not installed: pip install 'partway[server]'"
_EXTRAS = {"psycopg": "PostgreSQL needs its driver, which is not installed: pip install 'partway[server,postgres]'"}
"""By the module that is missing; any other is the server's."""


class Commands(TyperGroup):
    """The one place where errors become a sentence and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except ModuleNotFoundError as missing:
            if (missing.name or "partway").partition(".")[0] == "partway":
                raise
            say(f"{_EXTRAS.get(missing.name or '', _SERVER_EXTRA)}  ({missing.name} is missing)")
            raise typer.Exit(1) from None
        except PartwayError as error:
            say(sentence(error))
            raise typer.Exit(exit_code(error)) from None
        except BrokenPipeError:
            raise  # Typer ends quietly when the reader of a pipe has gone
        except OSError as error:
            say(sentence(error))
            raise typer.Exit(exit_code(error)) from None
        except KeyboardInterrupt:
            say("Stopped.")
            raise typer.Exit(INTERRUPTED) from None


app = typer.Typer(
    cls=Commands,
    name="partway",
    help="Upload videos part by part, watch them while they are still on their way.",
    epilog="Start with `partway serve`; then `partway upload FILE`. Each command has its own --help.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib import metadata

        typer.echo(f"partway {metadata.version('partway')}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


app.command("serve", rich_help_panel="The server")(serve)
app.add_typer(keys.app, name="keys", rich_help_panel="The server")
app.command("worker", rich_help_panel="The server")(worker)
app.add_typer(jobs.app, name="jobs", rich_help_panel="The server")
app.command("migrate", rich_help_panel="The server")(migrate)
app.command("doctor", rich_help_panel="The server")(doctor)
app.command("upload", rich_help_panel="Videos")(upload)
app.command("list", rich_help_panel="Videos")(list_videos)
app.command("show", rich_help_panel="Videos")(show)
app.command("watch", rich_help_panel="Videos")(watch)
app.command("finish", rich_help_panel="Videos")(finish)
app.command("delete", rich_help_panel="Videos")(delete)
app.add_typer(tokens.app, name="tokens", rich_help_panel="Videos")


def main() -> None:
    """The console script."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a file's name that is no text must not end the program
    app(prog_name="partway")
