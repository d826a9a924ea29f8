"""Files that end before, or after, what they state."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from gfvc import InputError
from gfvc.video.file_end import ends_whole
from gfvc.video.frames import decoded_frames
from tests.gfvc.support import ffmpeg, no_notes

CODING = ("-pix_fmt", "yuv420p", "-c:v", "libx264", "-preset", "ultrafast")


def made(path: Path, *options: str) -> Path:
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=64x64:r=25:d=2", *CODING, *options, path)
    return path


def matroska(folder: Path) -> Path:
    """With a duration of 4 s."""
    path = made(folder / "clip.mkv")
    data = bytearray(path.read_bytes())
    place = data.index(b"\x44\x89\x88") + 3  # in milliseconds
    data[place : place + 8] = struct.pack(">d", 4000.0)
    path.write_bytes(data)
    return path


def recorded(folder: Path) -> Path:
    """Matroska whose segment and clusters have no stated size, as browsers record it."""
    path = matroska(folder)
    data = bytearray(path.read_bytes())
    # The index at the end would end a cluster.
    data = data[: data.index(b"\x1c\x53\xbb\x6b", len(data) // 2)]
    for kind in (b"\x18\x53\x80\x67", b"\x1f\x43\xb6\x75"):
        at = -1
        while (at := data.find(kind, at + 1)) >= 0:
            length = 9 - data[at + 4].bit_length()
            data[at + 4 : at + 4 + length] = ((2 << 7 * length) - 1).to_bytes(length, "big")
    path.write_bytes(data)
    return path


def flash(folder: Path) -> Path:
    path = made(folder / "clip.flv")
    data = bytearray(path.read_bytes())
    place = data.index(b"\0\x08duration\0") + 11
    data[place : place + 8] = struct.pack(">d", 4.0)
    path.write_bytes(data)
    return path


def in_fragments(folder: Path) -> Path:
    path = made(folder / "clip.mp4", "-movflags", "frag_keyframe+empty_moov", "-g", "10")
    data = bytearray(path.read_bytes())
    place = data.index(b"mvhd") + 4
    data[place + 16 : place + 20] = struct.pack(">I", 4000)
    path.write_bytes(data)
    return path


def interleaved(folder: Path) -> Path:
    """AVI that states twice as many pictures as it holds."""
    path = made(folder / "clip.avi")
    data = bytearray(path.read_bytes())
    place = data.index(b"strh") + 8 + 32  # dwLength
    assert struct.unpack_from("<I", data, place) == (50,)
    struct.pack_into("<I", data, place, 100)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("make", [matroska, recorded, flash, interleaved])
def test_a_stated_duration_that_is_too_long_is_a_note(
    make: Callable[[Path], Path], tmp_path: Path
) -> None:
    path = make(tmp_path)
    notes: list[str] = []
    assert len(list(decoded_frames(path, notes.append))) == 50
    assert len(notes) == 1
    assert notes[0].startswith(f"{path}: states 4.0 s and ends after 2.")


@pytest.mark.parametrize("make", [matroska, recorded, flash])
@pytest.mark.parametrize("left_out", [6, 700])
def test_a_part_of_a_file_is_refused(
    make: Callable[[Path], Path], left_out: int, tmp_path: Path
) -> None:
    path = make(tmp_path)
    path.write_bytes(path.read_bytes()[:-left_out])
    assert not ends_whole(path)
    with pytest.raises(InputError, match=r"cut off"):
        list(decoded_frames(path, no_notes))


@pytest.mark.parametrize("make", [matroska, recorded, flash, in_fragments, interleaved])
def test_the_end_of_a_file_is_that_of_its_last_part(
    make: Callable[[Path], Path], tmp_path: Path
) -> None:
    path = make(tmp_path)
    data = path.read_bytes()
    assert ends_whole(path)
    for share in (0.3, 0.71, 0.9):
        path.write_bytes(data[: int(share * len(data))])
        assert not ends_whole(path)
    for other in (b"", b"\0" * 5000, b"FLV", data[:8] + bytes(5000)):
        path.write_bytes(other)
        assert not ends_whole(path)


@pytest.mark.parametrize("shorter", range(15))
def test_zeros_in_place_of_the_rest_of_flv_are_no_end(tmp_path: Path, shorter: int) -> None:
    """As some downloaders make the file before it comes."""
    path = flash(tmp_path)
    data = path.read_bytes()
    whole = len(data) * 2 // 3
    path.write_bytes(data[:whole].ljust(len(data) - shorter, b"\0"))
    assert not ends_whole(path)


@pytest.mark.parametrize("size_bytes", [7, 8])
def test_an_element_may_state_any_size(tmp_path: Path, size_bytes: int) -> None:
    path = matroska(tmp_path)
    most = (1 << 7 * size_bytes) - 2
    stated = ((1 << 7 * size_bytes) | most).to_bytes(size_bytes, "big")
    path.write_bytes(path.read_bytes() + b"\xec" + stated)
    with pytest.raises(InputError, match=r"cut off at 2\.0 s of 4\.0 s"):
        list(decoded_frames(path, no_notes))


def test_other_bytes_after_the_last_picture_are_no_packet(tmp_path: Path) -> None:
    """A second file after a first: its header is taken for the size and the time of a picture."""
    path = tmp_path / "clip.ivf"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=64x64:r=25:d=0.4", "-c:v", "libvpx", path)
    path.write_bytes(path.read_bytes() * 2)
    notes: list[str] = []
    assert len(list(decoded_frames(path, notes.append))) == 10
    assert notes == [f"{path}: after its last packet come other bytes, which are left out"]
