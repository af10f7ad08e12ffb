"""What does not pass through says why, and still says what it is."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from partway.errors import MediaMalformed, MediaUnsupported
from partway.media.facts import facts_of
from partway.media.index import Index, read_index
from partway.media.reading import read_from_bytes
from partway.testing.media import REFUSED


@pytest.mark.parametrize("name", REFUSED)
def test_says_why(read: Callable[[str], Index], name: str) -> None:
    with pytest.raises(MediaUnsupported) as refusal:
        read(name)
    sentence = str(refusal.value)
    assert REFUSED[name] in sentence
    assert sentence[0].isupper()
    assert sentence.endswith(".")


def test_facts_are_known_all_the_same(read: Callable[[str], Index]) -> None:
    with pytest.raises(MediaUnsupported) as refusal:
        read("hevc")
    facts = facts_of(refusal.value)
    assert facts is not None
    assert (facts.width, facts.height, facts.video_codec, facts.audio_codec) == (320, 180, "hevc", "aac")
    assert facts.aspect_ratio == "16/9"
    assert facts.duration_seconds == pytest.approx(1, abs=0.05)
    assert facts.framerate == pytest.approx(30, abs=1)
    assert facts.sample_rate == 48000


def test_other_containers_have_no_facts(read: Callable[[str], Index]) -> None:
    with pytest.raises(MediaUnsupported) as refusal:
        read("webm")
    assert facts_of(refusal.value) is None


@pytest.mark.parametrize(
    ("blob", "word"),
    [
        (b"#EXTM3U\n#EXTINF:1,\nhttp://169.254.169.254/\n", "playlist"),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", "list of other files"),
        (b"\xff\xd8\xff\xe0 and so on", "picture"),
        (b"RIFF\x00\x00\x00\x00WAVEfmt ", "sound file"),
        (b"GIF89a", "picture"),
        (b"Hello, I am not a video.", "not a video"),
        (b"", "not a video"),
    ],
)
def test_what_is_no_video_is_never_taken_for_one(blob: bytes, word: str) -> None:
    kind = MediaUnsupported if blob.startswith(b"GIF") else MediaMalformed
    with pytest.raises(kind, match=word):
        read_from_bytes(read_index(len(blob)), blob)
