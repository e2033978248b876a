"""Films as cameras, telephones and browsers make them, and as they arrive when something went wrong on the way.

Made here by ffmpeg, each once a process: a few seconds, a few pixels. Nothing is downloaded.
"""

import subprocess
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import imageio_ffmpeg

PLACE = "+38.9717-095.2353+262.000/"  # where a telephone says it was, as ISO 6709
NAME = "Ada Abara of Lakeside"  # who a camera says it belongs to
H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")
AAC = ("-c:a", "aac", "-b:a", "32k")
HEVC = ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=error", "-tag:v", "hvc1")
HLG = ("-pix_fmt", "yuv420p10le", "-color_primaries", "bt2020", "-color_trc", "arib-std-b67", "-colorspace", "bt2020nc")
VP9 = ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8")
VP8 = ("-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8")
OPUS = ("-c:a", "libopus", "-b:a", "32k")


def ffmpeg(*arguments: str) -> None:
    program = imageio_ffmpeg.get_ffmpeg_exe()
    subprocess.run([program, "-y", "-nostdin", "-loglevel", "error", *arguments], check=True, timeout=120)


@cache
def film(
    ending: str,
    *options: str,
    seconds: int = 6,
    size: str = "160x90",
    rate: str = "8",
    sound: bool = True,
    source: str = "testsrc2",
) -> bytes:
    """A moving test picture and a tone, written as `options` say into a file with this ending."""
    inputs = ["-f", "lavfi", "-i", f"{source}=size={size}:rate={rate}:duration={seconds}"]
    inputs += ["-f", "lavfi", "-i", f"sine=f=440:r=16000:d={seconds}"] if sound else []
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"film{ending}"
        ffmpeg(*inputs, *options, str(path))
        return path.read_bytes()


@cache
def copied(body: bytes, *options: str, ending: str = ".mp4", before: tuple[str, ...] = ()) -> bytes:
    """The same pictures and tones in another container: `before` says how to read them, `options` how to write."""
    with TemporaryDirectory() as folder:
        old, new = Path(folder) / "old", Path(folder) / f"new{ending}"
        old.write_bytes(body)
        ffmpeg(*before, "-i", str(old), *options, "-c", "copy", str(new))
        return new.read_bytes()


def plain() -> bytes:
    """As most programs write: H.264 and AAC, the index at the end."""
    return film(".mp4", *H264, *AAC)


def silent() -> bytes:
    """A sound track on which nothing is heard, which may be left as it is."""
    return film(".mp4", *H264, *AAC, "-af", "volume=0")


def turned(degrees: int) -> bytes:
    """As a telephone held upright writes: pictures that lie, and the note to turn them."""
    return copied(plain(), before=("-display_rotation", str(degrees)))


def recorded() -> bytes:
    """As MediaRecorder in a browser writes: no duration, no index."""
    return film(".webm", *VP8, *OPUS, "-f", "webm", "-live", "1")


def uneven() -> bytes:
    """Pictures at uneven times, as telephones write in the dark."""
    return film(".mp4", "-vf", "select='not(mod(n,3))+lt(mod(n,7),2)'", "-fps_mode", "vfr", *H264, *AAC)


def odd() -> bytes:
    """Of an odd size, in colours that no browser plays."""
    return film(".mp4", "-c:v", "libx264", "-pix_fmt", "yuv444p", *AAC, size="161x91", source="testsrc")


@cache
def telling() -> bytes:
    """Says where it was taken, by whom and when, in every place a film has: tags, chapters, subtitles, time code."""
    with TemporaryDirectory() as folder:
        chapters, words = Path(folder) / "chapters", Path(folder) / "words.srt"
        chapters.write_text(f";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1\nSTART=0\nEND=3\ntitle={NAME}\n")
        words.write_text(f"1\n00:00:00,000 --> 00:00:05,000\n{NAME}\n")
        old, new = Path(folder) / "old.mp4", Path(folder) / "new.mov"
        old.write_bytes(plain())
        tags = {"title": NAME, "artist": NAME, "location": PLACE, "creation_time": "2027-05-09T12:34:56Z"}
        said = [word for name, value in tags.items() for word in ("-metadata", f"{name}={value}")]
        inputs = ["-i", str(old), "-f", "ffmetadata", "-i", str(chapters), "-i", str(words)]
        maps = ["-map", "0", "-map", "2", "-map_metadata", "0", "-map_chapters", "1", "-c", "copy", "-c:s", "mov_text"]
        track = ["-metadata:s:v", f"handler_name={NAME}", "-timecode", "01:02:03:04"]
        ffmpeg(*inputs, *maps, *said, *track, str(new))
        return new.read_bytes()


def apple() -> bytes:
    """The place as iPhones write it: a key of its own in the metadata."""
    place = ("-metadata", f"com.apple.quicktime.location.ISO6709={PLACE}")
    return copied(plain(), "-movflags", "use_metadata_tags", *place, ending=".mov")


GOOD = {
    "mp4": (".mp4", plain),
    "faststart": (".mp4", lambda: film(".mp4", *H264, *AAC, "-movflags", "faststart")),
    "fragmented": (".mp4", lambda: film(".mp4", *H264, *AAC, "-g", "8", "-movflags", "frag_keyframe+empty_moov")),
    "mov": (".mov", lambda: film(".mov", *H264, *AAC)),
    "mjpeg": (".mov", lambda: film(".mov", "-c:v", "mjpeg", "-c:a", "pcm_s16le")),
    "hevc": (".mov", lambda: film(".mov", *HEVC, "-pix_fmt", "yuv420p", *AAC)),
    "hlg": (".mov", lambda: film(".mov", *HEVC, *HLG, *AAC)),
    "mkv": (".mkv", lambda: film(".mkv", *H264, *AAC)),
    "vp9": (".webm", lambda: film(".webm", *VP9, *OPUS)),
    "vp8": (".webm", lambda: film(".webm", *VP8, *OPUS)),
    "recorded": (".webm", recorded),
    "turned left": (".mp4", lambda: turned(90)),
    "turned right": (".mp4", lambda: turned(-90)),
    "uneven": (".mp4", uneven),
    "odd": (".mp4", odd),
    "telling": (".mov", telling),
    "apple": (".mov", apple),
    "silent": (".mp4", silent),
}


def good(name: str) -> bytes:
    return GOOD[name][1]()


def without_picture() -> bytes:
    return film(".mp4", "-vn", *AAC)


def without_sound() -> bytes:
    return film(".mp4", *H264, sound=False)


@cache
def with_cover() -> bytes:
    """Music with a picture on it: a player shows something, and it is no film."""
    with TemporaryDirectory() as folder:
        sound, cover, both = (str(Path(folder) / name) for name in ("sound.mp4", "cover.jpg", "both.mp4"))
        Path(sound).write_bytes(without_picture())
        ffmpeg("-f", "lavfi", "-i", "testsrc2=s=64x64:r=1:d=1", "-frames:v", "1", cover)
        ffmpeg("-i", sound, "-i", cover, "-map", "0", "-map", "1", "-c", "copy", "-disposition:v", "attached_pic", both)
        return Path(both).read_bytes()


def endless() -> bytes:
    """67 minutes, a picture every ten seconds."""
    return film(".mp4", *H264, seconds=67 * 60, size="32x32", rate="1/10", sound=False)


def giant() -> bytes:
    """One picture of 16384 by 8704 points, which would take half a gigabyte to open."""
    jpeg = ("-c:v", "mjpeg", "-huffman", "default")
    return film(".mov", *jpeg, size="16384x8704", rate="1/6", source="color", sound=False)


def half(body: bytes) -> bytes:
    return body[: len(body) // 2]


def flipped(body: bytes, every: int = 997) -> bytes:
    """Bits that fell over on a bad card: from a quarter of the file to three quarters of it, one in `every` bytes."""
    wrong = bytearray(body)
    for place in range(len(body) // 4, len(body) * 3 // 4, every):
        wrong[place] ^= 0xFF
    return bytes(wrong)
