"""``partway show``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from partway.cli.options import ApiKey, Cacert, Config, Json, Server, connect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from partway.client import Status, Video


def show(
    video_id: Annotated[str, typer.Argument(metavar="VIDEO_ID", help="The video to show.")],
    as_json: Json = False,
    server: Server = None,
    api_key: ApiKey = None,
    config: Config = None,
    cacert: Cacert = None,
) -> None:
    """Show a video: what it is, how much has arrived, and whether it can be watched.

    Example: partway show vi4k0jvEUuaTdRAEjQ4Jfrgz
    """
    with connect(server, api_key, config, cacert) as client:
        video, status = client.get(video_id), client.status(video_id)
    if as_json:
        import json

        print(json.dumps({"video": video.raw, "status": status.raw}))
        return
    for name, value in _lines(video, status):
        print(f"{name:<11} {value}")


def _lines(video: Video, status: Status) -> Iterator[tuple[str, str]]:
    from partway.cli.words import size

    yield "video", video.id
    yield "title", video.title
    if video.description:
        yield "description", video.description
    if video.tags:
        yield "tags", ", ".join(video.tags)
    for pair in video.raw.get("metadata") or ():
        yield "metadata", f"{pair['key']}={pair['value']}"
    yield "created", video.created_at
    yield "visible", "public" if video.is_public else "private"
    ingest = status.raw.get("ingest") or {}
    yield "upload", status.ingest or "nothing has arrived"
    if ingest.get("filesize"):
        yield "size", size(ingest["filesize"])
    parts = ingest.get("receivedParts") or {}
    if parts.get("parts"):
        total = parts.get("total")
        yield "parts", f"{len(parts['parts'])} of {total if total is not None else 'an unknown number'}"
    spans = ingest.get("receivedBytes") or []
    if spans:
        held = sum(span["to"] - span["from"] + 1 for span in spans)
        total = spans[0].get("total")
        yield "bytes", f"{size(held)} of {size(total) if total is not None else 'an unknown number'}"
    yield "playable", "yes" if status.is_playable else f"not yet: {status.reason}" if status.reason else "not yet"
    for quality in (status.raw.get("encoding") or {}).get("qualities") or ():
        yield "quality", f"{quality.get('type')} {quality.get('quality')} {quality.get('status')}"
    if video.watch_url:
        yield "watch", video.watch_url
