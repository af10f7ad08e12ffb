"""``partway upload``."""

from __future__ import annotations

import os
import stat
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from partway.cli.interrupt import ended_by_ctrl_c
from partway.cli.options import ApiKey, Cacert, Config, Json, Server, connect
from partway.cli.outcome import DONE, INTERRUPTED, TRY_AGAIN_LATER, USAGE, exit_code, say, sentence
from partway.errors import PartwayError

if TYPE_CHECKING:
    from partway.cli.report import Report
    from partway.client import Client
    from partway.client.events import Event
    from partway.client.upload import Source, Wish

STANDARD_INPUT = "-"


def upload(
    files: Annotated[
        list[str],
        typer.Argument(metavar="FILE...", help="What to upload; - is standard input.", show_default=False),
    ],
    title: Annotated[str | None, typer.Option(metavar="TEXT", help="Its title. (default: the file's name)")] = None,
    description: Annotated[str | None, typer.Option(metavar="TEXT", help="What it is about.")] = None,
    tag: Annotated[list[str] | None, typer.Option(metavar="TAG", help="A tag; repeatable.")] = None,
    metadata: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help="A fact of yours to keep with it; repeatable.")
    ] = None,
    public: Annotated[
        bool | None, typer.Option("--public/--private", help="Who may watch it. (default: public)", show_default=False)
    ] = None,
    resume: Annotated[
        str | None, typer.Option(metavar="VIDEO_ID", help="Go on with this video, whoever began it.")
    ] = None,
    restart: Annotated[bool, typer.Option("--restart", help="Begin anew, whatever an earlier run left.")] = False,
    follow: Annotated[
        bool, typer.Option("--follow", help="The file is still being written: send it as it grows.")
    ] = False,
    follow_idle: Annotated[
        float, typer.Option(min=1, metavar="SECONDS", help="With --follow: no growth for so long is its end.")
    ] = 30,
    exact: Annotated[
        bool, typer.Option("--exact", help="With --follow: send its first 5 MiB last, as they are in the end.")
    ] = False,
    parallel: Annotated[int, typer.Option(min=1, max=64, metavar="N", help="Pieces on their way at a time.")] = 4,
    retry_for: Annotated[
        float, typer.Option(min=0, metavar="SECONDS", help="How long to try while the server gives no sign of life.")
    ] = 60,
    as_json: Json = False,
    server: Server = None,
    api_key: ApiKey = None,
    config: Config = None,
    cacert: Cacert = None,
) -> None:
    """Upload videos, several pieces at a time.

    Progress goes to standard error; standard output ends with one video id per file, in order.

    The same command goes on where an earlier one stopped, whatever stopped it. Standard input and
    named pipes work as well, and survive a server that restarts; but what was read from a pipe is
    gone, so nothing can go on after this command itself has ended.

    With --follow, a file that is still being written is sent as it grows, in parts of 5 MiB and more. Its end is
    when it has not grown for a while, or Ctrl-C; a second Ctrl-C stops the upload.

    For example:

      partway upload holiday.mp4

      partway upload --title "Day one" --tag trip --private day1.mov

      ffmpeg -i in.avi -f mpegts - | partway upload --title Live -

      partway upload --follow recording.mkv

      partway upload --resume vi4k0jvEUuaTdRAEjQ4Jfrgz holiday.mp4

    Exit codes: 0 done, 1 refused, 2 wrong usage or unreadable file, 75 try again later.
    """
    if len(files) > 1 and (title is not None or resume is not None):
        raise typer.BadParameter(f"{'--title' if title is not None else '--resume'} goes with one file.")
    if restart and resume is not None:
        raise typer.BadParameter("--restart begins anew and --resume goes on: choose one.")
    if files.count(STANDARD_INPUT) > 1:
        raise typer.BadParameter("Standard input can be read only once.")
    if follow and (len(files) > 1 or STANDARD_INPUT in files):
        raise typer.BadParameter("--follow goes with one file; standard input is sent as it comes anyway.")
    if exact and not follow:
        raise typer.BadParameter("--exact goes with --follow.")
    if STANDARD_INPUT in files and sys.stdin.isatty():
        raise typer.BadParameter("Standard input is the terminal; pipe a video into it.")
    unreadable = [complaint for file in files if (complaint := _complaint(file)) is not None]
    if unreadable:  # before anything is sent: a slip of the pen should not leave half the work done
        for complaint in unreadable:
            say(complaint)
        raise typer.Exit(USAGE)
    from partway.client.upload import Wish

    wish = Wish(title, description, tag, _pairs(metadata), public)
    options: dict[str, Any] = {"resume": resume, "restart": restart}
    with connect(server, api_key, config, cacert, retry_for=retry_for, parallel=parallel) as client:
        if not follow:
            raise typer.Exit(_upload_all(client, files, wish, options, as_json=as_json))
        with ended_by_ctrl_c() as is_over:
            options |= {"follow": True, "follow_idle": follow_idle, "exact": exact, "is_over": is_over}
            raise typer.Exit(_upload_all(client, files, wish, options, as_json=as_json))


def _upload_all(client: Client, files: list[str], wish: Wish, options: dict[str, Any], *, as_json: bool) -> int:
    """Upload one file after another; the worst of their exit codes."""
    from partway.cli.report import report
    from partway.client.events import Failed
    from partway.client.journal import forget

    worst = DONE
    for file in files:
        with report(file, as_json=as_json) as shown:
            if worst == TRY_AGAIN_LATER:
                shown(Failed(file, None, PartwayError("Not tried, since the server can't be reached.")))
                continue
            try:
                video_id = _upload(client, file, wish, options, shown, is_only=len(files) == 1)
            except (PartwayError, OSError) as error:
                worst = max(worst, exit_code(error))
                continue
        if not as_json:
            print(video_id, flush=True)
    if worst == DONE and len(files) > 1:
        # Until all are done the finished ones are remembered, so that the same command skips them.
        for file in files:
            if file != STANDARD_INPUT:
                forget(client.server, file)
    return worst


def _upload(client: Client, file: str, wish: Wish, options: dict[str, Any], shown: Report, *, is_only: bool) -> str:
    from partway.client.events import Failed

    begun: list[str] = []
    is_told = False

    def on_progress(event: Event) -> None:
        nonlocal is_told
        if event.video_id is not None and not begun:
            begun.append(event.video_id)
        is_told = is_told or isinstance(event, Failed)
        shown(event)

    source: Source = file
    title = wish.title
    if file == STANDARD_INPUT:
        # Not sys.stdin: its lock would be held by a read that nothing can end.
        source = open(0, "rb", buffering=0, closefd=False)  # noqa: SIM115
        title = title or "Standard input"
    try:
        return client.upload(
            source,
            title=title,
            description=wish.description,
            tags=wish.tags,
            metadata=wish.metadata,
            public=wish.public,
            on_progress=on_progress,
            forget=is_only,
            **options,
        ).id
    except (PartwayError, OSError) as error:
        if not is_told:
            shown(Failed(file, begun[0] if begun else None, error))
        raise
    except KeyboardInterrupt:
        say(f"Stopped. {_way_on(file, begun[0] if begun else None)}")
        raise typer.Exit(INTERRUPTED) from None


def _way_on(file: str, video_id: str | None) -> str:
    if video_id is None:
        return "Nothing was sent."
    if file == STANDARD_INPUT or not os.path.isfile(file):
        return (
            f"A pipe can't be resumed; what arrived is kept as {video_id}: `partway finish {video_id}` makes a video "
            f"of it, `partway delete {video_id}` removes it."
        )
    return f"The same command goes on with {video_id}; so does `partway upload --resume {video_id} FILE` elsewhere."


def _complaint(file: str) -> str | None:
    """Why a file can't be uploaded, before it is tried."""
    if file == STANDARD_INPUT:
        return None
    try:
        mode = os.stat(file).st_mode
        if stat.S_ISDIR(mode):
            return f"{file}: a folder can't be uploaded; name the files in it."
        if stat.S_ISREG(mode):  # opening a pipe would wait for its writer
            open(file, "rb").close()
    except OSError as error:
        return sentence(error)
    return None


def _pairs(metadata: list[str] | None) -> dict[str, str] | None:
    if metadata is None:
        return None
    pairs = [pair.partition("=") for pair in metadata]
    for key, equals, _ in pairs:
        if not key or not equals:
            raise typer.BadParameter("Metadata is KEY=VALUE, such as --metadata camera=2.")
    return {key: value for key, _, value in pairs}
