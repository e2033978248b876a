"""Films made ready to be watched, by ffmpeg in a process of its own. Knows no model and no framework.

The film comes from a stranger and the demuxers are large, so the process is confined: it is told what it reads, may
open nothing else, has limits of time, memory and disk, and dies with whoever started it.
"""

import os
import re
import signal
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from selectors import EVENT_READ, DefaultSelector
from time import monotonic
from typing import Any

import av

from portfolios import confined
from portfolios.checking import containers, videos

PIXELS = (1280, 720)
THREADS = 2
MOST_MEMORY = 4 * 1024**3  # of addresses; the largest frame that is let in takes 1.5 GiB of them
TAIL = 4096
CHUNK = 64 * 1024
PLAIN_PICTURE, PLAIN_SOUND = ("h264", {"yuv420p", "yuvj420p"}), {"aac"}
PLAIN_MOST = (1920, 1088)  # 1080 lines are coded as 1088

_PROGRESS = re.compile(rb"out_time_us=(\d+)")

_TALK = ["-nostdin", "-hide_banner", "-nostats", "-loglevel", "error", "-progress", "pipe:1", "-stats_period", "1"]
# One picture and one sound, and nothing that says where, when and by whom: no tags, chapters, subtitles, time codes.
_ONLY = ["-map", "0:V:0", "-map", "0:a:0?", "-map_metadata", "-1", "-map_chapters", "-1"]
# Notes beside the pictures (SEI) say what camera it was, of some cameras also where. No player needs them in an MP4.
_COPY = ["-c", "copy", "-bsf:v", "filter_units=remove_types=6"]
_MP4 = ["-fflags", "+bitexact", "-movflags", "+faststart", "-f", "mp4"]
_FIT = (
    f"scale=w='min(iw,if(gte(iw,ih),{PIXELS[0]},{PIXELS[1]}))':h='min(ih,if(gte(iw,ih),{PIXELS[1]},{PIXELS[0]}))'"
    ":force_original_aspect_ratio=decrease:force_divisible_by=2:out_range=tv,format=yuv420p"
)
_H264 = ["-c:v", "libx264", "-preset", "veryfast", "-crf", "24", "-maxrate", "3M", "-bufsize", "6M"]
_AAC = ["-c:a", "aac", "-b:a", "96k", "-ac", "2", "-ar", "48000"]


class Failed(Exception):
    """ffmpeg ended with an error, was ended, or took too long. The message says no name of a file."""


@dataclass(frozen=True, slots=True)
class Film:
    """A film that was found good: where it is, its family (checking/containers.py), how long it plays."""

    path: Path
    family: str
    duration_ms: int

    @property
    def seconds(self) -> int:
        """What making it ready may take."""
        return 3 * self.duration_ms // 1000 + 60

    @property
    def most_bytes(self) -> int:
        """What may come out: the film itself in another container, or three megabits a second and a margin."""
        return self.path.stat().st_size + self.duration_ms // 1000 * 500_000 + 64 * 1024**2


def is_plain(film: Film) -> bool:
    """Whether every browser plays its streams as they are: H.264 in 8 bits up to 1080p, and AAC or no sound."""
    with av.open(str(film.path), format=containers.DEMUXER[film.family], options=videos.OPTIONS) as container:
        picture = videos.picture_of(container).codec_context
        sounds = {stream.codec_context.name for stream in container.streams.audio[:1]}
        codec, formats = PLAIN_PICTURE
        is_small = max(picture.width, picture.height) <= PLAIN_MOST[0]
        is_small &= min(picture.width, picture.height) <= PLAIN_MOST[1]
        return is_small and picture.name == codec and picture.pix_fmt in formats and sounds <= PLAIN_SOUND


def copying(film: Film, out: Path) -> list[str]:
    """What to tell ffmpeg so that the same streams stand in an MP4 that plays at once."""
    return [*_TALK, *_reading(film), *_ONLY, *_COPY, *_MP4, f"file:{out}"]


def converting(film: Film, out: Path) -> list[str]:
    """What to tell ffmpeg so that the film is upright, 720p at most, in H.264 and AAC, and plays at once."""
    made = ["-vf", _FIT, *_H264, "-threads", str(THREADS), *_AAC]
    return [*_TALK, *_reading(film), *_ONLY, *made, *_MP4, f"file:{out}"]


def _reading(film: Film) -> list[str]:
    only = ["-protocol_whitelist", "file", "-f", containers.DEMUXER[film.family].split(",")[0]]
    return ["-threads", str(THREADS), *only, "-i", f"file:{film.path}"]


def run(program: str, arguments: Sequence[str], film: Film, folder: Path, tell: Callable[[int], None]) -> str:
    """Run ffmpeg in `folder`; what it complained of, "" when all was well. Failed.

    `tell` is called with the percent done about every second; what it raises ends ffmpeg and is passed on.
    """
    limits = {"memory": MOST_MEMORY, "processor": film.seconds * THREADS * 2, "file": film.most_bytes}
    process = subprocess.Popen(
        confined.command(program, arguments, **limits),
        cwd=folder,
        env={},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        complaints = _watch(process, film, tell)
        ended = process.wait()
    finally:
        _end(process)
    said = complaints.decode(errors="replace").replace(str(film.path), "the film").replace(str(folder), "the folder")
    if ended:
        raise Failed(f"ffmpeg ended with {ended}: {said}")
    return said


def _watch(process: Any, film: Film, tell: Callable[[int], None]) -> bytes:
    """Read what ffmpeg says until it closes both pipes; the end of its complaints, which may be endless."""
    told, complaints, percent = b"", b"", 0
    deadline = monotonic() + film.seconds
    with DefaultSelector() as pipes:
        pipes.register(process.stdout, EVENT_READ)
        pipes.register(process.stderr, EVENT_READ)
        while pipes.get_map():
            for key, _ in pipes.select(timeout=1):
                chunk = os.read(key.fd, CHUNK)
                if not chunk:
                    pipes.unregister(key.fileobj)
                elif key.fileobj is process.stderr:
                    complaints = (complaints + chunk)[-TAIL:]
                else:
                    told = (told + chunk)[-TAIL:]
            if places := _PROGRESS.findall(told):
                percent = min(99, int(places[-1]) // 10 // film.duration_ms)
            if monotonic() > deadline:
                raise Failed(f"ffmpeg was not through after {film.seconds} seconds")
            tell(percent)
    return complaints


def _end(process: Any) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    process.stdout.close()
    process.stderr.close()
