"""The names of codecs: four-character codes, libavcodec's words, and words for people."""

from __future__ import annotations

_VIDEO = {
    b"avc1": "h264", b"avc2": "h264", b"avc3": "h264", b"avc4": "h264", b"dva1": "h264", b"dvav": "h264",
    b"hvc1": "hevc", b"hev1": "hevc", b"dvh1": "hevc", b"dvhe": "hevc", b"vvc1": "vvc", b"vvi1": "vvc",
    b"av01": "av1", b"vp08": "vp8", b"vp09": "vp9", b"mp4v": "mpeg4", b"s263": "h263", b"H263": "h263",
    b"apcn": "prores", b"apch": "prores", b"apcs": "prores", b"apco": "prores", b"ap4h": "prores", b"ap4x": "prores",
    b"jpeg": "mjpeg", b"mjpa": "mjpeg", b"mjpb": "mjpeg", b"mjp2": "jpeg2000", b"png ": "png", b"AVdn": "dnxhd",
    b"AVdh": "dnxhd", b"CFHD": "cfhd", b"SVQ3": "svq3", b"SVQ1": "svq1", b"cvid": "cinepak", b"rle ": "qtrle",
    b"dvc ": "dvvideo", b"dvcp": "dvvideo", b"dvpp": "dvvideo", b"dv5n": "dvvideo", b"dv5p": "dvvideo",
    b"dvhq": "dvvideo", b"dvh5": "dvvideo", b"dvh6": "dvvideo", b"encv": "encrypted", b"drmi": "encrypted",
}  # fmt: skip
_AUDIO = {
    b"mp4a": "aac", b".mp3": "mp3", b"ms\x00\x55": "mp3",
    b"ac-3": "ac3", b"ec-3": "eac3", b"ac-4": "ac4", b"Opus": "opus", b"fLaC": "flac", b"alac": "alac",
    b"samr": "amr_nb", b"sawb": "amr_wb", b"dtsc": "dts", b"dtsh": "dts", b"dtsl": "dts", b"dtse": "dts",
    b"lpcm": "pcm", b"sowt": "pcm", b"twos": "pcm", b"in24": "pcm", b"in32": "pcm", b"fl32": "pcm", b"fl64": "pcm",
    b"raw ": "pcm", b"NONE": "pcm", b"ipcm": "pcm", b"fpcm": "pcm", b"ulaw": "pcm_mulaw", b"alaw": "pcm_alaw",
    b"ima4": "adpcm_ima_qt", b"apac": "apac",
}  # fmt: skip
_SPOKEN = {
    "h264": "H.264", "hevc": "HEVC", "vvc": "VVC", "av1": "AV1", "vp8": "VP8", "vp9": "VP9", "mpeg4": "MPEG-4 part 2",
    "h263": "H.263", "prores": "ProRes", "mjpeg": "Motion JPEG", "jpeg2000": "JPEG 2000", "png": "PNG",
    "dnxhd": "DNxHD", "cfhd": "CineForm", "svq3": "Sorenson Video 3", "svq1": "Sorenson Video", "cinepak": "Cinepak",
    "qtrle": "QuickTime Animation", "dvvideo": "DV",
    "ac3": "AC-3", "eac3": "Enhanced AC-3", "ac4": "AC-4", "opus": "Opus", "flac": "FLAC", "alac": "Apple Lossless",
    "amr_nb": "AMR", "amr_wb": "AMR wideband", "dts": "DTS", "pcm": "uncompressed (PCM)", "pcm_mulaw": "mu-law",
    "pcm_alaw": "A-law", "adpcm_ima_qt": "IMA ADPCM", "apac": "Apple spatial audio", "vorbis": "Vorbis",
}  # fmt: skip


def video_codec(fourcc: bytes) -> str:
    """The lower-case libavcodec name of a visual sample entry; what we don't know is spelled as it stands."""
    return _VIDEO.get(fourcc) or _spelled(fourcc)


def audio_codec(fourcc: bytes) -> str:
    """The same of a sound sample entry; ``mp4a`` counts as AAC until its ``esds`` says otherwise."""
    return _AUDIO.get(fourcc) or _spelled(fourcc)


def spoken(codec: str) -> str:
    """A codec as people write it."""
    return _SPOKEN.get(codec, codec)


def _spelled(fourcc: bytes) -> str:
    """A four-character code as a word that is safe to show: small letters and digits of ASCII."""
    return "".join(chr(byte) for byte in fourcc.lower() if chr(byte).isalnum() and byte < 128) or "unknown"
