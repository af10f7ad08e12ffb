"""Upload videos to a partway server, and look after them.

    from partway.client import Client

    with Client("http://127.0.0.1:8080", api_key="...") as client:
        video = client.upload("holiday.mp4", title="Holiday")
        print(video.watch_url)

``AsyncClient`` is the same for programs with an event loop. What an upload reports are the values of
``partway.client.events``; what it raises is in ``partway.errors``, under ``ClientError``.
"""

from partway.client.asynchronous import AsyncClient
from partway.client.blocking import Client
from partway.client.events import Completed, Created, Event, Failed, Notice, Playable, Progress
from partway.client.video import Status, UploadToken, Video

__all__ = [
    "AsyncClient",
    "Client",
    "Completed",
    "Created",
    "Event",
    "Failed",
    "Notice",
    "Playable",
    "Progress",
    "Status",
    "UploadToken",
    "Video",
]
