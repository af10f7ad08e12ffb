"""``partway watch``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from partway.cli.options import ApiKey, Config, Server, connect
from partway.cli.outcome import REFUSED, TRY_AGAIN_LATER, say

if TYPE_CHECKING:
    from partway.client import Client

_EVERY = 0.5
"""Seconds between two looks; the official players look as often (contract.md 0, fact 19)."""


def watch(
    video_id: Annotated[str, typer.Argument(metavar="VIDEO_ID", help="The video to watch.")],
    open_it: Annotated[
        bool | None,
        typer.Option("--open/--no-open", help="Open it in the browser. (default: on a terminal)", show_default=False),
    ] = None,
    wait: Annotated[
        float | None,
        typer.Option(min=0, metavar="SECONDS", help="Wait at most so long. (default: for ever)"),
    ] = None,
    server: Server = None,
    api_key: ApiKey = None,
    config: Config = None,
) -> None:
    """Wait until a video can be watched, then open its page and print the address.

    While it waits, what it waits for goes to standard error. Exit codes: 0 it can be watched, 1 it can't and
    never will, 75 not within --wait.

    Example: partway watch vi4k0jvEUuaTdRAEjQ4Jfrgz
    """
    with connect(server, api_key, config) as client:
        url = client.get(video_id).watch_url
        if url is None:
            say("This server gives videos no page to watch them on.")
            raise typer.Exit(REFUSED)
        _wait(client, video_id, wait)
    print(url, flush=True)
    if open_it if open_it is not None else sys.stdout.isatty():
        typer.launch(url)


def _wait(client: Client, video_id: str, seconds: float | None) -> None:
    """Return when the video can be watched; leave with a word when it never will, or not in time."""
    import time

    begun, told = time.monotonic(), None
    while not (status := client.status(video_id)).is_playable:
        if status.is_failed:
            say(f"It can't be watched: {status.reason or 'its source is of no use'}")
            raise typer.Exit(REFUSED)
        if status.reason != told:
            told = status.reason
            say(f"Waiting: {told}")
        if seconds is not None and time.monotonic() - begun + _EVERY > seconds:
            say(f"It can't be watched yet, after {seconds:g} s.")
            raise typer.Exit(TRY_AGAIN_LATER)
        time.sleep(_EVERY)
