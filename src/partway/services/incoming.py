"""What the upload service needs of a request's body; ``api/form.py`` is the real one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Protocol


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
