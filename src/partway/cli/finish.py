"""``partway finish``."""

from __future__ import annotations

from typing import Annotated

import typer

from partway.cli.options import ApiKey, Cacert, Config, Server, connect
from partway.cli.outcome import say


def finish(
    video_id: Annotated[str, typer.Argument(metavar="VIDEO_ID", help="The video whose upload is to be closed.")],
    server: Server = None,
    api_key: ApiKey = None,
    config: Config = None,
    cacert: Cacert = None,
) -> None:
    """Close an upload whose last part never said that it was the last.

    The highest part that arrived becomes the last one. Refused while something below it is missing.

    Example: partway finish vi4k0jvEUuaTdRAEjQ4Jfrgz
    """
    with connect(server, api_key, config, cacert) as client:
        video = client.finish(video_id)
    if video.watch_url:
        say(f"Watch: {video.watch_url}")
    print(video.id)
