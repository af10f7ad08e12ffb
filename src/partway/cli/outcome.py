"""How a command ends: a sentence on standard error, and an exit code."""

from __future__ import annotations

import sys

from partway.errors import ConfigurationError, ServerRefused, ServerUnreachable

DONE = 0
REFUSED = 1
USAGE = 2
TRY_AGAIN_LATER = 75
"""EX_TEMPFAIL of sysexits.h: the same command may succeed later."""
INTERRUPTED = 130


def say(text: str) -> None:
    """Print for people, on standard error."""
    print(text, file=sys.stderr, flush=True)


def exit_code(error: BaseException) -> int:
    """The exit code an error stands for."""
    if isinstance(error, ServerUnreachable):
        return TRY_AGAIN_LATER
    if isinstance(error, OSError | ConfigurationError):
        return USAGE
    return REFUSED


def sentence(error: BaseException) -> str:
    """What went wrong, and the way out where there is one."""
    if isinstance(error, OSError):
        what = error.strerror or str(error)
        return f"{error.filename}: {what}." if error.filename else f"{what}."
    text = str(error).strip()
    if isinstance(error, ServerRefused) and error.status == 401:
        text = (
            f"{text} Check --api-key or PARTWAY_API_KEY; `partway keys create` on the server's machine makes a new key."
        )
    elif isinstance(error, ServerRefused) and error.status == 404:
        text = f"{text} Is the id right? `partway list` and `partway tokens list` show those there are."
    return text
