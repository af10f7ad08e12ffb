"""What is retried, what is told, and what never happens twice, against a server that answers as told."""

from __future__ import annotations

import base64
import io

import pytest
from tests.unit.client.peer import CUT, CUT_EARLY, answer, peer

from partway.client import AsyncClient, UploadToken
from partway.client.framing import frame
from partway.client.patience import Life
from partway.client.source import open_source
from partway.client.wire import Listener, Piece, Wire, check_server
from partway.errors import ClientError, ConfigurationError, FileChanged, ServerRefused, ServerUnreachable
from partway.ledger import ByteSpan

pytestmark = pytest.mark.anyio

VIDEO = {"videoId": "vi1", "title": "t", "assets": {"player": "http://x/vod/vi1"}}
NOT_FOUND = {
    "type": "https://docs.api.video/reference/resource-not-found",
    "title": "The requested resource was not found.",
    "status": 404,
    "name": "videoId",
}


async def test_the_key_goes_with_every_request():
    async with peer(answer(200, VIDEO)) as it, AsyncClient(it.url, "KEY") as client:
        video = await client.get("vi1")
    assert (video.id, video.watch_url) == ("vi1", "http://x/vod/vi1")
    assert it.seen[0].headers["authorization"] == "Basic " + base64.b64encode(b"KEY:").decode()
    assert it.seen[0].line == "GET /videos/vi1 HTTP/1.1"


@pytest.mark.slow
async def test_trouble_is_tried_again_with_the_same_idempotency_key():
    answers = [answer(503), CUT, answer(500, b"<html>"), answer(429, None, "Retry-After: 0"), answer(201, VIDEO)]
    async with peer(*answers) as it, AsyncClient(it.url, "KEY", retry_for=30) as client:
        assert (await client.create("t")).id == "vi1"
    keys = {seen.headers["idempotency-key"] for seen in it.seen}
    assert (len(it.seen), len(keys)) == (5, 1)
    async with peer(answer(201, VIDEO)) as it, AsyncClient(it.url, "KEY") as client:
        await client.create("t")
        await client.create("t")
    assert len({seen.headers["idempotency-key"] for seen in it.seen}) == 2


async def test_gives_up_in_words():
    async with peer(answer(503, {"title": "No space left.", "type": "x", "status": 503})) as it:
        async with AsyncClient(it.url, "KEY", retry_for=0.3) as client:
            with pytest.raises(ServerUnreachable, match=r"try again later: it answers 503: No space left\.$"):
                await client.get("vi1")
        assert len(it.seen) > 1
    async with peer(answer(429, None, "Retry-After: 3600")) as it, AsyncClient(it.url, "KEY") as client:
        with pytest.raises(ServerUnreachable, match="asks to wait 3600 s"):
            await client.get("vi1")
        assert len(it.seen) == 1
    async with AsyncClient(it.url, "KEY", retry_for=0.2) as client:
        with pytest.raises(ServerUnreachable, match="can't be reached"):
            await client.get("vi1")


async def test_a_refusal_is_told_at_once():
    async with peer(answer(404, NOT_FOUND)) as it, AsyncClient(it.url, "KEY") as client:
        with pytest.raises(ServerRefused) as refused:
            await client.get("vi1")
        assert len(it.seen) == 1
    assert (refused.value.status, refused.value.slug) == (404, "resource-not-found")
    assert str(refused.value) == "The requested resource was not found."


async def test_several_problems_are_all_told():
    told = {
        "type": "https://docs.api.video/reference/invalid-attribute",
        "title": "Several attributes are invalid.",
        "status": 400,
        "problems": [{"name": "title", "title": "This attribute is required."}, {"title": "Another."}, "junk"],
    }
    async with peer(answer(400, told)) as it, AsyncClient(it.url, "KEY") as client:
        with pytest.raises(ServerRefused, match=r"title: This attribute is required\.; Another\."):
            await client.create("")


@pytest.mark.parametrize("body", [b"", b"<html>no</html>", b"[]", b"3", b"{}", b'{"title": 4}', b"\xff"])
async def test_an_error_that_is_no_problem_object(body):
    async with peer(answer(400, body)) as it, AsyncClient(it.url, "KEY") as client:
        with pytest.raises(ServerRefused):
            await client.get("vi1")


async def test_another_kind_of_server():
    async with peer(answer(200, b"<html>")) as it, AsyncClient(it.url, "KEY") as client:
        with pytest.raises(ClientError, match="as a partway server does"):
            await client.get("vi1")
    async with peer(answer(301, None, "Location: https://elsewhere/")) as it, AsyncClient(it.url, "KEY") as client:
        with pytest.raises(ServerRefused, match="https://elsewhere/"):
            await client.get("vi1")


async def test_a_deletion_whose_answer_got_lost():
    async with peer(CUT, answer(404, NOT_FOUND)) as it, AsyncClient(it.url, "KEY") as client:
        await client.delete("vi1")
    async with peer(answer(404, NOT_FOUND)) as it, AsyncClient(it.url, "KEY") as client:
        with pytest.raises(ServerRefused):
            await client.delete("vi1")


async def test_an_id_stays_one_segment_of_the_path():
    async with peer(answer(200, VIDEO)) as it, AsyncClient(it.url, "KEY") as client:
        await client.get("../upload-tokens?x=1#y")
    assert it.seen[0].line == "GET /videos/..%2Fupload-tokens%3Fx%3D1%23y HTTP/1.1"


async def test_lists_are_read_page_by_page():
    def page(*ids: str) -> bytes:
        return answer(200, {"data": [{"videoId": one} for one in ids], "pagination": {"pagesTotal": 2}})

    async with peer(page("a", "b"), page("c")) as it, AsyncClient(it.url + "/prefix/", "KEY") as client:
        found = [video.id async for video in client.list(title="x", tags=["t", "u"], metadata={"k": "v"})]
    assert found == ["a", "b", "c"]
    assert [seen.line.split()[1].partition("?")[0] for seen in it.seen] == ["/prefix/videos"] * 2
    assert "tags%5B%5D=t&tags%5B%5D=u" in it.seen[0].line
    assert "metadata%5Bk%5D=v" in it.seen[0].line
    assert "currentPage=2" in it.seen[1].line


async def test_tokens():
    raw = {"token": "to1", "ttl": 60, "createdAt": "2026-01-01T00:00:00+00:00", "expiresAt": None}
    async with peer(answer(200, raw)) as it, AsyncClient(it.url, "KEY") as client:
        assert await client.create_token(60) == UploadToken("to1", 60, raw["createdAt"], None)
        assert (await client.get_token("to1")).token == "to1"
    assert "idempotency-key" in it.seen[0].headers


@pytest.fixture
def piece(tmp_path):
    path = tmp_path / "a.mp4"
    path.write_bytes(bytes(range(256)) * 20_000)
    file = open_source(path)
    yield Piece(ByteSpan(1000, 3_000_999, 5_120_000), file, 1000, 3_000_000, file.name, file.check_unchanged)
    file.close()


@pytest.mark.slow
async def test_a_piece_is_sent_until_it_is_acknowledged(piece):
    class Counting(Listener):
        attempts = length = 0
        reasons = ()

        def begun(self):
            self.attempts += 1

        def sent(self, length):
            self.length += length

        def failed(self, reason):
            self.reasons += (reason,)

    life, heard = Life(), Counting()
    async with peer(CUT_EARLY, answer(503), CUT, answer(201, {"videoId": "vi1"})) as it:
        wire = Wire(it.url, "KEY", retry_for=30)
        told = await wire.send("/source", piece, life, heard)
        await wire.close()
    assert told == {"videoId": "vi1"}
    assert (heard.attempts, len(heard.reasons), life.acknowledged) == (4, 3, 1)
    assert heard.length >= 3 * 3_000_000
    last = it.seen[-1]
    assert last.headers["content-range"] == "bytes 1000-3000999/5120000"
    assert "transfer-encoding" not in last.headers
    boundary = last.headers["content-type"].partition("boundary=")[2]
    framed = frame("a.mp4", boundary)
    assert last.body == framed.head + (bytes(range(256)) * 20_000)[1000:3_001_000] + framed.tail


async def test_a_refusal_inside_the_body_is_read(piece):
    async with peer(answer(404, NOT_FOUND)) as it:
        wire = Wire(it.url, "KEY")
        with pytest.raises(ServerRefused):
            await wire.send("/source", piece, Life(), Listener())
        await wire.close()


async def test_a_file_that_changes_under_way_never_ends_its_piece(piece, tmp_path):
    async with peer(answer(201, {"videoId": "vi1"})) as it:
        wire = Wire(it.url, "KEY")
        (tmp_path / "a.mp4").write_bytes(b"another file")
        with pytest.raises(FileChanged):
            await wire.send("/source", piece, Life(), Listener())
        await wire.close()
        assert it.seen == [], "the request was never whole"


@pytest.mark.parametrize("server", ["", "x", "ftp://x", "http://", "127.0.0.1:8080", "//x"])
async def test_what_is_no_address(server):
    with pytest.raises(ConfigurationError, match="not the address"):
        check_server(server)


async def test_what_is_no_key(monkeypatch):
    monkeypatch.delenv("PARTWAY_API_KEY", raising=False)
    for key in (None, "", "a\nb", "ключ"):
        with pytest.raises(ConfigurationError, match="key"):
            AsyncClient("http://x", key)
    with pytest.raises(ConfigurationError, match="parallel"):
        AsyncClient("http://x", "k", parallel=0)


async def test_address_and_key_of_the_environment(monkeypatch):
    monkeypatch.setenv("PARTWAY_SERVER", "http://there/")
    monkeypatch.setenv("PARTWAY_API_KEY", "KEY")
    async with AsyncClient() as client:
        assert client.server == "http://there"
    assert "KEY" not in repr(client._wire)


async def test_an_empty_stream_asks_nothing_of_the_server():
    async with peer(answer(500)) as it, AsyncClient(it.url, "KEY") as client:
        with pytest.raises(ClientError, match="empty"):
            await client.upload(io.BytesIO(b""))
        assert it.seen == []
