"""ffmpeg's reports, in whatever pieces they come."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from partway.transcode.progress import Progress, ProgressReader

TEXT = (
    b"frame=1\nfps=0.00\nbitrate=  91.0kbits/s\ntotal_size=11374\nout_time_us=1000000\nout_time_ms=1000000\n"
    b"out_time=00:00:01.000000\nspeed= 123x\nprogress=continue\nframe=30\ntotal_size=N/A\nout_time_us=N/A\n"
    b"speed=N/A\nprogress=end\n"
)
REPORTS = [Progress(1, 1.0, 123.0, 11374), Progress(30, is_last=True)]


@given(st.lists(st.integers(0, len(TEXT))))
def test_pieces_of_any_size(cuts: list[int]) -> None:
    reader, found, before = ProgressReader(), [], 0
    for cut in [*sorted(cuts), len(TEXT)]:
        found += reader.feed(TEXT[before:cut])
        before = cut
    assert found == REPORTS


def test_microseconds_under_their_old_name() -> None:
    assert ProgressReader().feed(b"out_time_ms=2500000\nprogress=continue\n") == [Progress(seconds=2.5)]


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_noise_is_bounded(pieces: list[bytes]) -> None:
    reader = ProgressReader()
    for piece in pieces:
        for report in reader.feed(piece):
            assert isinstance(report, Progress)
    for _ in range(100):
        assert reader.feed(bytes(1000)) == []
    assert len(reader._rest) <= 4096


def test_absurd_numbers_are_left_out() -> None:
    said = b"frame=nan\nout_time_us=-5\nspeed=infx\ntotal_size=1e99\nprogress=end\n"
    assert ProgressReader().feed(said) == [Progress(is_last=True)]
