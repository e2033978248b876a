"""Videos, probed with PyAV: the header, the tail and one picture, not the whole film."""

from io import BytesIO
from typing import Any, BinaryIO

import av

from portfolios.checking.finding import Finding, Unusable

# The demuxer is forced: left to guess, it would also open playlists that name other files and addresses.
FORMAT = {"mov": "mov,mp4,m4a,3gp,3g2,mj2", "matroska": "matroska"}
OPTIONS = {"protocol_whitelist": "file"}
TAIL_SECONDS = 10
POSTER_WIDTH = 640
MISSING_SECONDS = 3  # how much of the end may be missing before we call a film cut off

DAMAGED = (
    "damaged",
    "This video is damaged or was cut off while it was saved. Play it to the end on your own device; if that works, "
    "export it again as MP4, and upload that.",
)
NO_PICTURE = ("no-picture", "This file has sound but no picture. Choose the video itself, and upload that.")


def check(file: BinaryIO, family: str, *, max_ms: int | None, min_ms: int, frame_max: tuple[int, int]) -> Finding:
    """Unusable unless it plays to its end, has a picture of at most `frame_max`, and lasts min_ms to max_ms."""
    try:
        with av.open(file, format=FORMAT[family], options=OPTIONS) as container:
            finding = _probe(container, frame_max)
    except (av.error.FFmpegError, ValueError, EOFError) as error:
        raise Unusable(*DAMAGED) from error
    _refuse_length(finding.duration_ms or 0, min_ms, max_ms)
    return finding


def _probe(container: Any, frame_max: tuple[int, int]) -> Finding:
    if not container.streams.video:
        raise Unusable(*NO_PICTURE)
    stream = container.streams.video[0]
    if stream.codec_context is None:  # a codec that nobody knows
        raise Unusable(*DAMAGED)
    width, height = stream.codec_context.width, stream.codec_context.height
    _refuse_frame(width, height, frame_max)
    poster = _poster(container, stream)
    return Finding(duration_ms=_duration_ms(container), width=width, height=height, poster=poster)


def _refuse_frame(width: int, height: int, most: tuple[int, int]) -> None:
    if max(width, height) > max(most) or min(width, height) > min(most):
        raise Unusable(
            "frame-too-large",
            f"This video's picture is {width} by {height} pixels; the most is {most[0]} by {most[1]}. "
            "Export it at 1080p, and upload that.",
        )


def _poster(container: Any, stream: Any) -> bytes:
    """The first picture as a small JPEG, turned upright (PyAV leaves the telephone's rotation to us)."""
    frame = next(container.decode(stream), None)
    if frame is None:
        raise Unusable(*DAMAGED)
    height = max(2, round(frame.height * POSTER_WIDTH / frame.width / 2) * 2)
    image = frame.reformat(width=POSTER_WIDTH, height=height).to_image()
    if frame.rotation:
        image = image.rotate(frame.rotation, expand=True)
    out = BytesIO()
    image.save(out, "JPEG", quality=80)
    return out.getvalue()


def _duration_ms(container: Any) -> int:
    """Where the last packet ends. Less than the header promises means that the end of the film is missing."""
    declared = int(container.duration or 0) // 1000
    if declared:
        container.seek(max(0, container.duration - TAIL_SECONDS * av.time_base))
    else:
        container.seek(0)
    ends = [_end_ms(packet) for packet in container.demux() if packet.pts is not None]
    played = max(ends, default=0) - _start_ms(container)
    if declared and played < declared - MISSING_SECONDS * 1000:
        raise Unusable(*DAMAGED)
    return max(played, declared)


def _end_ms(packet: Any) -> int:
    return int((packet.pts + (packet.duration or 0)) * packet.time_base * 1000)


def _start_ms(container: Any) -> int:
    return int(container.start_time or 0) // 1000


def _refuse_length(duration_ms: int, min_ms: int, max_ms: int | None) -> None:
    if duration_ms < min_ms:
        raise Unusable("too-short", "This video is only a moment long. Choose the whole recording, and upload that.")
    if max_ms is not None and duration_ms > max_ms:
        raise Unusable(
            "too-long",
            f"This video lasts {clock(duration_ms)}, which is longer than this requirement allows. "
            "Shorten it at its beginning or end, and upload that.",
        )


def clock(milliseconds: int) -> str:
    """ "7:05" for 425,000; hours are counted as minutes."""
    minutes, seconds = divmod(round(milliseconds / 1000), 60)
    return f"{minutes}:{seconds:02d}"
