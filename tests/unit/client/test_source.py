"""A source is opened as what it is, and noticed when it becomes something else."""

from __future__ import annotations

import io
import os

import pytest
import xxhash

from partway.client.source import BUFFER_BYTES, RegularFile, Spool, Stream, open_source
from partway.errors import ClientError, FileChanged

DATA = bytes(range(256)) * 20_000


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "a.mp4"
    path.write_bytes(DATA)
    return path


@pytest.fixture
def file(path):
    opened = open_source(path)
    assert isinstance(opened, RegularFile)
    yield opened
    opened.close()


def test_a_file_is_read_anywhere(file):
    assert (file.name, file.size) == ("a.mp4", len(DATA))
    assert file.read_at(1000, 3000) == DATA[1000:4000]
    assert file.peek(len(DATA) - 5, 16) == DATA[-5:]
    assert file.peek(len(DATA) + 5, 16) == b""
    assert file.digest(7, 3 * BUFFER_BYTES) == xxhash.xxh3_128_hexdigest(DATA[7 : 7 + 3 * BUFFER_BYTES])
    file.check_unchanged()


def test_a_file_that_shrinks_is_noticed(file, path):
    os.truncate(path, 100)
    with pytest.raises(FileChanged, match="shorter"):
        file.read_at(90, 20)
    with pytest.raises(FileChanged, match="changed"):
        file.check_unchanged()


def test_a_file_that_is_written_to_is_noticed(file, path):
    os.utime(path, ns=(1, 1))
    with pytest.raises(FileChanged):
        file.check_unchanged()


def test_an_open_file_goes_from_its_position(path):
    with open(path, "rb") as opened:
        opened.seek(100)
        source = open_source(opened)
        assert isinstance(source, RegularFile)
        assert source.size == len(DATA) - 100
        assert source.read_at(0, 10) == DATA[100:110]
        source.check_unchanged()
        source.close()
        assert not opened.closed, "it is the caller's"


@pytest.mark.anyio
async def test_a_pipe_and_a_buffer_are_streams():
    inlet, outlet = os.pipe()
    os.write(outlet, b"abc")
    os.close(outlet)
    with os.fdopen(inlet, "rb") as pipe:
        source = open_source(pipe)
        assert isinstance(source, Stream)
        assert source.name == "stream"
        assert await source.read(10) == b"abc"
        assert await source.read(10) == b""
    assert await open_source(io.BytesIO(b"xy")).read(1) == b"x"


@pytest.mark.anyio
async def test_an_asynchronous_reader_is_a_stream():
    class Reader:
        async def read(self, length):
            return b"z" * length

    assert await open_source(Reader()).read(3) == b"zzz"


@pytest.mark.anyio
async def test_what_is_no_binary_stream_is_told():
    with pytest.raises(ClientError, match="int"):
        open_source(3)
    with pytest.raises(ClientError, match="binary"):
        open_source(io.StringIO("a"))

    class Text:
        def read(self, length):
            return "a"

    with pytest.raises(ClientError, match="binary"):
        await open_source(Text()).read(1)

    class Silent:
        def read(self, length):
            return None

    with pytest.raises(ClientError, match="non-blocking"):
        await open_source(Silent()).read(1)


def test_a_missing_file_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        open_source(tmp_path / "absent")


def test_a_spool_is_read_back_and_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    spool = Spool()
    spool.append(b"abc")
    spool.append(b"def")
    assert (spool.length, spool.read_at(2, 3)) == (6, b"cde")
    assert list(tmp_path.iterdir()) == []
    spool.close()
