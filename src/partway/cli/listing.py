"""``partway list``."""

from __future__ import annotations

import sys
from itertools import islice
from typing import Annotated

import typer

from partway.cli.options import ApiKey, Cacert, Config, Json, Server, connect


def list_videos(
    title: Annotated[str | None, typer.Option(metavar="TEXT", help="Only titles with this text in them.")] = None,
    tag: Annotated[list[str] | None, typer.Option(metavar="TAG", help="Only videos with this tag; repeatable.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, metavar="N", help="At most so many.")] = None,
    as_json: Json = False,
    server: Server = None,
    api_key: ApiKey = None,
    config: Config = None,
    cacert: Cacert = None,
) -> None:
    """List the videos, newest first: a table on a terminal, tab-separated values elsewhere.

    Example: partway list --tag holiday --limit 20
    """
    with connect(server, api_key, config, cacert) as client:
        videos = islice(client.list(title=title, tags=tag or ()), limit)
        if as_json:
            import json

            for video in videos:
                print(json.dumps(video.raw))
        elif sys.stdout.isatty():
            from rich.console import Console
            from rich.table import Table
            from rich.text import Text

            table = Table("VIDEO", "CREATED", "TITLE", "", box=None, header_style="bold", pad_edge=False)
            for video in videos:
                created = video.created_at[:16].replace("T", " ")
                table.add_row(video.id, created, Text(video.title), "" if video.is_public else "private")
            Console().print(table if table.row_count else "There are no videos.")
        else:
            for video in videos:
                flat = " ".join(video.title.split())
                print(video.id, video.created_at, "public" if video.is_public else "private", flat, sep="\t")
