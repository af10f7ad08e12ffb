"""``partway delete``."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from partway.cli.options import ApiKey, Cacert, Config, Server, connect
from partway.cli.outcome import REFUSED, USAGE, say


def delete(
    video_ids: Annotated[list[str], typer.Argument(metavar="VIDEO_ID...", help="The videos to delete.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")] = False,
    server: Server = None,
    api_key: ApiKey = None,
    config: Config = None,
    cacert: Cacert = None,
) -> None:
    """Delete videos with everything that belongs to them. There is no way back.

    Example: partway delete vi4k0jvEUuaTdRAEjQ4Jfrgz
    """
    if not yes and not sys.stdin.isatty():
        say("There is no terminal to ask on; say --yes if you mean it.")
        raise typer.Exit(USAGE)
    is_spared = False
    with connect(server, api_key, config, cacert) as client:
        for video_id in video_ids:
            if not yes:
                video = client.get(video_id)
                if not typer.confirm(f'Delete "{video.title}" ({video.id}) for good?', err=True):
                    is_spared = True
                    continue
            client.delete(video_id)
            say(f"Deleted {video_id}.")
    if is_spared:
        raise typer.Exit(REFUSED)
