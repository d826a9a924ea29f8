from __future__ import annotations

import itertools
import math
import struct
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageOps

from gfvc import InputError
from gfvc.rectangle import Rectangle
from gfvc.video.orientation import Orientation
from gfvc.video_reader import PictureEntry, probe_video, read_pictures
from gfvc.video_writer import write_video
from models.contract import Picture
from tests.gfvc.support import ffmpeg, read_all

RATE = Fraction(25)
ONE = 1 << 16
# a, b, c, d of the display matrix: where (1, 0) and (0, 1) go, right and down.
EIGHT = [
    (a, b, c, d)
    for a, b, c, d in itertools.product((-1, 0, 1), repeat=4)
    if abs(a) + abs(b) == 1 and abs(c) + abs(d) == 1 and abs(a) == abs(d)
]


def matrix(a: int, b: int, c: int, d: int) -> bytes:
    """As in a track header box, ISO/IEC 14496-12, 6.2.2 and 8.3."""
    return struct.pack(">9i", a * ONE, b * ONE, 0, c * ONE, d * ONE, 0, 0, 0, 1 << 30)


def shown(stored: Picture, a: int, b: int, c: int, d: int) -> Picture:
    """The picture as the matrix says, sample by sample."""
    height, width = stored.shape[:2]
    rows, columns = np.mgrid[:height, :width]
    x, y = a * columns + c * rows, b * columns + d * rows
    result = np.zeros((*((width, height) if a == 0 else (height, width)), 3), np.uint8)
    result[y - y.min(), x - x.min()] = stored
    return result


@pytest.fixture(scope="module")
def stored() -> Picture:
    """A picture without any symmetry, 96 wide and 64 high."""
    picture = np.zeros((64, 96, 3), np.uint8)
    picture[..., 0] = np.linspace(0, 250, 96)
    picture[..., 1] = np.linspace(0, 250, 64)[:, None]
    picture[:16, :16] = 255
    return picture


@pytest.fixture(scope="module")
def plain(stored: Picture, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("plain")
    lossless = write_video(folder / "stored.mkv", [stored] * 2, RATE)
    ffmpeg("-i", lossless, "-c:v", "libx264", "-qp", "0", "-pix_fmt", "yuv444p", folder / "p.mp4")
    return folder / "p.mp4"


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["png", "webp"])
def test_orientation_of_exif_is_obeyed(
    stored: Picture, tmp_path: Path, orientation: int, suffix: str
) -> None:
    """Pictures come with their EXIF data then, of which the library does not know the kind."""
    path = tmp_path / f"exif.{suffix}"
    picture, exif = Image.fromarray(stored), Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    picture.save(path, lossless=True, exif=exif)
    with Image.open(path) as saved:
        shown = np.asarray(ImageOps.exif_transpose(saved))
    notes: list[str] = []
    (read,) = read_pictures(path, RATE, notes=notes.append)
    np.testing.assert_array_equal(read, shown)
    assert notes == []


def test_there_are_eight_orientations() -> None:
    assert len(EIGHT) == 8


@pytest.mark.parametrize("entries", EIGHT)
def test_a_display_matrix_is_obeyed(
    stored: Picture, plain: Path, tmp_path: Path, entries: tuple[int, int, int, int]
) -> None:
    data = plain.read_bytes()
    assert data.count(matrix(1, 0, 0, 1)) >= 1
    header = data.index(b"tkhd")
    at = data.index(matrix(1, 0, 0, 1), header)
    path = tmp_path / "turned.mp4"
    path.write_bytes(data[:at] + matrix(*entries) + data[at + 36 :])
    original = read_all(plain, RATE)[0]
    expected = shown(original, *entries)
    video = probe_video(path)
    assert (video.width, video.height) == (expected.shape[1], expected.shape[0])
    pictures = read_all(path, video.rate)
    assert len(pictures) == 2
    np.testing.assert_array_equal(pictures[0], expected)
    part = Rectangle(10, 6, 40, 30)
    for picture in read_pictures(path, video.rate, part):
        np.testing.assert_array_equal(picture, part.cut(expected))


@pytest.mark.parametrize(
    ("degrees", "mirrored", "quarter"),
    [(45, False, None), (30, False, (1, 0, 0, 1)), (-80, False, (0, -1, 1, 0)),
     (170, True, (-1, 0, 0, -1)), (90.2, False, (0, 1, -1, 0)), (0.3, False, (1, 0, 0, 1))],
)  # fmt: skip
def test_a_turn_that_is_no_quarter_turn_is_said(
    stored: Picture,
    plain: Path,
    tmp_path: Path,
    degrees: float,
    mirrored: bool,
    quarter: tuple[int, int, int, int] | None,
) -> None:
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    entries = (cos, sin, sin, -cos) if mirrored else (cos, sin, -sin, cos)
    data = plain.read_bytes()
    at = data.index(matrix(1, 0, 0, 1), data.index(b"tkhd"))
    a, b, c, d = (round(entry * ONE) for entry in entries)
    path = tmp_path / "slanted.mp4"
    path.write_bytes(
        data[:at] + struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30) + data[at + 36 :]
    )
    notes: list[str] = []
    pictures = list(read_pictures(path, RATE, notes=notes.append))
    assert len(pictures) == 2
    says = (
        f"{path}: is to be shown turned by {degrees:.0f} degrees; it is turned by quarter turns "
        "only, to the nearest"
    )
    assert notes == ([] if degrees in (90.2, 0.3) else [says])
    if quarter is not None and not mirrored:
        original = read_all(plain, RATE)[0]
        np.testing.assert_array_equal(pictures[0], shown(original, *quarter))


def test_a_matrix_that_is_about_a_quarter_turn_is_one() -> None:
    nearly = np.array([200, 65000, 0, -65000, 200, 0, 0, 0, 1 << 30], np.int32)
    assert Orientation.from_matrix(nearly) == Orientation(transpose=True, flip_x=True)


def test_a_matrix_of_zeros_changes_nothing() -> None:
    assert Orientation.from_matrix(np.zeros(9, np.int32)) == Orientation()


def in_h264(stored: Picture, path: Path, asked: str, pictures: int = 6) -> Path:
    """Two pictures to a key picture, each of which is to be shown as a message asks."""
    lossless = write_video(path.with_suffix(".mkv"), [stored] * pictures, RATE)
    ffmpeg("-i", lossless, "-c:v", "libx264", "-qp", "0", "-pix_fmt", "yuv444p", "-g", "2",
           "-x264-params", "keyint=2:min-keyint=2:scenecut=0", "-bsf:v",
           f"h264_metadata=display_orientation=insert:{asked}", path)  # fmt: skip
    return path


@pytest.mark.parametrize(
    ("asked", "entries"), [("rotate=90", (0, -1, 1, 0)), ("rotate=180", (-1, 0, 0, -1))]
)
def test_a_turn_that_key_pictures_carry_holds_for_all(
    stored: Picture, plain: Path, tmp_path: Path, asked: str, entries: tuple[int, int, int, int]
) -> None:
    path = in_h264(stored, tmp_path / "sei.h264", asked)
    expected = shown(read_all(plain, RATE)[0], *entries)
    video = probe_video(path)
    assert (video.width, video.height) == (expected.shape[1], expected.shape[0])
    pictures = read_all(path, RATE)
    assert len(pictures) == 6
    part = Rectangle(10, 6, 40, 30)
    parts = list(read_pictures(path, RATE, part))
    for picture, of_it in zip(pictures, parts, strict=True):
        np.testing.assert_array_equal(picture, expected)
        np.testing.assert_array_equal(of_it, part.cut(expected))


def test_a_turn_holds_where_reading_starts_behind_it(stored: Picture, tmp_path: Path) -> None:
    """Only the first picture says so."""
    first = in_h264(stored, tmp_path / "first.h264", "rotate=180", 2)
    rest = tmp_path / "rest.h264"
    ffmpeg("-i", in_h264(stored, tmp_path / "again.h264", "rotate=180", 4), "-c", "copy",
           "-bsf:v", "h264_metadata=display_orientation=remove", rest)  # fmt: skip
    joined = tmp_path / "joined.h264"
    joined.write_bytes(first.read_bytes() + rest.read_bytes())
    path = tmp_path / "joined.mp4"
    ffmpeg("-i", joined, "-c", "copy", path)
    entries: list[PictureEntry] = []
    whole = list(read_pictures(path, RATE, entries=entries.append))
    assert len(whole) == 6
    entry = entries[-1]
    assert entry.picture == 4
    rest_of_it = list(read_pictures(path, RATE, start=4, entry=entry))
    for picture in (*whole, *rest_of_it):
        np.testing.assert_array_equal(picture, whole[0])


def test_a_turn_that_a_hidden_picture_carries_holds(stored: Picture, tmp_path: Path) -> None:
    """An edit list hides the key picture, which alone says so."""
    source = in_h264(stored, tmp_path / "whole.mp4", "rotate=90")
    path = tmp_path / "cut.mp4"
    ffmpeg("-ss", "0.05", "-i", source, "-c", "copy", path)
    pictures = read_all(path, RATE)
    assert len(pictures) in (4, 5)
    assert {picture.shape[:2] for picture in pictures} == {(96, 64)}


def test_a_turn_that_changes_the_shape_is_refused(stored: Picture, tmp_path: Path) -> None:
    parts = [in_h264(stored, tmp_path / f"{degrees}.h264", f"rotate={degrees}", 4)
             for degrees in (180, 90)]  # fmt: skip
    path = tmp_path / "both.h264"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    with pytest.raises(InputError, match=r"pictures from 0\.16 s on are to be turned by another"):
        read_all(path, RATE)


def test_a_part_that_is_not_there_is_refused(plain: Path) -> None:
    for part in (Rectangle(60, 0, 40, 30), Rectangle(0, 60, 8, 5), Rectangle(-2, 0, 8, 8)):
        with pytest.raises(InputError, match="has pictures of 96x64, of which there is no part"):
            list(read_pictures(plain, RATE, part))
