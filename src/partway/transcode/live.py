"""One ffmpeg as long as an upload runs: its bytes go in as they arrive, a fragmented MP4 comes out."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, Callable

from partway.errors import MediaError
from partway.media.deriving import Plan, derive, plan_from_report, streams
from partway.media.probing import MAX_REPORT_BYTES, complaint
from partway.transcode.outcome import Ending
from partway.transcode.process import run, running
from partway.transcode.programs import Tools
from partway.transcode.progress import Progress
from partway.transcode.sandbox import MIB, Limits
from partway.transcode.verdict import blame

PLAN_LIMITS = Limits(
    wall_seconds=60, cpu_seconds=20, memory_bytes=1024 * MIB, input_bytes=8 * MIB, output_bytes=MAX_REPORT_BYTES
)

DAYS = 24 * 3600
LIVE_LIMITS = Limits(
    # An upload may take days, most of them waiting. Whoever drives this bounds what is done meanwhile.
    wall_seconds=7 * DAYS,
    cpu_seconds=2 * DAYS,
    memory_bytes=2048 * MIB,
    output_bytes=1 << 40,
    # Uploads keep their pace.
    nice=15,
)


async def plan(tools: Tools, buffers: AsyncIterable[bytes], container: str) -> Plan:
    """How to make a stream of a source, by its first bytes.

    Raises:
        MediaError: nothing can be made of them.
        ProgramFailed: it could not be found out, and may be on another try.
    """
    program = streams(tools.ffprobe.path, container)
    outcome = await run(program, PLAN_LIMITS, tools.sandbox, feed=buffers)
    if outcome.ending is not Ending.FINISHED:
        raise blame(outcome, PLAN_LIMITS)
    try:
        return plan_from_report(outcome.output, container)
    except MediaError as error:
        raise complaint(outcome.messages) or error from None


async def live(
    tools: Tools,
    feed: AsyncIterable[bytes],
    container: str,
    plan: Plan,
    *,
    on_seconds: Callable[[float], None],
    limits: Limits = LIVE_LIMITS,
) -> AsyncGenerator[bytes, None]:
    """Yield the derived stream of a source as it is made; to be closed (``aclosing``) by whoever stops listening.

    ``on_seconds`` is told now and then how much has been made. Raises what ``feed`` raises, and as ``plan`` does.
    """

    def tell(report: Progress) -> None:
        if report.seconds is not None:
            on_seconds(report.seconds)

    program = derive(tools.ffmpeg.path, container, plan)
    async with running(program, limits, tools.sandbox, feed=feed, on_progress=tell) as child:
        async for buffer in child.output():
            yield buffer
        outcome = await child.wait()
    if outcome.ending is not Ending.FINISHED:
        raise blame(outcome, limits)
