from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gfvc import InputError
from gfvc.video_reader import probe_video, read_pictures
from models.contract import Picture
from tests.gfvc.support import ffmpeg, read_all

RATE = Fraction(25)
FRAGMENTS = ("-movflags", "frag_keyframe+empty_moov+default_base_moof", "-g", "5")


def clip(path: Path, *coding: str, pictures: int = 10, source: str = "testsrc2") -> bytes:
    ffmpeg("-f", "lavfi", "-i", f"{source}=s=96x64:r=25:d={pictures / 25}", *coding, path)
    return path.read_bytes()


def pages(count: int) -> list[Image.Image]:
    rows = np.linspace(0, 200, 64 * 96 * 3).reshape(64, 96, 3)
    return [Image.fromarray((rows + 5 * number).astype(np.uint8)) for number in range(count)]


def read(path: Path) -> tuple[list[Picture], list[str]]:
    """Pictures, and notes without the path."""
    notes: list[str] = []
    pictures = list(read_pictures(path, RATE, notes=notes.append))
    return pictures, [note.removeprefix(f"{path}: ") for note in notes]


@pytest.mark.parametrize(
    ("suffix", "coding"),
    [("mp4", ()), ("mov", ()), ("mp4", ("-movflags", "faststart")), ("mp4", FRAGMENTS),
     ("flv", ("-c:v", "flv1")), ("wmv", ())],
)  # fmt: skip
@pytest.mark.parametrize("longer", [0, 10])
def test_files_joined_byte_by_byte_are_refused(
    tmp_path: Path, suffix: str, coding: tuple[str, ...], longer: int
) -> None:
    first = clip(tmp_path / f"first.{suffix}", *coding)
    second = clip(tmp_path / f"second.{suffix}", *coding, pictures=10 + longer)
    assert len(read_all(tmp_path / f"first.{suffix}", RATE)) == 10
    path = tmp_path / f"joined.{suffix}"
    path.write_bytes(first + second)
    for reader in (probe_video, lambda path: read_all(path, RATE)):
        with pytest.raises(InputError, match=r"several files joined byte by byte, of which only"):
            reader(path)


def with_sound(path: Path, *muxing: str, b_pictures: int = 3) -> None:
    """Write a clip with sound.

    It is coded first: which packets come first from encoders at work is another thing each time.
    """
    coded = path.with_name("coded.mkv")
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=96x64:r=25:d=1", "-f", "lavfi", "-i", "sine=d=1",
           "-g", "5", "-bf", f"{b_pictures}", "-c:a", "aac", coded)  # fmt: skip
    ffmpeg("-i", coded, "-c", "copy", *muxing, path)


def fragments(path: Path, *muxing: str, b_pictures: int = 3) -> tuple[bytes, list[bytes]]:
    """What stands before the fragments of a clip with sound, and those."""
    with_sound(path, *FRAGMENTS, *muxing, b_pictures=b_pictures)
    data = path.read_bytes()
    starts = [found.start() - 4 for found in re.finditer(b"moof", data)]
    end = data.index(b"mfra") - 4
    parts = [data[at:to] for at, to in zip(starts, [*starts[1:], end], strict=True)]
    return data[: starts[0]], parts


@pytest.mark.parametrize("order", [(0, 1, 1, 2), (0, 1, 2, 0, 1, 2), (1, 0, 2), (0, 0), (2, 2, 0)])
def test_fragments_that_go_back_in_time_are_refused(tmp_path: Path, order: tuple[int, ...]) -> None:
    start, parts = fragments(tmp_path / "clip.mp4")
    path = tmp_path / "parts.mp4"
    path.write_bytes(start + b"".join(parts[number] for number in order))
    for reader in (probe_video, lambda path: read_all(path, RATE)):
        with pytest.raises(
            InputError, match=r": its fragments go back in time, as where one .*cat"
        ):
            reader(path)


@pytest.mark.parametrize(
    ("muxing", "b_pictures"),
    [
        ((), 3),
        # Of sound and pictures in turn, some of which ffmpeg gives the time of the one before.
        (("-movflags", "frag_every_frame+empty_moov+default_base_moof"), 3),
        (("-movflags", "frag_every_frame+empty_moov+default_base_moof+separate_moof"), 3),
        (("-movflags", "frag_keyframe+empty_moov+default_base_moof+separate_moof"), 3),
        (("-movflags", "frag_keyframe"), 3),
        (("-movflags", "hybrid_fragmented+frag_keyframe"), 3),
        (("-movflags", "cmaf+frag_keyframe"), 3),
        ((), 2),
    ],
)
def test_other_fragments_are_read(tmp_path: Path, muxing: tuple[str, ...], b_pictures: int) -> None:
    path = tmp_path / "clip.mp4"
    start, parts = b"", list[bytes]()
    if "hybrid" in str(muxing):
        with_sound(path, *muxing, b_pictures=b_pictures)
    else:
        start, parts = fragments(path, *muxing, b_pictures=b_pictures)
    assert len(read_all(path, RATE)) == 25
    for missing in range(min(len(parts) - 1, 2)):
        path.write_bytes(start + b"".join(parts[:1] + parts[2 + missing :]))
        probe_video(path)


def test_an_index_that_is_written_again_and_again_is_no_other_file(tmp_path: Path) -> None:
    data = clip(tmp_path / "fragments.mp4", *FRAGMENTS)
    start, end = data.index(b"moov") - 4, data.index(b"moof") - 4
    second = data.index(b"moof", end + 8) - 4
    path = tmp_path / "again.mp4"
    path.write_bytes(data[:second] + data[start:end] + data[second:])
    assert len(read_all(path, RATE)) == 10


def test_an_index_or_the_start_of_a_coming_part_at_the_end_is_no_other_file(tmp_path: Path) -> None:
    data = clip(tmp_path / "fragments.mp4", *FRAGMENTS)
    index = data[data.index(b"moov") - 4 : data.index(b"moof") - 4]
    start = data[: data.index(b"moof") - 4]  # as of a recording that stops when another part begins
    plain = clip(tmp_path / "plain.mp4")
    again = plain[plain.index(b"moov") - 4 :]
    for whole in (data + index, data + start, plain + again):
        path = tmp_path / "again.mp4"
        path.write_bytes(whole)
        assert len(read_all(path, RATE)) == 10


@pytest.mark.parametrize("size", [1 << 20, 1 << 62, (1 << 64) - 1])
def test_bytes_behind_an_mp4_file_may_look_like_a_box(tmp_path: Path, size: int) -> None:
    """As a byte stream does that some program put there."""
    path = tmp_path / "clip.mp4"
    path.write_bytes(clip(path) + b"\0\0\0\x01nono" + size.to_bytes(8, "big") + bytes(100))
    assert len(read_all(path, RATE)) == 10


def test_directories_of_tiff_may_say_any_number_of_entries(tmp_path: Path) -> None:
    path = tmp_path / "pages.tif"
    pages(1)[0].save(path)
    data = path.read_bytes()
    place = int.from_bytes(data[4:8], "little")
    end = place + 2 + 12 * int.from_bytes(data[place : place + 2], "little")
    # A second directory, of 65 535 entries, behind which comes the first again.
    second = b"\xff\xff" + bytes(12 * 65535) + place.to_bytes(4, "little")
    path.write_bytes(data[:end] + len(data).to_bytes(4, "little") + data[end + 4 :] + second)
    assert read(path)[1] == ["holds 2 pictures, of which the first is read; make a video of them"]


@pytest.mark.parametrize("size", [100, 5000, 300_000])
def test_text_before_the_animation_hides_no_pictures(tmp_path: Path, size: int) -> None:
    """As programs put XMP there."""
    data = clip(tmp_path / "plain.apng", "-f", "apng", "-plays", "1")
    text = b"iTXt" + b"XML:com.adobe.xmp".ljust(size, b"\0")
    path = tmp_path / "text.png"
    # Behind the header; nothing looks at the checksum.
    path.write_bytes(data[:33] + size.to_bytes(4, "big") + text + bytes(4) + data[33:])
    pictures, notes = read(path)
    assert (len(pictures), notes) == (10, [])
    assert probe_video(path).rate == 25


def test_pages_of_tiff_are_told(tmp_path: Path) -> None:
    path = tmp_path / "pages.tif"
    first, *others = pages(4)
    first.save(path, save_all=True, append_images=others)
    pictures, notes = read(path)
    assert notes == ["holds 4 pictures, of which the first is read; make a video of them"]
    np.testing.assert_array_equal(pictures[0], np.asarray(first))


def test_a_smaller_picture_in_tiff_is_no_page(tmp_path: Path) -> None:
    path = tmp_path / "preview.tif"
    first, preview = pages(2)
    preview.encoderinfo = {"tiffinfo": {254: 1}}
    first.save(path, save_all=True, append_images=[preview])
    assert read(path)[1] == []


def test_further_pictures_under_a_jpeg_name_are_told(tmp_path: Path) -> None:
    data = clip(tmp_path / "all.mjpeg", "-q:v", "4", pictures=5)
    path = tmp_path / "all.jpg"
    path.write_bytes(data)
    pictures, notes = read(path)
    assert len(pictures) == 1
    assert notes == [
        "holds 5 pictures joined byte by byte, of which the first is read; all are under a name "
        "that ends in .mjpeg"
    ]
    pictures, notes = read(tmp_path / "all.mjpeg")
    assert (len(pictures), notes) == (5, [])


def jpeg(path: Path, **how: object) -> bytes:
    pages(1)[0].save(path, "JPEG", **how)
    return path.read_bytes()


@pytest.mark.parametrize("progressive", [False, True])
def test_the_video_of_a_motion_photo_is_told(tmp_path: Path, progressive: bool) -> None:
    video = clip(tmp_path / "video.mp4")
    picture = jpeg(tmp_path / "picture.jpg", progressive=progressive, restart_marker_rows=1)
    path = tmp_path / "motion.jpg"
    path.write_bytes(picture + video)
    pictures, notes = read(path)
    assert len(pictures) == 1
    assert notes == [
        "is a motion photo: the picture is read, and its video is not; "
        f"tail -c {len(video)} makes a file of that"
    ]


@pytest.mark.parametrize(
    "change", [lambda data: data, lambda data: data + bytes(100), lambda data: data + data[:50]]
)
def test_a_picture_alone_is_not_told(tmp_path: Path, change: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "alone.jpg"
    path.write_bytes(change(jpeg(path, exif=b"Exif\0\0" + bytes(range(256)))))
    assert read(path)[1] == []


def test_pictures_of_the_multi_picture_format_are_not_told(tmp_path: Path) -> None:
    """Cameras put previews and maps of brightness there."""
    path = tmp_path / "two.jpg"
    first, second = pages(2)
    first.save(path, "MPO", save_all=True, append_images=[second])
    assert read(path)[1] == []
    # Ultra HDR, here without that format.
    xmp = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><Container:Item Item:Semantic="GainMap"/></x:xmpmeta>'
    )
    path.write_bytes(jpeg(tmp_path / "map.jpg") + jpeg(tmp_path / "map.jpg"))
    assert len(read(path)[1]) == 1
    path.write_bytes(jpeg(tmp_path / "main.jpg", xmp=xmp) + jpeg(tmp_path / "map.jpg"))
    assert read(path)[1] == []


@pytest.mark.parametrize("seed", range(20))
def test_damaged_files_end_well(tmp_path: Path, seed: int) -> None:
    """Sizes and offsets may be any."""
    random = np.random.default_rng(seed)
    jpeg(tmp_path / "a.jpg")
    pages(1)[0].save(tmp_path / "a.tif", save_all=True, append_images=pages(2))
    clip(tmp_path / "a.mp4", *FRAGMENTS)
    for name in ("a.jpg", "a.tif", "a.mp4"):
        data = bytearray((tmp_path / name).read_bytes())
        for place in random.integers(0, len(data), 40):
            data[place] = random.integers(0, 256)
        (tmp_path / name).write_bytes(data[: random.integers(len(data) // 2, len(data))])
        with contextlib.suppress(InputError):
            read(tmp_path / name)
