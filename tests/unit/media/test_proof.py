"""A segment's bytes prove the index that placed them, and bytes from elsewhere don't."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from partway.media.proof import is_proven
from partway.media.segments import segment


@pytest.mark.parametrize("name", ["plain", "mov", "main", "silent"])
def test_only_the_right_bytes_prove(play: Callable[[str], Any], name: str) -> None:
    played = play(name)
    for number in range(played.index.video.count):
        runs = segment(played.index, "video", number).ranges
        media = b"".join(played.blob[run.offset : run.offset + run.length] for run in runs)
        assert is_proven(played.index, number, media)
        assert not is_proven(played.index, number, media[:-1])
        assert not is_proven(played.index, number, media + b"\0")
        for shift in (1, 4, 1000):
            moved = b"".join(played.blob[run.offset - shift : run.offset - shift + run.length] for run in runs)
            assert not is_proven(played.index, number, moved)
        assert not is_proven(played.index, number, bytes(len(media)))
