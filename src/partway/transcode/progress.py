"""How far ffmpeg says it is (``-progress``): blocks of ``name=value`` lines."""

from __future__ import annotations

from dataclasses import dataclass, field

_LONGEST_LINE = 4096


@dataclass(frozen=True, slots=True)
class Progress:
    """One report; None where it doesn't say."""

    frames: int | None = None
    seconds: float | None = None
    """Of the output, so far."""
    speed: float | None = None
    """Times real time."""
    output_bytes: int | None = None
    is_last: bool = False


@dataclass(slots=True)
class ProgressReader:
    """Turns what arrives, in whatever pieces, into reports."""

    _rest: bytes = b""
    _said: dict[str, str] = field(default_factory=dict)

    def feed(self, arrived: bytes) -> list[Progress]:
        """The reports that are whole now."""
        *lines, self._rest = (self._rest + arrived).split(b"\n")
        self._rest = self._rest[-_LONGEST_LINE:]
        reports = []
        for line in lines:
            name, _, value = line.decode("ascii", "replace").strip().partition("=")
            if name == "progress":
                reports.append(_report(self._said, is_last=value == "end"))
                self._said = {}
            elif len(self._said) < 64:
                self._said[name] = value.strip()
        return reports


def _report(said: dict[str, str], *, is_last: bool) -> Progress:
    # "out_time_ms" has always been microseconds, too.
    micro = _number(said.get("out_time_us") or said.get("out_time_ms"))
    frames, written = _number(said.get("frame")), _number(said.get("total_size"))
    return Progress(
        frames=None if frames is None else int(frames),
        seconds=None if micro is None else micro / 1e6,
        speed=_number(said.get("speed", "").removesuffix("x")),
        output_bytes=None if written is None else int(written),
        is_last=is_last,
    )


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if 0 <= number < 1e18 else None
