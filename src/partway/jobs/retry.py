"""What becomes of a job after an attempt: pure decisions, no clock and no database."""

from __future__ import annotations

from dataclasses import dataclass

from partway.errors import JobHopeless, MediaError, PartwayError

REASON_LENGTH = 500


@dataclass(frozen=True, slots=True)
class Done:
    """The handler returned."""


@dataclass(frozen=True, slots=True)
class Again:
    """The job goes back."""

    delay_seconds: float
    reason: str
    counted: bool
    """Whether this was a failure of the job, and not of its circumstances."""


@dataclass(frozen=True, slots=True)
class GivenUp:
    """The job has failed for good."""

    reason: str
    counted: bool = True
    """See ``Again``."""


Verdict = Done | Again | GivenUp


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often a job is tried, and how long to wait in between.

    After its n-th failure a job waits ``first_seconds * factor ** (n - 1)``, at most ``longest_seconds``.
    """

    attempts_max: int = 5
    first_seconds: float = 2.0
    factor: float = 4.0
    longest_seconds: float = 3600.0
    hopeless: tuple[type[BaseException], ...] = (JobHopeless, MediaError)
    """Errors after which no further attempt is made."""

    def after(self, failures: int, error: BaseException) -> Again | GivenUp:
        """What to do after the ``failures``-th failure (from 1), which was ``error``."""
        reason = reason_of(error)
        if isinstance(error, self.hopeless):
            return GivenUp(reason)
        if failures >= self.attempts_max:
            return GivenUp(reason if failures == 1 else f"{reason} (attempt {failures} of {self.attempts_max})")
        return Again(self.delay_seconds(failures), reason, counted=True)

    def delay_seconds(self, failures: int) -> float:
        """How long to wait after the ``failures``-th failure, in seconds."""
        # A bounded exponent: the power of a long row of failures must not overflow.
        return min(self.longest_seconds, self.first_seconds * self.factor ** min(failures - 1, 64))


def after_death(deaths: int, deaths_max: int, worker: str) -> Again | GivenUp:
    """What to do with a job whose worker died while it did it, for the ``deaths``-th time (from 1).

    The first time it is somebody else's at once: machines die. A job that takes one worker after the other
    with it waits longer each time, and is given up in the end.
    """
    reason = f"its worker {worker} died or lost touch while doing it"
    if deaths >= deaths_max:
        return GivenUp(f"{reason}; that happened {deaths} times", counted=False)
    return Again(0.0 if deaths == 1 else min(60.0, 2.0 ** (deaths - 1)), reason, counted=False)


def reason_of(error: BaseException) -> str:
    """One bounded sentence about an error; our own errors speak for themselves."""
    words = str(error) if isinstance(error, PartwayError) else f"{type(error).__name__}: {error}".rstrip(": ")
    return words if len(words) <= REASON_LENGTH else words[: REASON_LENGTH - 1] + "…"
