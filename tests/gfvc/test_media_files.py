from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import av
import pytest

from gfvc.errors import InputError
from gfvc.media_files import STREAM_FORMATS, VIDEO_FORMATS, media_errors, open_media
from tests.gfvc.support import ffmpeg

PLAYLISTS = {
    "hls": "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nsecret.mkv\n#EXT-X-ENDLIST\n",
    "concat": "ffconcat version 1.0\nfile secret.mkv\n",
    "dash": '<?xml version="1.0"?>\n<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" '
    'profiles="urn:mpeg:dash:profile:isoff-on-demand:2011"><Period><AdaptationSet><Representation>'
    "<BaseURL>secret.mkv</BaseURL></Representation></AdaptationSet></Period></MPD>",
    "session": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=-\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n"
    "a=rtpmap:96 H264/90000\n",
}


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "secret.mkv"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=64x48:r=25", "-frames:v", "5", "-c:v", "ffv1", path)
    return path


@pytest.mark.parametrize("suffix", [".m3u8", ".mp4", ".mpd", ".sdp", ".mkv", ".txt"])
@pytest.mark.parametrize("kind", PLAYLISTS)
def test_what_names_other_files_is_refused(
    tmp_path: Path, secret: Path, kind: str, suffix: str
) -> None:
    path = tmp_path / f"list{suffix}"
    path.write_text(PLAYLISTS[kind])
    before = secret.stat().st_atime_ns
    for formats in (VIDEO_FORMATS, STREAM_FORMATS):
        with pytest.raises(InputError, match=f"list{suffix}: ") as caught:
            open_media(path, formats)
        assert len(str(caught.value).splitlines()) == 1
    assert secret.stat().st_atime_ns == before


def test_a_playlist_is_called_one(tmp_path: Path, secret: Path) -> None:
    path = tmp_path / "list.m3u8"
    path.write_text(PLAYLISTS["hls"])
    with pytest.raises(InputError, match=r"list\.m3u8: a playlist, which names other files"):
        open_media(path, VIDEO_FORMATS)


@pytest.mark.parametrize("suffix", [".txt", ".mp4", ".nfo", ".ans", ".srt"])
def test_text_does_not_become_pictures(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"text{suffix}"
    path.write_text("root:x:0:0:root:/root:/bin/bash\n" * 200)
    with pytest.raises(InputError):
        open_media(path, VIDEO_FORMATS)


def boxes(data: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Type, start and end of each box of an MP4 or QuickTime file between two places."""
    while start + 8 <= end:
        size = int.from_bytes(data[start : start + 4], "big")
        yield data[start + 4 : start + 8], start, start + size
        start += size


def with_alias(data: bytes, path: Path) -> bytes:
    """A QuickTime file whose track says that its samples are in another file.

    The data reference is an alias record as libavformat reads it: volume, name, and the path as
    an item of type 2.
    """
    text = str(path).encode()
    item = struct.pack(">hh", 2, len(text)) + text + bytes(len(text) % 2)
    volume, name = b"\x01v".ljust(28, b"\0"), b"\x01f".ljust(64, b"\0")
    record = bytes(10) + volume + bytes(12) + name + bytes(16) + struct.pack(">hh", 1, 1)
    record += bytes(16) + item + struct.pack(">hh", -1, 0) + bytes(100)
    alias = struct.pack(">I4sI", 12 + len(record), b"alis", 0) + record
    reference = struct.pack(">I4sII", 16 + len(alias), b"dref", 0, 1) + alias

    def replace(start: int, end: int, path: list[bytes]) -> bytes:
        parts = []
        for kind, first, after in boxes(data, start, end):
            body = data[first:after]
            if kind == path[0]:
                body = reference
                if path[1:]:
                    inner = replace(first + 8, after, path[1:])
                    body = struct.pack(">I4s", 8 + len(inner), kind) + inner
            parts.append(body)
        return b"".join(parts)

    return replace(0, len(data), [b"moov", b"trak", b"mdia", b"minf", b"dinf", b"dref"])


def open_files() -> set[str]:
    return {str(file.readlink()) for file in Path("/proc/self/fd").iterdir() if file.is_symlink()}


def test_a_track_in_another_file_stays_shut(tmp_path: Path, secret: Path) -> None:
    plain, path = tmp_path / "plain.mov", tmp_path / "elsewhere.mov"
    ffmpeg("-i", secret, "-c:v", "mpeg4", "-an", plain)
    path.write_bytes(with_alias(plain.read_bytes(), secret))
    with av.open(str(path), container_options={"enable_drefs": "1", "use_absolute_path": "1"}):
        assert str(secret) in open_files(), "the file does not do what this test is about"
    with open_media(path, VIDEO_FORMATS):
        opened = open_files()
    assert str(path) in opened
    assert str(secret) not in opened


def test_a_percent_sign_is_part_of_the_name(tmp_path: Path) -> None:
    for name, colour in (("shot%03d.png", "red"), ("shot001.png", "blue")):
        source = f"color={colour}:s=64x48"
        made = tmp_path / "made.png"
        ffmpeg("-f", "lavfi", "-i", source, "-frames:v", "1", made)
        made.rename(tmp_path / name)
    with open_media(tmp_path / "shot%03d.png", VIDEO_FORMATS) as container:
        (frame,) = container.decode(video=0)
        assert isinstance(frame, av.VideoFrame)
        red, _, blue = frame.to_ndarray(format="rgb24")[0, 0]
        assert red > 200 > 50 > blue


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda path: None, "no such file"),
        (lambda path: path.mkdir(), "is a folder, not a file"),
        (lambda path: path.write_bytes(b""), "is empty"),
        (lambda path: path.write_bytes(bytes(5000)), "not a video that can be read"),
    ],
)
def test_other_inputs_are_refused_in_one_line(tmp_path: Path, make: object, says: str) -> None:
    path = tmp_path / "input.mp4"
    assert callable(make)
    make(path)
    with pytest.raises(InputError, match=rf"input\.mp4: {says}"):
        open_media(path, VIDEO_FORMATS)


def test_errors_while_reading_are_input_errors(secret: Path) -> None:
    for error in (ValueError("odd\nvalue"), av.InvalidDataError(1, "damage"), OverflowError("big")):
        with pytest.raises(InputError, match="x: damaged or cut off") as caught, media_errors("x"):
            raise error
        assert len(str(caught.value).splitlines()) == 1
