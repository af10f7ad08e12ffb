"""What the sandbox costs, layer by layer, on one poster.

    python -m bench.sandbox [--rounds 30] [--size 1920x1080]

Every round makes the same poster in every way, one after the other, so that what else the machine does hits all alike.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import platform
import statistics
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import structlog

from partway.media import commands
from partway.media.reading import read_from_bytes
from partway.media.still import fragment, read_stills
from partway.testing.media import ffmpeg
from partway.testing.media import run as run_openly
from partway.transcode.layers import detect
from partway.transcode.poster import LIMITS
from partway.transcode.process import run
from partway.transcode.programs import find
from partway.transcode.sandbox import Sandbox

Way = Callable[[], Awaitable[None]]


def make_video(size: str) -> bytes:
    """Ten seconds of something that is not easy to compress."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "video.mp4")
        source = ("-f", "lavfi", "-t", "10", "-i", f"testsrc2=size={size}:rate=5,noise=alls=20")
        encoder = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "5", "-bf", "0")
        run_openly(ffmpeg(), *source, *encoder, path)
        return path.read_bytes()


def keyframes(blob: bytes) -> list[bytes]:
    """What a poster is made of."""
    stills = read_from_bytes(read_stills(len(blob)), blob)
    buffers = [stills.init]
    for position, (low, length) in enumerate(stills.frames):
        buffers += [fragment(position, length), blob[low : low + length]]
    return buffers


def without(program: commands.Arguments, fed: bytes) -> Way:
    """The same program as anybody would start it."""

    def run_it() -> None:
        done = subprocess.run(program, input=fed, capture_output=True, check=True)
        assert done.stdout.startswith(b"\xff\xd8")

    async def way() -> None:
        run_it()

    return way


def inside(sandbox: Sandbox, program: commands.Arguments, buffers: list[bytes]) -> Way:
    """The same program in a sandbox."""

    async def feed() -> AsyncIterator[bytes]:
        for buffer in buffers:
            yield buffer

    async def way() -> None:
        # At the priority of a plain subprocess: giving way to others is wanted, and not what is measured.
        outcome = await run(program, replace(LIMITS, nice=0), sandbox, feed=feed())
        assert outcome.output.startswith(b"\xff\xd8"), outcome

    return way


async def measure(rounds: int, size: str) -> None:
    """Print a line for every way."""
    blob = make_video(size)
    buffers = keyframes(blob)
    detected = await detect()
    program = commands.poster((await find("ffmpeg", detected.sandbox)).path, "mp4")
    whole, bare = detected.sandbox, Sandbox(detected.sandbox.scratch)
    ways: dict[str, Way] = {
        "plain subprocess": without(program, b"".join(buffers)),
        "limits (the wrapper)": inside(bare, program, buffers),
    }
    for name, layer in (
        ("parent's death", {"die_with_parent": whole.die_with_parent}),
        ("privileges", {"no_privileges": whole.no_privileges}),
        ("system calls", {"seccomp": whole.seccomp}),
        ("Landlock", {"landlock": whole.landlock}),
        ("bubblewrap", {"bubblewrap": whole.bubblewrap}),
    ):
        changed = replace(bare, **layer)
        if changed != bare:
            ways[f"  with {name}"] = inside(changed, program, buffers)
    ways["everything"] = inside(whole, program, buffers)

    took: dict[str, list[float]] = {name: [] for name in ways}
    for round_number in range(rounds + 1):
        for name, way in ways.items():
            begun = time.perf_counter()
            await way()
            if round_number:
                took[name].append((time.perf_counter() - begun) * 1000)
    print(f"One poster of a {size} keyframe, {rounds} rounds; {os.cpu_count()} cores, Linux {platform.release()},")
    print(f"Python {platform.python_version()}. The smallest time is what it takes where nobody else is at work.")
    for layer in detected.layers:
        if not layer.is_active:
            print(f"*** not measured, for this machine lacks it: {layer.name} ({layer.words})")
    plain = took["plain subprocess"]
    print(f"{'':24}{'median':>9}{'middle half':>20}{'more':>9}{'smallest':>14}{'more':>9}")
    for name, times in took.items():
        low, middle, high = statistics.quantiles(times, n=4)
        print(
            f"{name:24}{middle:6.1f} ms{low:9.1f} - {high:5.1f} ms{middle - statistics.median(plain):+6.1f} ms"
            f"{min(times):11.1f} ms{min(times) - min(plain):+6.1f} ms"
        )


def main() -> None:
    """Run it."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--rounds", type=int, default=30)
    arguments.add_argument("--size", default="1920x1080")
    given = arguments.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    asyncio.run(measure(given.rounds, given.size))


if __name__ == "__main__":
    main()
