"""Watermarks: keep the images that videos may name (contract.md 1.7)."""

from __future__ import annotations

from partway.blobs.base import BlobStore
from partway.catalog import idempotency, watermarks
from partway.catalog.clock import now
from partway.catalog.database import Database
from partway.catalog.paging import Order, Page
from partway.catalog.watermarks import Watermark
from partway.errors import FileInvalid, InvalidAttribute, NotFound
from partway.services.attached import discard, keep, read_named
from partway.services.identifiers import fingerprint, new_id
from partway.services.images import one_image
from partway.services.incoming import IncomingForm

FILE_BYTES_MAX = 8 * 1024 * 1024
_PIXELS_MAX = 8192


class Watermarks:
    """The verbs of watermarks."""

    def __init__(self, database: Database, blobs: BlobStore) -> None:
        self._database = database
        self._blobs = blobs

    async def create(self, form: IncomingForm, *, asked_by: str, idempotency_key: str | None = None) -> Watermark:
        """Take in an image.

        Args:
            asked_by: whose idempotency keys these are.

        Raises:
            InvalidAttribute: the idempotency key was used for another image.
            UploadRefused: there is not one file in the form, or it is no image of an allowed kind and size.
            BodyError: the form broke off or is not well formed.
        """
        file, image = await one_image(form, ("jpeg", "png"), FILE_BYTES_MAX)
        if max(image.width, image.height) > _PIXELS_MAX:
            raise FileInvalid(f"A watermark has at most {_PIXELS_MAX} pixels in width and height.")
        stored = await keep(self._blobs, file.content)
        made = Watermark(
            new_id("watermark_"), stored.key, stored.length, image.media_type, image.width, image.height, now()
        )
        scope, asked = f"watermarks:{asked_by}", fingerprint(stored.digest)
        try:
            async with self._database.write() as tx:
                earlier = await idempotency.claim(
                    tx, scope, idempotency_key, asked, made.watermark_id, at=made.created_at
                )
                watermark = made if earlier is None else await watermarks.get(tx, earlier)
                if earlier is None:
                    await watermarks.add(tx, made)
        except (InvalidAttribute, NotFound):
            await discard(self._blobs, stored.key)
            raise
        if watermark is not made:
            await discard(self._blobs, stored.key)
        return watermark

    async def exists(self, watermark_id: str) -> bool:
        """Whether there is such a watermark."""
        try:
            async with self._database.read() as tx:
                await watermarks.get(tx, watermark_id)
        except NotFound:
            return False
        return True

    async def image(self, watermark_id: str) -> bytes:
        """A watermark's image, for those who lay it over a video.

        Raises:
            NotFound: there is no such watermark.
        """

        async def named() -> tuple[str, int]:
            async with self._database.read() as tx:
                watermark = await watermarks.get(tx, watermark_id)
            return watermark.blob_key, watermark.length

        return await read_named(self._blobs, named)

    async def find(self, order: Order, *, page: int, page_size: int) -> Page[Watermark]:
        """Read one page of watermarks."""
        async with self._database.read() as tx:
            return await watermarks.find(tx, order, page=page, page_size=page_size)

    async def delete(self, watermark_id: str) -> None:
        """Delete a watermark; videos that name it go without.

        Raises:
            NotFound: there is no such watermark.
        """
        async with self._database.write() as tx:
            watermark = await watermarks.get(tx, watermark_id)
            await watermarks.remove(tx, watermark)
        await discard(self._blobs, watermark.blob_key)
