"""What an upload shows while it runs: a bar, plain lines, or JSON."""

from __future__ import annotations

import json
import sys
import time
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Protocol

from partway.cli.outcome import say, sentence
from partway.cli.words import clock, size
from partway.client.events import Completed, Created, Event, Failed, Notice, Playable, Progress

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress


class Report(Protocol):
    """Shows the events of one file; entered while the file is uploaded."""

    def __enter__(self) -> Report: ...

    def __exit__(self, *_: object) -> None: ...

    def __call__(self, event: Event) -> None: ...


def report(file: str, *, as_json: bool) -> Report:
    """The form that suits: JSON when asked for, a bar on a terminal, plain lines elsewhere."""
    if as_json:
        return JsonLines(file)
    return Bar(file) if sys.stderr.isatty() else PlainLines(file)


class JsonLines:
    """One object a line on standard output, for programs."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._told_at = 0.0

    def __enter__(self) -> JsonLines:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def __call__(self, event: Event) -> None:
        told: dict[str, Any] = {"event": type(event).__name__.lower(), "file": self._file, "videoId": event.video_id}
        match event:
            case Created(watch_url=url, is_resumed=is_resumed):
                told |= {"watchUrl": url, "resumed": is_resumed}
            case Progress():
                if time.monotonic() - self._told_at < 1 and event.acknowledged_bytes != event.total_bytes:
                    return
                self._told_at = time.monotonic()
                told |= {
                    "acknowledgedBytes": event.acknowledged_bytes,
                    "sentBytes": event.sent_bytes,
                    "totalBytes": event.total_bytes,
                    "bytesPerSecond": round(event.bytes_per_second),
                    "etaSeconds": None if event.eta_seconds is None else round(event.eta_seconds, 1),
                    "piecesInFlight": event.pieces_in_flight,
                    "trouble": event.trouble,
                    "recordedBytes": event.recorded_bytes,
                }
            case Playable(watch_url=url):
                told["watchUrl"] = url
            case Notice(text=text):
                told["text"] = text
            case Completed():
                told |= {"watchUrl": event.watch_url, "playable": event.is_playable, "reason": event.reason}
            case Failed(error=error):
                told["error"] = sentence(error)
        print(json.dumps(told), flush=True)


class PlainLines:
    """A line now and then on standard error, for logs."""

    def __init__(self, file: str, *, every_seconds: float = 5.0) -> None:
        self._file = file
        self._every_seconds = every_seconds
        self._told_at = time.monotonic()

    def __enter__(self) -> PlainLines:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def __call__(self, event: Event) -> None:
        if isinstance(event, Progress):
            if time.monotonic() - self._told_at >= self._every_seconds:
                self._told_at = time.monotonic()
                say(f"{self._file}: {progress_text(event)}")
        else:
            for line in lines(self._file, event):
                say(line)


class Bar:
    """A bar on a terminal."""

    def __init__(self, file: str) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn
        from rich.progress import Progress as RichProgress

        self._file = file
        self._progress: RichProgress = RichProgress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=None),
            TextColumn("{task.fields[told]}", markup=False),
            console=Console(stderr=True, highlight=False),
        )
        self._task = self._progress.add_task(file, total=None, told="")
        self._live: AbstractContextManager[Any] = self._progress

    def __enter__(self) -> Bar:
        self._live.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._live.__exit__(*error)

    def __call__(self, event: Event) -> None:
        if isinstance(event, Progress):
            self._progress.update(
                self._task, completed=event.sent_bytes, total=event.total_bytes, told=progress_text(event)
            )
        else:
            for line in lines(self._file, event):
                self._progress.console.print(line, markup=False, soft_wrap=True)


def progress_text(event: Progress) -> str:
    """Bytes, rate, time left and pieces in flight."""
    whole = event.total_bytes if event.recorded_bytes is None else event.recorded_bytes
    sent = size(event.sent_bytes) + (f" of {size(whole)}" if whole is not None else "")
    told = [sent if event.recorded_bytes is None else f"recording, {sent} sent"]
    if event.trouble is not None:
        return f"{told[0]}, waiting for the server: {event.trouble}"
    if event.bytes_per_second:
        told.append(f"{size(event.bytes_per_second)}/s")
    if event.eta_seconds is not None:
        told.append(f"{clock(event.eta_seconds)} left")
    if event.pieces_in_flight:
        told.append(f"{event.pieces_in_flight} in flight")
    return ", ".join(told)


def lines(file: str, event: Event) -> list[str]:
    """What is said of an event in full lines."""
    match event:
        case Created(video_id=video_id, is_resumed=True):
            return [f"{file}: going on with {video_id}"]
        case Created(video_id=video_id):
            return [f"{file}: uploading as {video_id}"]
        case Playable(watch_url=str(url)):
            return [f"{file}: watch it at {url}"]
        case Notice(text=text):
            return [f"{file}: {text}"]
        case Completed(is_playable=False, reason=str(reason)):
            return [f"{file}: complete, but it can't be watched yet: {reason}"]
        case Completed(is_playable=False, watch_url=str(url)):
            return [f"{file}: complete; soon to be watched at {url}"]
        case Completed():
            return [f"{file}: complete"]
        case Failed(error=error):
            return [f"{file}: {sentence(error)}"]
        case _:
            return []
