"""What the end of a program says about the file it was reading: an error whose message is a sentence for ``status``."""

from __future__ import annotations

from partway.errors import MediaMalformed, MediaTooLarge, PartwayError, ProgramFailed
from partway.media.probing import complaint
from partway.transcode.outcome import Ending, Outcome
from partway.transcode.sandbox import MIB, Limits


def blame(outcome: Outcome, limits: Limits) -> PartwayError:
    """The error for a program that did not finish.

    A MediaError where the file is to blame, and another try would end the same; ProgramFailed where it may not.
    """
    match outcome.ending:
        case Ending.TIMEOUT:
            return ProgramFailed(f"Reading this file took longer than {limits.wall_seconds:g} s, so it was given up.")
        case Ending.CPU:
            return MediaTooLarge(f"Reading this file takes more than {limits.cpu_seconds} s of computing.")
        case Ending.MEMORY if (known := complaint(outcome.messages)) is None:
            return MediaTooLarge(f"Reading this file takes more than {limits.memory_bytes // MIB} MiB of memory.")
        case Ending.OUTPUT | Ending.FILE_SIZE:
            return MediaTooLarge("Reading this file gives more than there is room for.")
        case Ending.CRASHED:
            return MediaMalformed("This file is damaged in a way that ends the program which reads it.")
        case Ending.KILLED | Ending.STOPPED:
            return ProgramFailed("The program that reads this file was ended from outside.")
        case _:
            known = complaint(outcome.messages)
    return known or MediaMalformed("The file is damaged: it can't be read.")
