"""What a player page is doing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.browser.conftest import Visit

VIDEO = "document.querySelector('video')"


def state_of(visit: Visit) -> dict[str, Any]:
    """What the video element is doing, and what hls.js complained about."""
    state: dict[str, Any] = visit.page.evaluate(
        """() => {
            const video = document.querySelector("video");
            const { totalVideoFrames, droppedVideoFrames } = video.getVideoPlaybackQuality();
            const { currentTime, paused, muted, duration, videoWidth, currentSrc, error } = video;
            // A busy machine stalls; what is missing for good is told by other errors.
            const complaints = (globalThis.partway?.errors ?? []).filter(one => one.details !== "bufferStalledError");
            return {
                currentTime, paused, muted, duration, width: videoWidth, source: currentSrc, error: error?.message,
                frames: totalVideoFrames, dropped: droppedVideoFrames, complaints,
            };
        }"""
    )
    return state


def wait_until(visit: Visit, **least: float) -> dict[str, Any]:
    """Until every named figure is at least that."""
    visit.until(lambda: all((state_of(visit)[name] or 0) >= value for name, value in least.items()))
    return state_of(visit)


def tracks_of(visit: Visit) -> list[tuple[str, str, str, int]]:
    """Kind, label, mode and number of cues of every text track."""
    found = visit.page.evaluate(
        f"() => [...{VIDEO}.textTracks].map(track => [track.kind, track.label, track.mode, track.cues?.length ?? 0])"
    )
    return [tuple(one) for one in found]
