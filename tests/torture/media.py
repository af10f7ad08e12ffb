"""Coverage-guided fuzzing of everything that reads a stranger's container.

`make torture` runs it, or by hand:

    python -m tests.torture.media -max_total_time=600 [CORPUS_FOLDER ...]

Any bytes have to give an index that can be used, or one of our errors, within libFuzzer's bounds on time and memory.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["partway.media"]):
    from partway.errors import MediaError
    from partway.media.container import sniff
    from partway.media.edge import edge_of
    from partway.media.fragmented import Fragments, index_of
    from partway.media.index import Index, read_index
    from partway.media.playlists import master_playlist, media_playlist
    from partway.media.reading import read_from_bytes
    from partway.media.segments import init_segment, needed, segment

from partway.testing.media import sample

SEEDS = ("plain", "mov", "silent", "surround-mov", "fragmented", "fragmented-finely", "intra")


def use(index: Index, size: int) -> None:
    """Make all that can be made of an index."""
    master_playlist(index, video_uri="v", audio_uri="a")
    edge_of(index, lambda low, high: high <= size)
    for kind in ("video", "audio") if index.audio else ("video",):
        count = index.segment_count(kind)
        init_segment(index, kind)
        media_playlist(index, kind, init_uri="i", segment_uri=str, count=count, ended=True)
        for number in {0, count // 2, count - 1}:
            made = segment(index, kind, number)
            low, high = needed(index, kind, number)
            assert 0 <= low <= high
            assert made.size == len(made.head) + sum(run.length for run in made.ranges)


def one_input(data: bytes) -> None:
    """Read one file."""
    sniff(data[:4096])
    try:
        found = read_from_bytes(read_index(len(data)), data)
        if isinstance(found, Fragments):
            read_from_bytes(found.reading(len(data)), data)
            for is_whole in (False, True):
                index = index_of(found, is_whole=is_whole)
                if index is not None:
                    use(index, len(data))
        else:
            use(found, len(data))
    except MediaError:
        return


def seeds(folder: Path) -> Path:
    """Real files without most of their media, which no parser reads."""
    made = folder / "seeds"
    made.mkdir()
    for name in SEEDS:
        blob = sample(folder, name).read_bytes()
        (made / name).write_bytes(blob if len(blob) < 1 << 18 else blob[: 1 << 15] + blob[-(1 << 17) :])
    return made


def main() -> None:
    """Fuzz until told to stop."""
    with tempfile.TemporaryDirectory(prefix="partway-torture-") as name:
        arguments = [*sys.argv, str(seeds(Path(name)))] if not any(Path(one).is_dir() for one in sys.argv) else sys.argv
        atheris.Setup([*arguments, "-rss_limit_mb=1024", "-timeout=10", "-max_len=300000"], one_input)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
