"""Upload a large video in pieces, the way the well-known article on progressive uploads does it.

    pip install requests
    PARTWAY_API_KEY=... python blog_upload.py FILE

It logs in, creates a video, and sends 6,000,000 bytes at a time while it reads the file, without
knowing how many pieces there will be. To use it elsewhere, change the one line with the address.

Its flaw is the article's: when the last piece is 5 MiB or more, no request says that it was the last.
Then the upload stays open until somebody closes it: ``partway finish VIDEO_ID``.
"""

from __future__ import annotations

import os
import sys

import requests

base_url = "http://127.0.0.1:8080"  # the one line to change

PIECE_BYTES = 6_000_000
SMALLEST_BYTES = 5 * 1024 * 1024  # a smaller piece can only be the last one


def log_in(api_key: str) -> dict[str, str]:
    """The headers that later requests need."""
    answer = requests.post(f"{base_url}/auth/api-key", json={"apiKey": api_key}, headers={"Accept": "application/json"})
    answer.raise_for_status()
    return {"Accept": "application/json", "Authorization": f"Bearer {answer.json()['access_token']}"}


def create_video(headers: dict[str, str]) -> str:
    """Create the video that the pieces go to; its id."""
    about = {"title": "Demo video from my computer", "description": "An upload in pieces."}
    answer = requests.post(f"{base_url}/videos", json=about, headers=headers)
    answer.raise_for_status()
    video_id: str = answer.json()["videoId"]
    return video_id


def upload(path: str, video_id: str, headers: dict[str, str]) -> None:
    """Send the file piece by piece."""
    with open(path, "rb") as video:
        number = 0
        while piece := video.read(PIECE_BYTES):
            number += 1
            total = str(number) if len(piece) < SMALLEST_BYTES else "*"
            answer = requests.post(
                f"{base_url}/videos/{video_id}/source",
                headers={**headers, "Content-Range": f"part {number}/{total}"},
                files={"file": piece},
            )
            print(f"part {number}/{total}: {answer}")
            answer.raise_for_status()


def main() -> None:
    headers = log_in(os.environ.get("PARTWAY_API_KEY", "your key here"))
    video_id = create_video(headers)
    upload(sys.argv[1], video_id, headers)
    print(video_id)


main()
