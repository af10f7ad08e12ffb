"""Images that are uploaded: taken out of a form, and looked at before anybody else does."""

from __future__ import annotations

from collections.abc import Sequence

from partway.errors import ExtensionInvalid, FileInvalid, MediaMalformed
from partway.media.image import Image, read_image
from partway.services.incoming import IncomingForm, SmallFile, one_file

_EXTENSIONS = {"jpeg": ("jpeg", "jpg"), "png": ("png",), "webp": ("webp",)}


async def one_image(form: IncomingForm, kinds: Sequence[str], most: int) -> tuple[SmallFile, Image]:
    """Read a form with exactly one file, an image of one of ``kinds`` and of at most ``most`` bytes.

    What an image is, its bytes say; of a file that is none, its name tells which complaint helps more.

    Raises:
        ExtensionInvalid: it is another kind of file.
        FileInvalid: it is called an image, and is none or a damaged one.
        UploadRefused: there is not exactly one file, or it is empty or too large.
        BodyError: the form broke off or is not well formed.
    """
    file = await one_file(form, most)
    allowed = [extension for kind in kinds for extension in _EXTENSIONS[kind]]
    try:
        image = read_image(file.content)
    except MediaMalformed as error:
        if file.filename.rpartition(".")[2].lower() in allowed:
            raise FileInvalid(str(error)) from error
        image = None
    if image is None or image.kind not in kinds:
        raise ExtensionInvalid(f"Only [{', '.join(allowed)}] extensions are supported.")
    return file, image
