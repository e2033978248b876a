"""Videos, probed with PyAV: the header, the tail and a few pictures, not the whole film, which may be far away."""

from io import BytesIO
from typing import Any, BinaryIO

import av
from av.stream import Disposition

from portfolios.checking import containers
from portfolios.checking.finding import Finding, Unusable

OPTIONS = {"protocol_whitelist": "file"}
TAIL_SECONDS = 2
POSTER_WIDTH = 640
MISSING_MS = 3000  # how much of the end may be missing before we call a film cut off; a fifth of a short one

DAMAGED = (
    "damaged",
    "This video is damaged or was cut off while it was saved. Play it to the end on your own device; if that works, "
    "export it again as MP4, and upload that.",
)
NO_PICTURE = ("no-picture", "This file has sound but no picture. Choose the video itself, and upload that.")

NO_SOUND = (
    "This film has no sound. If it should have, upload it again with its sound. If it is meant to have none, say so."
)


def check(file: BinaryIO, family: str, *, max_ms: int | None, min_ms: int, frame_max: tuple[int, int]) -> Finding:
    """Unusable unless it plays to its end, has a picture of at most `frame_max`, and lasts min_ms to max_ms."""
    if family == "mov" and containers.breaks_off(file):
        raise Unusable(*DAMAGED)
    file.seek(0)
    try:
        with av.open(file, format=containers.DEMUXER[family], options=OPTIONS) as container:
            finding = _probe(container, frame_max)
    except (av.error.FFmpegError, ValueError, EOFError) as error:
        raise Unusable(*DAMAGED) from error
    _refuse_length(finding.duration_ms or 0, min_ms, max_ms)
    return finding


def _probe(container: Any, frame_max: tuple[int, int]) -> Finding:
    stream = picture_of(container)
    if stream is None:
        raise Unusable(*NO_PICTURE)
    if stream.codec_context is None:  # a codec that nobody knows
        raise Unusable(*DAMAGED)
    _refuse_frame(stream.codec_context.width, stream.codec_context.height, frame_max)
    first = next(container.decode(stream), None)
    if first is None:
        raise Unusable(*DAMAGED)
    _refuse_unless_one_opens(container, stream)
    width, height = _upright(first)
    has_sound = bool(container.streams.audio)
    remarks = [] if has_sound else [{"code": "no-sound", "words": NO_SOUND}]
    return Finding(_duration_ms(container), width, height, has_sound, poster=_poster(first), remarks=remarks)


def picture_of(container: Any) -> Any:
    """The stream that is the film; None where there is only sound, with a cover or without."""
    films = (stream for stream in container.streams.video if not stream.disposition & Disposition.attached_pic)
    return next(films, None)


def _refuse_frame(width: int, height: int, most: tuple[int, int]) -> None:
    if max(width, height) > max(most) or min(width, height) > min(most):
        raise Unusable(
            "frame-too-large",
            f"This video's picture is {width} by {height} pixels; the most is {most[0]} by {most[1]}. "
            "Export it at 1080p, and upload that.",
        )


def _refuse_unless_one_opens(container: Any, stream: Any) -> None:
    """Of three pictures inside: a film of which none opens is none, whatever its index says."""
    inside = [container.duration * quarter // 4 for quarter in (1, 2, 3)] if container.duration else []
    if inside and not any(_opens(container, stream, place) for place in inside):
        raise Unusable(*DAMAGED)


def _opens(container: Any, stream: Any, place: int) -> bool:
    try:
        container.seek(place)
        return next(container.decode(stream), None) is not None
    except av.error.FFmpegError:
        return False


def _upright(frame: Any) -> tuple[int, int]:
    """Width and height as they are seen: telephones held upright note a quarter turn."""
    return (frame.height, frame.width) if frame.rotation % 180 == 90 else (frame.width, frame.height)


def _poster(frame: Any) -> bytes:
    """A picture as a small JPEG, turned upright (PyAV leaves the telephone's rotation to us)."""
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
    if declared and played < declared - min(MISSING_MS, declared // 5):
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
