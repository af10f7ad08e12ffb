"""What services need of a request's body: a form, still arriving; ``api/form.py`` is the real one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from partway.errors import FileEmpty, FileMissing, FileTooLarge, SeveralFiles


class IncomingFile(Protocol):
    """A file inside a form, still arriving."""

    filename: str
    """Without folders; may be empty."""

    def buffers(self) -> AsyncIterator[bytes]:
        """Yield the file's bytes once, in buffers of bounded size."""
        ...


class IncomingForm(Protocol):
    """A form that is still arriving; fields and files come in the sender's order."""

    @property
    def fields(self) -> Mapping[str, str]:
        """The text fields seen so far."""
        ...

    async def next_file(self) -> IncomingFile | None:
        """Read on to the next file (whatever is left of an earlier one is skipped), or to the form's end.

        Raises:
            BodyBroken: the form is not well formed.
            ClientGone: the connection ended.
        """
        ...


@dataclass(frozen=True, slots=True)
class SmallFile:
    """A whole file of a form, and the form's text fields, before and after it."""

    filename: str
    content: bytes
    fields: Mapping[str, str]


async def one_file(form: IncomingForm, most: int) -> SmallFile:
    """Read a form to its end: it has exactly one file, of 1 to ``most`` bytes, whatever the name of its field.

    Raises:
        FileMissing, SeveralFiles, FileEmpty, FileTooLarge: it is not so.
        BodyError: the form broke off or is not well formed.
    """
    file = await form.next_file()
    if file is None:
        raise FileMissing()
    content = bytearray()
    async for buffer in file.buffers():
        content += buffer
        if len(content) > most:
            raise FileTooLarge(f"The file has at most {most} bytes.")
    if await form.next_file() is not None:
        raise SeveralFiles()
    if not content:
        raise FileEmpty()
    return SmallFile(file.filename, bytes(content), form.fields)
