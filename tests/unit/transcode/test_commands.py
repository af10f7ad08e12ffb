"""What ffmpeg and ffprobe are told, without either."""

from __future__ import annotations

import pytest

from partway.media import commands
from partway.media.container import sniff

PROGRAM = "/usr/bin/ffmpeg"
ALL = sorted(commands.READABLE)


def value_after(arguments: commands.Arguments, flag: str) -> str:
    assert arguments.count(flag) == 1, f"{flag} once in {arguments}"
    return arguments[arguments.index(flag) + 1]


def inputs(arguments: commands.Arguments) -> commands.Arguments:
    """Everything up to the input: what holds for reading it."""
    return arguments[: arguments.index("-i") + 2]


@pytest.mark.parametrize("container", ALL)
@pytest.mark.parametrize("source", [commands.STDIN, "/folder/source"])
def test_ffmpeg_never_guesses_and_opens_nothing_else(container: str, source: str) -> None:
    for arguments in (
        commands.probe(PROGRAM, container, source),
        commands.poster(PROGRAM, container, source),
        commands.poster(PROGRAM, container, source, any_frame=True),
    ):
        assert arguments[0] == PROGRAM
        reading = inputs(arguments)
        assert value_after(reading, "-f") == value_after(reading, "-format_whitelist")
        assert value_after(reading, "-protocol_whitelist") == ("pipe" if source == commands.STDIN else "file")
        assert int(value_after(reading, "-max_pixels")) == 8192 * 4320
        assert int(value_after(reading, "-max_streams")) <= 1000
        assert value_after(reading, "-threads") == "1"
        assert reading[-1] == (commands.STDIN if source == commands.STDIN else "file:/folder/source")
        assert "-hide_banner" in reading
        assert all(isinstance(word, str) for word in arguments)
        assert "\0" not in "".join(arguments)


@pytest.mark.parametrize("container", ["mp4", "mov"])
def test_references_of_a_mov_stay_unread(container: str) -> None:
    reading = inputs(commands.poster(PROGRAM, container))
    assert value_after(reading, "-enable_drefs") == value_after(reading, "-use_absolute_path") == "0"


def test_playlists_pictures_and_sounds_are_not_readable() -> None:
    assert commands.READABLE.isdisjoint({"hls", "ffconcat", "heif", "jpeg", "png", "gif", "wav", "flac", "mp3", None})
    assert sniff(b"#EXTM3U\n") not in commands.READABLE
    assert sniff(b"ffconcat version 1.0\n") not in commands.READABLE
    with pytest.raises(KeyError):
        commands.probe(PROGRAM, "hls")


def test_the_poster_takes_no_keys_no_sound_and_one_frame() -> None:
    arguments = commands.poster(PROGRAM, "matroska", after_seconds=1.25)
    assert {"-nostdin", "-an", "-sn", "-dn"} <= set(arguments)
    assert value_after(arguments, "-frames:v") == "1"
    assert value_after(arguments, "-map") == "0:V:0"
    assert value_after(arguments, "-skip_frame") == "nokey"
    assert arguments[-1] == commands.STDOUT


def test_the_posters_filters_in_their_order() -> None:
    def names(**options: object) -> list[str]:
        filters = value_after(commands.poster(PROGRAM, "mp4", **options), "-vf")  # type: ignore[arg-type]
        return [one.partition("=")[0] for one in filters.replace("\\,", ";").split(",")]

    picked = ["scale", "setsar", "format", "signalstats", "metadata"]
    assert names() == picked
    assert names(after_seconds=5) == ["select", *picked]
    assert names(any_frame=True) == names(any_frame=True, after_seconds=5) == ["scale", "setsar", "format"]
    assert "-skip_frame" not in commands.poster(PROGRAM, "mp4", any_frame=True)


def test_the_width_of_a_poster_is_bounded() -> None:
    assert "min(1280\\," in value_after(commands.poster(PROGRAM, "mp4"), "-vf")
